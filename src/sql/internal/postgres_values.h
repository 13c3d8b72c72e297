// How values travel to and from PostgreSQL: in its binary formats, so that numbers are exact and
// text is not copied.
#pragma once

#include <libpq-fe.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/driver.h"
#include "sql/value.h"

namespace sluice::sql::internal {

/// The arguments of PQsendQueryPrepared. Borrows the text of the parameters.
class BoundParams {
 public:
  /// Each value as the type that the server inferred for its place. Errors: kInvalidArgument for a
  /// missing parameter, NaN, text with a NUL, a value that the type cannot hold.
  static Result<BoundParams> Bind(const Query& query, std::span<const Param> params,
                                  std::span<const Oid> types);

  int count() const { return static_cast<int>(values_.size()); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }

 private:
  using Binary = std::array<char, 8>;
  Status BindOne(const Query& query, size_t number, const Param::Value& value, Oid type);
  void PutBytes(std::string_view bytes, bool is_binary);
  template <typename T>
  void PutNumber(T number);

  std::vector<Binary> numbers_;     // never grows past its reserve: values_ point into it
  std::vector<std::string> texts_;  // the same
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

/// A value of a result, in binary format. `type` is one that IsKnownType.
bool IsKnownType(Oid type);
ColumnType TypeOfValue(Oid type, std::string_view bytes);
int64_t Int64OfValue(Oid type, std::string_view bytes);
double DoubleOfValue(Oid type, std::string_view bytes);

/// By SQLSTATE; for a state that is unknown or absent, kInternal.
ErrorCode CodeOfState(std::string_view sqlstate);
/// What it means for the transaction and its connection.
Fault FaultOfState(std::string_view sqlstate);

}  // namespace sluice::sql::internal
