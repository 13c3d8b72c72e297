// What a piece of text means as a value: null spellings, booleans, numbers, dates. And how the
// kinds found in a column decide its type.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "table/internal/date_format.h"
#include "table/internal/parse_number.h"
#include "table/read_options.h"

namespace sluice::table::internal {

/// A set of the kinds of values seen in a column. Sets are united over chunks and files in any
/// order.
using KindSet = uint8_t;
inline constexpr KindSet kNoKind = 0;  ///< nulls only
inline constexpr KindSet kBoolKind = 1;
inline constexpr KindSet kIntegerKind = 2;
inline constexpr KindSet kHugeIntegerKind = 4;  ///< digits beyond int64
inline constexpr KindSet kRealKind = 8;
inline constexpr KindSet kDateKind = 16;
inline constexpr KindSet kTimestampKind = 32;
inline constexpr KindSet kTextKind = 64;

/// The type that holds all of them without loss; string for the empty set. Pure.
ColumnType TypeOfKinds(KindSet kinds);

/// The kinds that a column of `type` is known to have: what its decoder was chosen for.
KindSet KindsOfType(ColumnType type);

/// CsvOptions made ready. Immutable, so thread-safe. All functions take text without quotes and are
/// pure; those that convert take blanks around the value and need kNumberSlackBytes behind the
/// text.
class ValueRules {
 public:
  /// Errors: kInvalidArgument: a date format, decimal point or thousands separator that makes no
  /// sense.
  static Result<ValueRules> Compile(const CsvOptions& options);
  /// For JSON strings: no null spellings, no booleans, no numbers.
  static ValueRules ForJsonStrings();

  bool IsNull(std::string_view text, bool is_quoted) const {
    uint32_t lengths =
        text.empty() ? empty_lengths_ : null_lengths_[static_cast<unsigned char>(text[0])];
    if (((lengths >> (text.size() < 31 ? text.size() : 31)) & 1) == 0) return false;
    return IsListedNull(text, is_quoted);
  }
  /// A null spelling is also a number, date or boolean, so that nulls must be looked for before
  /// values.
  bool has_null_that_is_value() const { return has_null_that_is_value_; }
  /// Numbers are written plainly: '.' and no separators.
  bool has_plain_numbers() const { return decimal_point_ == '.' && thousands_separator_ == '\0'; }
  /// "true" and "false" mean what they say.
  bool has_usual_bools() const { return has_usual_bools_; }
  bool has_date_formats() const { return !date_formats_.empty(); }

  bool ToBool(std::string_view text, NumberForm form, bool& value) const;
  bool ToInt64(std::string_view text, NumberForm form, int64_t& value) const;
  bool ToDouble(std::string_view text, NumberForm form, double& value) const;
  bool ToDate(std::string_view text, int32_t& days) const;
  /// Takes dates too, as midnight.
  bool ToTimestamp(std::string_view text, NumberForm form, int64_t& micros) const;

  /// The kind of one value; kNoKind for a null. What it says and what the functions above take
  /// agree: a kind's values convert to every type that TypeOfKinds gives for a set with that kind.
  KindSet Kind(std::string_view text, bool is_quoted) const;

 private:
  bool IsListedNull(std::string_view text, bool is_quoted) const;
  bool IsValue(std::string_view text) const;
  KindSet ValueKind(std::string_view text) const;
  std::string_view Plain(std::string_view text, std::string& scratch) const;

  std::vector<std::string> unquoted_nulls_;
  std::vector<std::string> any_nulls_;
  std::array<uint32_t, 256>
      null_lengths_{};  // by first byte: bit n for a spelling of n bytes (31: or more)
  uint32_t empty_lengths_ = 0;
  bool has_null_that_is_value_ = false;
  std::vector<std::string> true_spellings_;
  std::vector<std::string> false_spellings_;
  std::vector<std::string> inferred_true_;  // those that are no numbers
  std::vector<std::string> inferred_false_;
  bool has_usual_bools_ = false;
  char decimal_point_ = '.';
  char thousands_separator_ = '\0';
  std::vector<DateFormat> date_formats_;
  bool has_numbers_ = true;
};

/// Nothing but blanks and tabs, or nothing at all.
bool IsBlankText(std::string_view text);

}  // namespace sluice::table::internal
