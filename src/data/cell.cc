#include "data/cell.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace sluice::data {

namespace {

constexpr int64_t kMicrosecondsPerSecond = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

/// Eats exactly `digit_count` digits.
bool EatNumber(std::string_view& text, size_t digit_count, int64_t& value) {
  if (text.size() < digit_count) return false;
  value = 0;
  for (size_t i = 0; i < digit_count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digit_count);
  return true;
}

bool Eat(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int64_t> EatDate(std::string_view& text) {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  if (!EatNumber(text, 4, year) || !Eat(text, '-') || !EatNumber(text, 2, month) ||
      !Eat(text, '-') || !EatNumber(text, 2, day)) {
    return std::nullopt;
  }
  std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                   std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

/// hh:mm[:ss[.ffffff]] as microseconds since midnight.
std::optional<int64_t> EatTime(std::string_view& text) {
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t fraction = 0;
  if (!EatNumber(text, 2, hour) || !Eat(text, ':') || !EatNumber(text, 2, minute)) {
    return std::nullopt;
  }
  if (Eat(text, ':')) {
    if (!EatNumber(text, 2, second)) return std::nullopt;
    if (Eat(text, '.')) {
      int64_t unit = kMicrosecondsPerSecond;
      int64_t digit = 0;
      while (unit > 1 && EatNumber(text, 1, digit)) fraction += digit * (unit /= 10);
      if (unit == kMicrosecondsPerSecond) return std::nullopt;
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return ((hour * 60 + minute) * 60 + second) * kMicrosecondsPerSecond + fraction;
}

std::optional<int64_t> ParseDate(std::string_view text) {
  std::optional<int64_t> days = EatDate(text);
  return text.empty() ? days : std::nullopt;
}

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  std::optional<int64_t> days = EatDate(text);
  if (!days) return std::nullopt;
  int64_t microseconds = *days * kSecondsPerDay * kMicrosecondsPerSecond;
  if (text.empty()) return microseconds;
  if (!Eat(text, 'T') && !Eat(text, ' ')) return std::nullopt;
  std::optional<int64_t> time = EatTime(text);
  Eat(text, 'Z');
  if (!time || !text.empty()) return std::nullopt;
  return microseconds + *time;
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text == ".inf" || text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-.inf" || text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text == ".nan" || text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return ParseNumber<double>(text);
}

/// The order of an integer and a double without rounding either.
int CompareMixed(int64_t a, double b) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (b >= kTwo63) return -1;
  if (b < -kTwo63) return 1;
  double whole = std::floor(b);
  int64_t floor = static_cast<int64_t>(whole);
  if (a != floor) return a < floor ? -1 : 1;
  return b > whole ? -1 : 0;
}

template <typename T>
int Compare(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

}  // namespace

std::optional<ColumnType> FindColumnType(std::string_view name) {
  static constexpr std::pair<std::string_view, ColumnType> kMoreNames[] = {
      {"long", ColumnType::kInt64},         {"bool", ColumnType::kBool},
      {"boolean", ColumnType::kBool},       {"int", ColumnType::kInt64},
      {"integer", ColumnType::kInt64},      {"float", ColumnType::kDouble},
      {"str", ColumnType::kString},         {"object", ColumnType::kString},
      {"text", ColumnType::kString},        {"date32", ColumnType::kDate},
      {"datetime", ColumnType::kTimestamp}, {"datetime64", ColumnType::kTimestamp}};
  for (const auto& [known, type] : kMoreNames) {
    if (known == name) return type;
  }
  return table::FindColumnType(name);
}

Result<ColumnType> ColumnTypeOf(const arrow::DataType& type, std::string_view column) {
  std::optional<ColumnType> found = table::CanonicalType(type);
  if (!found) {
    return InvalidArgument(
        fmt::format("column '{}' has the type {}, which is none of bool, int64, double, string, "
                    "date, timestamp; convert it with table::Canonicalise first",
                    column, type.ToString()));
  }
  return *found;
}

Cell CellAt(const arrow::Array& array, ColumnType type, int64_t row) {
  if (array.IsNull(row)) return {};
  switch (type) {
    case ColumnType::kBool: return static_cast<const arrow::BooleanArray&>(array).Value(row);
    case ColumnType::kInt64: return static_cast<const arrow::Int64Array&>(array).Value(row);
    case ColumnType::kDouble: return static_cast<const arrow::DoubleArray&>(array).Value(row);
    case ColumnType::kString: return static_cast<const arrow::StringArray&>(array).GetString(row);
    case ColumnType::kDate:
      return int64_t{static_cast<const arrow::Date32Array&>(array).Value(row)};
    case ColumnType::kTimestamp: return static_cast<const arrow::TimestampArray&>(array).Value(row);
  }
  return {};
}

std::string FormatCell(const Cell& cell, ColumnType type) {
  if (std::holds_alternative<std::monostate>(cell)) return "null";
  if (const bool* flag = std::get_if<bool>(&cell)) return *flag ? "true" : "false";
  if (const double* number = std::get_if<double>(&cell)) return formats::PrintDouble(*number);
  if (const std::string* text = std::get_if<std::string>(&cell)) return *text;
  int64_t number = std::get<int64_t>(cell);
  if (type == ColumnType::kDate) return FormatDate(number);
  if (type == ColumnType::kTimestamp) return FormatTimestamp(number);
  return fmt::format("{}", number);
}

formats::Json CellToJson(const Cell& cell, ColumnType type) {
  if (std::holds_alternative<std::monostate>(cell)) return {};
  if (const bool* flag = std::get_if<bool>(&cell)) return *flag;
  if (const double* number = std::get_if<double>(&cell)) return *number;
  if (!IsTemporal(type) && std::holds_alternative<int64_t>(cell)) return std::get<int64_t>(cell);
  return FormatCell(cell, type);
}

Result<Cell> ParseCell(std::string_view text, ColumnType type) {
  switch (type) {
    case ColumnType::kBool:
      if (text == "true" || text == "True") return Cell(true);
      if (text == "false" || text == "False") return Cell(false);
      break;
    case ColumnType::kInt64:
      if (std::optional<int64_t> value = ParseNumber<int64_t>(text)) return Cell(*value);
      break;
    case ColumnType::kDouble:
      if (std::optional<double> value = ParseDouble(text)) return Cell(*value);
      break;
    case ColumnType::kString: return Cell(std::string(text));
    case ColumnType::kDate:
      if (std::optional<int64_t> value = ParseDate(text)) return Cell(*value);
      break;
    case ColumnType::kTimestamp:
      if (std::optional<int64_t> value = ParseTimestamp(text)) return Cell(*value);
      break;
  }
  std::string_view example = type == ColumnType::kDate        ? ", as 2024-02-29"
                             : type == ColumnType::kTimestamp ? ", as 2024-02-29T08:30:00"
                                                              : "";
  return InvalidArgument(
      fmt::format("'{}' is no {}{}", text.substr(0, 100), ColumnTypeName(type), example));
}

int CompareCells(const Cell& a, const Cell& b) {
  if (a.index() == b.index()) {
    if (const bool* value = std::get_if<bool>(&a)) return Compare(*value, std::get<bool>(b));
    if (const int64_t* value = std::get_if<int64_t>(&a))
      return Compare(*value, std::get<int64_t>(b));
    if (const double* value = std::get_if<double>(&a)) return Compare(*value, std::get<double>(b));
    if (const std::string* value = std::get_if<std::string>(&a)) {
      return Compare(*value, std::get<std::string>(b));
    }
  }
  if (std::holds_alternative<int64_t>(a) && std::holds_alternative<double>(b)) {
    return CompareMixed(std::get<int64_t>(a), std::get<double>(b));
  }
  CHECK(std::holds_alternative<double>(a) && std::holds_alternative<int64_t>(b));
  return -CompareMixed(std::get<int64_t>(b), std::get<double>(a));
}

std::string FormatDate(int64_t days) {
  // std::chrono's years end at ±32767; date32 reaches further, and so does H. Hinnant's
  // civil_from_days.
  int64_t shifted = days + 719'468;
  int64_t era = FloorDivide(shifted, 146'097);
  int64_t day_of_era = shifted - era * 146'097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted_month = (5 * day_of_year + 2) / 153;
  int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  if (year < 0 || year > 9999) {
    return fmt::format("{}{:04}-{:02}-{:02}", year < 0 ? '-' : '+', std::abs(year), month, day);
  }
  return fmt::format("{:04}-{:02}-{:02}", year, month, day);
}

std::string FormatTimestamp(int64_t microseconds) {
  int64_t seconds = FloorDivide(microseconds, kMicrosecondsPerSecond);
  int64_t fraction = microseconds - seconds * kMicrosecondsPerSecond;
  int64_t days = FloorDivide(seconds, kSecondsPerDay);
  int64_t second_of_day = seconds - days * kSecondsPerDay;
  std::string text = fmt::format("{}T{:02}:{:02}:{:02}", FormatDate(days), second_of_day / 3600,
                                 second_of_day / 60 % 60, second_of_day % 60);
  if (fraction != 0) {
    std::string digits = fmt::format("{:06}", fraction);
    text += '.' + digits.substr(0, digits.find_last_not_of('0') + 1);
  }
  return text + 'Z';
}

}  // namespace sluice::data
