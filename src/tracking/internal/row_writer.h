// Many rows into one table: row after row on an engine in the process, arrays of columns on a
// server, where a statement costs more than its rows.
#pragma once

#include <initializer_list>
#include <variant>
#include <vector>

#include "sql/db.h"
#include "tracking/internal/array_text.h"

namespace sluice::tracking::internal {

/// One thread at a time, inside a transaction that outlives it. Nothing is sure to be written
/// before Flush.
class RowWriter {
 public:
  /// `query.text` writes one row, its values are $1, $2, ...; `query.postgres` writes many: the
  /// same parameters are arrays of text form there. The query must outlive this.
  RowWriter(sql::Tx& tx, bool is_server, const sql::Query& query)
      : tx_(tx), is_server_(is_server), query_(query) {}

  Status Add(std::initializer_list<sql::Param> values) {
    if (!is_server_) return tx_.Post(query_, values);
    columns_.resize(values.size());
    size_t column = 0;
    for (const sql::Param& value : values) Append(columns_[column++], value.value());
    if (++row_count_ < kRowsMax && size_bytes_ < kBytesMax) return Ok();
    return Flush();
  }

  Status Flush() {
    if (row_count_ == 0) return Ok();
    std::vector<std::string> texts;
    for (const ArrayText& column : columns_) texts.push_back(column.Text());
    const std::vector<sql::Param> params(texts.begin(), texts.end());
    columns_.clear();
    row_count_ = 0;
    size_bytes_ = 0;
    return tx_.Post(query_, params);
  }

 private:
  static constexpr size_t kRowsMax = 5000;
  static constexpr size_t kBytesMax = size_t{4} << 20;

  void Append(ArrayText& column, const sql::Param::Value& value) {
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      column.Add(*integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      column.Add(*real);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      column.Add(*text);
      size_bytes_ += text->size();
    } else {
      column.AddNull();
    }
  }

  sql::Tx& tx_;
  const bool is_server_;
  const sql::Query& query_;
  std::vector<ArrayText> columns_;
  size_t row_count_ = 0;
  size_t size_bytes_ = 0;
};

}  // namespace sluice::tracking::internal
