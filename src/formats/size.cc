#include "formats/size.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/check.h"

namespace sluice::formats {

namespace {

struct Unit {
  std::string_view name;  // lower case
  int64_t bytes;
};
constexpr std::array<Unit, 9> kUnits = {{{"b", 1},
                                         {"kb", 1'000},
                                         {"mb", 1'000'000},
                                         {"gb", 1'000'000'000},
                                         {"tb", 1'000'000'000'000},
                                         {"kib", int64_t{1} << 10},
                                         {"mib", int64_t{1} << 20},
                                         {"gib", int64_t{1} << 30},
                                         {"tib", int64_t{1} << 40}}};

Error NotASize(std::string_view text, std::string_view why) {
  return InvalidArgument(fmt::format("'{}' is no size: {}; write it like 512MiB, 2GB or 4096",
                                     text.substr(0, 40), why));
}

}  // namespace

Result<int64_t> ParseSizeBytes(std::string_view text) {
  size_t digits_end = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string_view digits = text.substr(0, digits_end);
  std::string unit_name(text.substr(digits_end));
  if (unit_name.starts_with(' ')) unit_name.erase(0, 1);
  for (char& c : unit_name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  int64_t unit_bytes = 0;
  for (const Unit& unit : kUnits) {
    if (unit.name == unit_name) unit_bytes = unit.bytes;
  }
  if (unit_name.empty() && digits_end == text.size()) unit_bytes = 1;
  if (digits.empty() || digits == ".") return NotASize(text, "it must begin with a number");
  if (unit_bytes == 0) {
    return NotASize(
        text, fmt::format("'{}' is not one of the units B, kB, MB, GB, TB, KiB, MiB, GiB and TiB",
                          text.substr(digits_end, 10)));
  }
  const char* end = digits.data() + digits.size();
  if (digits.find('.') == digits.npos) {
    int64_t number = 0;
    auto [stop, status] = std::from_chars(digits.data(), end, number);
    if (status != std::errc() || number > INT64_MAX / unit_bytes)
      return NotASize(text, "it is too large");
    return number * unit_bytes;
  }
  double number = 0;
  auto [stop, status] = std::from_chars(digits.data(), end, number);
  if (status != std::errc() || stop != end) return NotASize(text, "its number cannot be read");
  double bytes = std::floor(number * static_cast<double>(unit_bytes));
  if (!(bytes < 9.2e18)) return NotASize(text, "it is too large");
  return static_cast<int64_t>(bytes);
}

std::string PrintSizeBytes(int64_t size_bytes) {
  CHECK(size_bytes >= 0);
  constexpr std::array<std::string_view, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t index = 0;
  while (index + 1 < kNames.size() && size_bytes > 0 && size_bytes % 1024 == 0) {
    size_bytes /= 1024;
    ++index;
  }
  return fmt::format("{}{}", size_bytes, kNames[index]);
}

}  // namespace sluice::formats
