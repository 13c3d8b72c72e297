#include "formats/duration.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "base/check.h"

namespace sluice::formats {

namespace {

struct Unit {
  std::string_view name;
  int64_t ms;
};
constexpr std::array<Unit, 5> kUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr int64_t kMaxDurationMs = int64_t{10'000} * 86'400'000;

Error NotADuration(std::string_view text, std::string_view why) {
  return InvalidArgument(fmt::format(
      "'{}' is no duration: {}; write it like 250ms, 30s, 5m or 1h30m", text.substr(0, 40), why));
}

}  // namespace

Result<int64_t> ParseDurationMs(std::string_view text) {
  if (text.empty()) return NotADuration(text, "it is empty");
  std::string_view rest = text;
  int64_t total_ms = 0;
  size_t next_unit = 0;  // units before this one are larger than, or are, the last one read
  while (!rest.empty()) {
    int64_t number = 0;
    auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (status == std::errc::result_out_of_range) return NotADuration(text, "it is too long");
    if (status != std::errc() || rest[0] == '-') {
      return NotADuration(text, fmt::format("expected a whole number at '{}'", rest.substr(0, 10)));
    }
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    std::string_view unit = rest.substr(0, rest.find_first_of("0123456789"));
    if (unit.empty()) return NotADuration(text, "the unit is missing");
    size_t index = 0;
    while (index < kUnits.size() && kUnits[index].name != unit) ++index;
    if (index == kUnits.size()) {
      return NotADuration(
          text, fmt::format("'{}' is not one of the units d, h, m, s and ms", unit.substr(0, 10)));
    }
    if (index < next_unit)
      return NotADuration(text, "units go from the largest to the smallest, each once");
    next_unit = index + 1;
    if (number > kMaxDurationMs / kUnits[index].ms) return NotADuration(text, "it is too long");
    total_ms += number * kUnits[index].ms;
    if (total_ms > kMaxDurationMs) return NotADuration(text, "it is too long");
    rest.remove_prefix(unit.size());
  }
  return total_ms;
}

std::string PrintDurationMs(int64_t ms) {
  CHECK(ms >= 0);
  if (ms == 0) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    if (ms / unit.ms > 0) text += fmt::format("{}{}", ms / unit.ms, unit.name);
    ms %= unit.ms;
  }
  return text;
}

}  // namespace sluice::formats
