// Numbers for new rows, where several writers make them at once.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "sql/db.h"

namespace sluice::sql {

/// How a table numbers its rows. On SQLite, where one writes at a time, by the greatest number so
/// far; on PostgreSQL by a sequence, which gives no number twice and makes nobody wait:
///
///   /*postgres CREATE SEQUENCE metric_series_ids INCREMENT BY 32; */      (in a migration)
///
///   constexpr IdSource kSeriesIds{
///       {"tracking.next_series_ids", "SELECT COALESCE(MAX(series_id), 0) + 1 FROM metric_series",
///        "SELECT nextval('metric_series_ids')"}, 32};
///
/// A number may be left out on PostgreSQL (rolled back, or the rest of a block); never reused
/// there. An importer that brings numbers of its own must move the sequence past them (setval).
struct IdSource {
  Query query;             ///< one row, one column: the first number of a block
  int64_t block_size = 1;  ///< the sequence's INCREMENT BY
};

/// Hands out numbers one by one inside one transaction, asking the database once a block. The rows
/// of a block must be inserted before the next block is asked for. One thread at a time.
class IdBlock {
 public:
  IdBlock(Tx& tx, const IdSource& source) : tx_(tx), source_(source) {}
  Result<int64_t> Next() {
    if (next_ == end_) {
      ASSIGN_OR_RETURN(auto first, tx_.FindOne(source_.query, {},
                                               [](const Row& row) { return row.GetInt64(0); }));
      if (!first) return DataLoss(std::string(source_.query.name) + ": no row");
      next_ = *first;
      end_ = next_ + source_.block_size;
    }
    return next_++;
  }

 private:
  Tx& tx_;
  const IdSource& source_;
  int64_t next_ = 0;
  int64_t end_ = 0;
};

}  // namespace sluice::sql
