#include "base/clock.h"

#include <fmt/format.h>

#include <chrono>

#include "base/check.h"

namespace sluice {

namespace {

class RealClock : public Clock {
 public:
  int64_t NowMs() override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  int64_t MonotonicNs() override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace

Clock& SystemClock() {
  static RealClock clock;
  return clock;
}

std::string FormatUtc(int64_t ms_since_epoch, bool with_milliseconds) {
  using std::chrono::days, std::chrono::milliseconds;
  std::chrono::sys_time<milliseconds> time{milliseconds(ms_since_epoch)};
  std::chrono::sys_days day = std::chrono::floor<days>(time);
  std::chrono::year_month_day date{day};
  std::chrono::hh_mm_ss of_day{time - day};
  int year = static_cast<int>(date.year());
  CHECK(year >= 0 && year <= 9999);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), of_day.hours().count(),
                  of_day.minutes().count(), of_day.seconds().count());
  if (with_milliseconds) text += fmt::format(".{:03}", of_day.subseconds().count());
  return text + "Z";
}

}  // namespace sluice
