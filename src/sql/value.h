// What goes into a statement and what comes out of a row: the types both engines share.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace sluice::sql {

/// A statement with a name for errors, logs and slow-query reports: Query{"tracking.get_run",
/// "SELECT ..."}. The texts live as long as the program (constants at the top of a store's source).
/// Parameters are $1, $2, ... and may be used more than once and in any order. The common subset of
/// SQLite and PostgreSQL: ON CONFLICT DO UPDATE, RETURNING; no casts with `::`. `postgres`, when
/// given, replaces `text` on PostgreSQL.
///
/// What means the same on both engines:
/// * Text compares and sorts by its bytes; no COLLATE is needed in a query. (On PostgreSQL every
///   TEXT of a migration is made TEXT COLLATE "C".)
/// * `x LIKE $1` minds the case; write kLikeEscape behind it, for the engines disagree about
///   backslashes: "name LIKE $1" + kLikeEscape. % and _ are the only special characters then.
/// * ILIKE is `fold_case(x) LIKE fold_case($1)` + kLikeEscape. fold_case is a function of ours on
///   both: Unicode's simple lower case, one character for one (sql/fold_case.h), whatever the
///   locale. It may be used in an index.
/// * PostgreSQL infers the type of $1 from its place: a column beside it, else text; write
///   CAST($1 AS BIGINT) where there is none. A double where it infers BIGINT is kInvalidArgument.
/// * SUM and AVG come as the integer they are, else as a double; a comparison as 0 or 1.
/// * Infinities compare as one expects; NaN is never stored.
/// * Text holding a NUL is kInvalidArgument on both.
struct Query {
  std::string_view name;
  std::string_view text;
  std::string_view postgres = {};
};

/// Goes behind every LIKE: makes an escape of a character that nobody writes, so that a backslash
/// is a backslash on both engines.
inline constexpr std::string_view kLikeEscape = " ESCAPE '\x01'";

/// One bound value: null, integer, double or text. Borrows text: it must live until the call
/// returns. NaN cannot be bound (SQLite would store NULL): the statement fails with
/// kInvalidArgument; keep a flag column beside the value. -0.0 may come back as 0.0.
class Param {
 public:
  using Value = std::variant<std::monostate, int64_t, double, std::string_view>;

  Param(std::nullopt_t) {}                // NOLINT: implicit by design, all of these
  Param(double value) : value_(value) {}  // NOLINT
  Param(const char* value) : value_(std::string_view(value)) {}         // NOLINT
  Param(std::string_view value) : value_(value) {}                      // NOLINT
  Param(const std::string& value) : value_(std::string_view(value)) {}  // NOLINT
  template <typename T>
  requires(std::is_integral_v<T> || std::is_enum_v<T>) Param(T value)
      : value_(static_cast<int64_t>(value)) {}  // NOLINT: bool, integers and enums become integers
  template <typename T>
  Param(const std::optional<T>& value) {  // NOLINT
    if (value) value_ = Param(*value).value_;
  }

  const Value& value() const { return value_; }

 private:
  Value value_;
};

/// The parameters of one call, written {a, b, c}, or a vector for a list of unknown length.
/// Borrows.
class Params {
 public:
  Params() = default;
  Params(std::initializer_list<Param> params) : params_(params.begin(), params.size()) {}
  Params(const std::vector<Param>& params) : params_(params) {}  // NOLINT: implicit by design
  std::span<const Param> span() const { return params_; }

 private:
  std::span<const Param> params_;
};

enum class ColumnType : uint8_t { kNull, kInteger, kDouble, kText };

}  // namespace sluice::sql
