// date: parts of a date or time (UTC, proleptic Gregorian), as pandas' .dt names them.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <numbers>

#include "features/internal/argument.h"
#include "features/internal/op.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

constexpr int64_t kMicrosPerDay = 86'400'000'000;

/// A moment taken apart once for all parts.
struct Moment {
  int64_t days = 0;  ///< since 1970
  int64_t micros_of_day = 0;
  std::chrono::year_month_day date;
  int weekday = 0;  ///< Monday = 0
};

Moment TakeApart(int64_t micros) {
  Moment moment;
  moment.days = micros / kMicrosPerDay - (micros % kMicrosPerDay < 0 ? 1 : 0);
  moment.micros_of_day = micros - moment.days * kMicrosPerDay;
  std::chrono::sys_days day{std::chrono::days{moment.days}};
  moment.date = std::chrono::year_month_day{day};
  moment.weekday = static_cast<int>(std::chrono::weekday{day}.iso_encoding()) - 1;
  return moment;
}

double DayOfYear(const Moment& moment) {
  std::chrono::sys_days first = moment.date.year() / std::chrono::January / 1;
  return static_cast<double>(moment.days - first.time_since_epoch().count() + 1);
}

struct Part {
  std::string_view name;
  double first = 0;   ///< smallest value
  double period = 0;  ///< 0: not cyclic
  double (*value)(const Moment&);
};

double Month(const Moment& m) { return static_cast<double>(static_cast<unsigned>(m.date.month())); }

