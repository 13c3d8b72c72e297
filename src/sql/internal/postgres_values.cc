#include "sql/internal/postgres_values.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <type_traits>

namespace sluice::sql::internal {
namespace {

// Numbers of built-in types: src/include/catalog/pg_type.dat of PostgreSQL; they never change.
enum : Oid {
  kBool = 16,
  kInternalChar = 18,
  kName = 19,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kJson = 114,
  kFloat4 = 700,
  kFloat8 = 701,
  kUnknown = 705,
  kPaddedChar = 1042,
  kVarchar = 1043,
  kNumeric = 1700,
  kVoid = 2278,
};

bool IsText(Oid type) {
  switch (type) {
    case kInternalChar:
    case kName:
    case kText:
    case kJson:
    case kUnknown:
    case kPaddedChar:
    case kVarchar: return true;
    default: return false;
  }
}

/// Network byte order.
template <typename T>
std::array<char, sizeof(T)> ToBytes(T number) {
  using Unsigned = std::make_unsigned_t<T>;
  auto bits = static_cast<Unsigned>(number);
  std::array<char, sizeof(T)> bytes{};
  for (size_t i = 0; i < sizeof(T); ++i)
    bytes[i] = static_cast<char>(static_cast<uint8_t>(bits >> (8 * (sizeof(T) - 1 - i))));
  return bytes;
}
template <typename T>
T FromBytes(std::string_view bytes) {
  std::make_unsigned_t<T> bits = 0;
  for (size_t i = 0; i < sizeof(T) && i < bytes.size(); ++i)
    bits = static_cast<std::make_unsigned_t<T>>(bits << 8 | static_cast<uint8_t>(bytes[i]));
  return static_cast<T>(bits);
}

template <typename T>
bool Fits(int64_t number) {
  return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max();
}

/// A NUMERIC: count, weight, sign, scale, then digits of base 10,000, of which the first counts
/// 10,000^weight. "NaN" and infinities stay what strtod understands.
struct Numeric {
  std::string text;
  bool is_integer = true;
};
Numeric ParseNumeric(std::string_view bytes) {
  auto at = [&](size_t index) {
    return index * 2 + 2 <= bytes.size() ? FromBytes<int16_t>(bytes.substr(index * 2, 2))
                                         : int16_t{0};
  };
  int count = at(0);
  int weight = at(1);
  auto sign = static_cast<uint16_t>(at(2));
  if (sign == 0xC000) return {"nan", false};
  if (sign == 0xD000) return {"inf", false};
  if (sign == 0xF000) return {"-inf", false};
  Numeric numeric;
  if (sign == 0x4000) numeric.text = "-";
  auto digit = [&](int index) {
    return index >= 0 && index < count ? at(static_cast<size_t>(index) + 4) : int16_t{0};
  };
  numeric.text += "0";
  for (int i = 0; i <= weight; ++i) numeric.text += fmt::format("{:04}", digit(i));
  numeric.text += ".";
  for (int i = weight + 1; i < count; ++i) {
    if (i < 0) {
      numeric.text += "0000";
      continue;
    }
    numeric.text += fmt::format("{:04}", digit(i));
    numeric.is_integer &= digit(i) == 0;
  }
  return numeric;
}

/// The integer that a NUMERIC holds, if it is one of 64 bits.
bool FindInteger(const Numeric& numeric, int64_t& integer) {
  if (!numeric.is_integer) return false;
  errno = 0;
  integer = std::strtoll(numeric.text.c_str(), nullptr, 10);
  return errno == 0;
}

}  // namespace

template <typename T>
void BoundParams::PutNumber(T number) {
  auto bytes = ToBytes(number);
  Binary& kept = numbers_.emplace_back();
  std::copy(bytes.begin(), bytes.end(), kept.begin());
  PutBytes({kept.data(), bytes.size()}, true);
}

void BoundParams::PutBytes(std::string_view bytes, bool is_binary) {
  values_.push_back(bytes.data() == nullptr ? "" : bytes.data());
  lengths_.push_back(static_cast<int>(bytes.size()));
  formats_.push_back(is_binary ? 1 : 0);
}

Status BoundParams::BindOne(const Query& query, size_t number, const Param::Value& value,
                            Oid type) {
  auto refuse = [&](std::string_view what) {
    return InvalidArgument(fmt::format("query {}: parameter ${} {}", query.name, number, what));
  };
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    switch (type) {
      case kInt8: PutNumber(*integer); return Ok();
      case kInt4:
        if (!Fits<int32_t>(*integer)) break;
        PutNumber(static_cast<int32_t>(*integer));
        return Ok();
      case kInt2:
        if (!Fits<int16_t>(*integer)) break;
        PutNumber(static_cast<int16_t>(*integer));
        return Ok();
      case kFloat8: PutNumber(std::bit_cast<int64_t>(static_cast<double>(*integer))); return Ok();
      case kBool: PutBytes(*integer != 0 ? "\1" : std::string_view("\0", 1), true); return Ok();
      default: PutBytes(texts_.emplace_back(std::to_string(*integer)), false); return Ok();
    }
    return refuse(
        fmt::format("is {}, which its place in the statement cannot hold; write "
                    "CAST(${} AS BIGINT)",
                    *integer, number));
  }
  if (const auto* real = std::get_if<double>(&value)) {
    if (std::isnan(*real)) return refuse("is NaN");
    switch (type) {
      case kFloat8: PutNumber(std::bit_cast<int64_t>(*real)); return Ok();
      case kInt8:
      case kInt4:
      case kInt2:
        return refuse(
            fmt::format("is the double {}, where its place asks for an integer; write "
                        "CAST(${} AS DOUBLE PRECISION)",
                        *real, number));
      default: PutBytes(texts_.emplace_back(fmt::format("{}", *real)), false); return Ok();
    }
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (text->find('\0') != std::string_view::npos) return refuse("holds a NUL character");
    if (text->size() > static_cast<size_t>(std::numeric_limits<int>::max()) / 2)
      return refuse("is longer than a gigabyte");
    if (IsText(type)) {
      PutBytes(*text, true);
    } else {
      PutBytes(texts_.emplace_back(*text), false);
    }
    return Ok();
  }
  values_.push_back(nullptr);
  lengths_.push_back(0);
  formats_.push_back(1);
  return Ok();
}