constexpr std::array kParts = {
    Part{"year", 0, 0,
         [](const Moment& m) { return static_cast<double>(static_cast<int>(m.date.year())); }},
    Part{"quarter", 1, 4, [](const Moment& m) { return std::floor((Month(m) - 1) / 3) + 1; }},
    Part{"month", 1, 12, [](const Moment& m) { return Month(m); }},
    Part{"day", 1, 31,
         [](const Moment& m) { return static_cast<double>(static_cast<unsigned>(m.date.day())); }},
    Part{"weekday", 0, 7, [](const Moment& m) { return static_cast<double>(m.weekday); }},
    Part{"day_of_year", 1, 366, DayOfYear},
    Part{"hour", 0, 24,
         [](const Moment& m) { return static_cast<double>(m.micros_of_day / 3'600'000'000); }},
    Part{"minute", 0, 60,
         [](const Moment& m) { return static_cast<double>(m.micros_of_day / 60'000'000 % 60); }},
    Part{"is_weekend", 0, 0, [](const Moment& m) { return m.weekday >= 5 ? 1.0 : 0.0; }},
    Part{"epoch_days", 0, 0,
         [](const Moment& m) {
           return static_cast<double>(m.days) +
                  static_cast<double>(m.micros_of_day) / static_cast<double>(kMicrosPerDay);
         }},
};

struct Options {
  std::vector<size_t> parts;  ///< indices into kParts
  bool is_cyclic = false;
};

Result<size_t> FindPart(const Json& json) {
  ASSIGN_OR_RETURN(std::string name,
                   Choice(json, "a date part",
                          {"year", "quarter", "month", "day", "weekday", "day_of_year", "hour",
                           "minute", "is_weekend", "epoch_days"}));
  for (size_t i = 0; i < kParts.size(); ++i) {
    if (kParts[i].name == name) return i;
  }
  return Internal("date part without a row");
}

// date | date: month | date: [month, hour] | {parts: [month, hour], cyclic: true}
Result<Options> ReadOptions(const Json& argument) {
  static const Json kDefault(Json::Array{"year", "month", "day", "weekday"});
  Options options;
  const Json* parts = argument.is_null() ? &kDefault : &argument;
  if (argument.is_object()) {
    RETURN_IF_ERROR(CheckKeys(argument, {"parts", "cyclic"}));
    parts = argument.Find("parts") != nullptr ? argument.Find("parts") : &kDefault;
    if (const Json* cyclic = argument.Find("cyclic")) {
      ASSIGN_OR_RETURN(options.is_cyclic, Boolean(*cyclic, "cyclic"));
    }
  }
  if (parts->is_array()) {
    for (const Json& part : parts->AsArray()) {
      ASSIGN_OR_RETURN(size_t index, FindPart(part));
      for (size_t seen : options.parts) {
        if (seen == index)
          return InvalidArgument(fmt::format("the date part {} is named twice", Shown(part)));
      }
      options.parts.push_back(index);
    }
  } else {
    ASSIGN_OR_RETURN(size_t index, FindPart(*parts));
    options.parts.push_back(index);
  }
  if (options.parts.empty()) return InvalidArgument("date needs at least one part");
  return options;
}

class Date : public Op {
 public:
  explicit Date(Options options) : options_(std::move(options)) {
    for (size_t part : options_.parts) width_ += IsCyclic(kParts[part]) ? 2 : 1;
  }

  Status Apply(Block& block) const override {
    size_t rows = static_cast<size_t>(block.row_count);
    double* out = block.StartScratch(width_);
    for (size_t i = 0; i < rows; ++i) {
      bool is_missing = block.times[i] == kMissingTime;
      Moment moment = is_missing ? Moment{} : TakeApart(block.times[i]);
      size_t column = 0;
      for (size_t index : options_.parts) {
        const Part& part = kParts[index];
        double value = is_missing ? std::numeric_limits<double>::quiet_NaN() : part.value(moment);
        if (IsCyclic(part)) {
          double angle = 2 * std::numbers::pi * (value - part.first) / part.period;
          out[column++ * rows + i] = std::sin(angle);
          out[column++ * rows + i] = std::cos(angle);
        } else {
          out[column++ * rows + i] = value;
        }
      }
    }
    block.AdoptScratch(width_);
    return Ok();
  }
  void Advance(Signature& signature) const override {
    std::vector<std::string> names;
    for (size_t index : options_.parts) {
      std::string name = fmt::format("{}_{}", signature.names[0], kParts[index].name);
      if (IsCyclic(kParts[index])) {
        names.push_back(name + "_sin");
        names.push_back(name + "_cos");
      } else {
        names.push_back(std::move(name));
      }
    }
    signature.names = std::move(names);
    signature.kind = ValueKind::kNumbers;
  }
  Json ToJson() const override {
    Json parts = Json::MakeArray();
    for (size_t index : options_.parts) parts.Append(kParts[index].name);
    return Json::MakeObject({{"parts", std::move(parts)}, {"cyclic", options_.is_cyclic}});
  }

 private:
  bool IsCyclic(const Part& part) const { return options_.is_cyclic && part.period > 0; }

  const Options options_;
  size_t width_ = 0;
};

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadOptions(argument));
  return Ok();
}
OpResult Fit(const Block&, const FitContext& context) {
  ASSIGN_OR_RETURN(Options options, ReadOptions(context.argument));
  return std::make_unique<Date>(std::move(options));
}
OpResult Load(const Json& json, const Signature&) {
  Json argument = Json::MakeObject();
  for (const char* key : {"parts", "cyclic"}) {
    if (const Json* value = json.Find(key)) argument[key] = *value;
  }
  ASSIGN_OR_RETURN(Options options, ReadOptions(argument));
  return std::make_unique<Date>(std::move(options));
}

}  // namespace

OpKind DateKind() {
  return {
      .name = "date",
      .takes_numbers = false,
      .takes_text = false,
      .takes_time = true,
      .help = {"date", "dates", "date | date: [month, hour] | {parts: [month, hour], cyclic: true}",
               "A column NAME_PART for each part: year, quarter, month, day, weekday (Monday = 0), "
               "day_of_year, hour, "
               "minute, is_weekend, epoch_days (UTC); year, month, day and weekday unless said. "
               "cyclic: sine and cosine of "
               "the parts that come round again. Missing stays missing."},
      .check = Check,
      .fit = Fit,
      .load = Load};
}

}  // namespace sluice::features::internal