Result<BoundParams> BoundParams::Bind(const Query& query, std::span<const Param> params,
                                      std::span<const Oid> types) {
  if (params.size() < types.size()) {
    return InvalidArgument(fmt::format("query {}: parameter ${} is not given, only {} are",
                                       query.name, types.size(), params.size()));
  }
  BoundParams bound;
  bound.numbers_.reserve(types.size());
  bound.texts_.reserve(types.size());
  bound.values_.reserve(types.size());
  bound.lengths_.reserve(types.size());
  bound.formats_.reserve(types.size());
  for (size_t i = 0; i < types.size(); ++i)
    RETURN_IF_ERROR(bound.BindOne(query, i + 1, params[i].value(), types[i]));
  return bound;
}

bool IsKnownType(Oid type) {
  switch (type) {
    case kBool:
    case kInt2:
    case kInt4:
    case kInt8:
    case kFloat4:
    case kFloat8:
    case kNumeric:
    case kVoid: return true;
    default: return IsText(type);
  }
}

ColumnType TypeOfValue(Oid type, std::string_view bytes) {
  switch (type) {
    case kBool:
    case kInt2:
    case kInt4:
    case kInt8: return ColumnType::kInteger;
    case kFloat4:
    case kFloat8: return ColumnType::kDouble;
    case kNumeric: {
      int64_t integer = 0;
      return FindInteger(ParseNumeric(bytes), integer) ? ColumnType::kInteger : ColumnType::kDouble;
    }
    default: return ColumnType::kText;
  }
}

int64_t Int64OfValue(Oid type, std::string_view bytes) {
  switch (type) {
    case kBool: return bytes == std::string_view("\1") ? 1 : 0;
    case kInt2: return FromBytes<int16_t>(bytes);
    case kInt4: return FromBytes<int32_t>(bytes);
    case kInt8: return FromBytes<int64_t>(bytes);
    case kNumeric: {
      int64_t integer = 0;
      return FindInteger(ParseNumeric(bytes), integer) ? integer : 0;
    }
    default: return 0;
  }
}

double DoubleOfValue(Oid type, std::string_view bytes) {
  switch (type) {
    case kFloat4: return std::bit_cast<float>(FromBytes<int32_t>(bytes));
    case kFloat8: return std::bit_cast<double>(FromBytes<int64_t>(bytes));
    case kNumeric: return std::strtod(ParseNumeric(bytes).text.c_str(), nullptr);
    default: return static_cast<double>(Int64OfValue(type, bytes));
  }
}

ErrorCode CodeOfState(std::string_view sqlstate) {
  struct Row {
    std::string_view beginning;
    ErrorCode code;
  };
  // The first that fits. https://www.postgresql.org/docs/15/errcodes-appendix.html
  static constexpr Row kRows[] = {
      {"23505", ErrorCode::kAlreadyExists},      // unique_violation
      {"23", ErrorCode::kInvalidArgument},       // other constraints
      {"40", ErrorCode::kUnavailable},           // serialisation failure, deadlock
      {"55P03", ErrorCode::kUnavailable},        // lock_not_available
      {"57014", ErrorCode::kResourceExhausted},  // query_canceled: the statement's time
      {"57", ErrorCode::kUnavailable},           // shutting down, starting up
      {"08", ErrorCode::kUnavailable},           // connection
      {"25P03", ErrorCode::kUnavailable},        // idle_in_transaction_session_timeout
      {"25006", ErrorCode::kPermissionDenied},   // read_only_sql_transaction: a standby
      {"53300", ErrorCode::kUnavailable},        // too_many_connections
      {"53", ErrorCode::kResourceExhausted},     // disk full, out of memory
      {"58", ErrorCode::kUnavailable},           // the server's disk
      {"28", ErrorCode::kPermissionDenied},      // password
      {"42501", ErrorCode::kPermissionDenied},   // insufficient_privilege
      {"3D", ErrorCode::kNotFound},              // no such database
      {"3F", ErrorCode::kNotFound},              // no such schema
      {"XX001", ErrorCode::kDataLoss},           // data_corrupted
      {"XX002", ErrorCode::kDataLoss},           // index_corrupted
      {"22", ErrorCode::kInvalidArgument},       // data: out of range, bad bytes
      {"42", ErrorCode::kInvalidArgument},       // wrong SQL
      {"54", ErrorCode::kInvalidArgument},       // limits: too long for an index
      {"0A", ErrorCode::kInvalidArgument},       // feature not supported
  };
  for (const Row& row : kRows)
    if (sqlstate.starts_with(row.beginning)) return row.code;
  return ErrorCode::kInternal;
}

Fault FaultOfState(std::string_view sqlstate) {
  if (sqlstate == "40001" || sqlstate == "40P01") return Fault::kConflict;
  // The server ends the connection; or the statements prepared on it are gone (a pooler between)
  // or stale (another replica has migrated the tables).
  if (sqlstate.starts_with("57P") || sqlstate.starts_with("08") || sqlstate == "25P03" ||
      sqlstate == "26000" || sqlstate == "0A000")
    return Fault::kConnectionLost;
  return Fault::kNone;
}

}  // namespace sluice::sql::internal
