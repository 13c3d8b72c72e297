#include "http/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>

#include "base/check.h"

namespace sluice::http {
namespace {

/// From what answering in place takes to what a large upload takes.
constexpr std::array<double, 16> kBucketSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                   0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                   1.0,    2.5,     10.0,   60.0};
constexpr std::array<std::string_view, 5> kClasses = {"1xx", "2xx", "3xx", "4xx", "5xx"};

bool IsMetricName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (char c : name) {
    const bool is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == ':';
    if (!is_good) return false;
  }
  return true;
}

std::string PrintNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void Escape(std::string_view text, bool is_label, std::string& out) {
  for (char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && is_label) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

/// A counter with one writing thread: no read-modify-write, so no locked instruction.
class Counter {
 public:
  void Add(int64_t more) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

struct RouteCounters {
  std::array<Counter, kClasses.size()> by_class;
  std::array<Counter, kBucketSeconds.size() + 1> buckets;
  Counter duration_ns;
  Counter request_bytes;
  Counter response_bytes;
};

/// The same, added up over all loops.
struct RouteTotals {
  std::array<int64_t, kClasses.size()> by_class{};
  std::array<int64_t, kBucketSeconds.size() + 1> buckets{};
  double duration_s = 0;
  int64_t request_bytes = 0;
  int64_t response_bytes = 0;

  void Add(const RouteCounters& counters) {
    for (size_t i = 0; i < by_class.size(); ++i) by_class[i] += counters.by_class[i].value();
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += counters.buckets[i].value();
    duration_s += static_cast<double>(counters.duration_ns.value()) / 1e9;
    request_bytes += counters.request_bytes.value();
    response_bytes += counters.response_bytes.value();
  }
  /// A hundred rows that nobody asked for would only make the page long.
  bool is_used() const {
    return std::any_of(by_class.begin(), by_class.end(), [](int64_t count) { return count > 0; });
  }
};

}  // namespace

// Exposition.

void Exposition::Family(std::string_view name, std::string_view type, std::string_view help) {
  CHECK_MSG(IsMetricName(name), name);
  CHECK_MSG(type == "counter" || type == "gauge" || type == "histogram", type);
  CHECK_MSG(type != "counter" || name.ends_with("_total"), name);
  family_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {} ", name);
  Escape(help, false, text_);
  fmt::format_to(std::back_inserter(text_), "\n# TYPE {} {}\n", name, type);
}

void Exposition::WriteName(std::string_view suffix, const Labels& labels) {
  text_ += family_;
  text_ += suffix;
  char separator = '{';
  for (const auto& [name, value] : labels) {
    CHECK_MSG(IsMetricName(name) && name.find(':') == std::string_view::npos, name);
    text_ += separator;
    text_ += name;
    text_ += "=\"";
    Escape(value, true, text_);
    text_ += '"';
    separator = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += ' ';
}

void Exposition::Sample(std::string_view suffix, const Labels& labels, int64_t value) {
  WriteName(suffix, labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::Sample(const Labels& labels, double value) {
  WriteName("", labels);
  text_ += PrintNumber(value) + "\n";
}

void Exposition::Histogram(const Labels& labels, std::span<const double> upper_bounds,
                           std::span<const int64_t> counts, double sum) {
  CHECK(counts.size() == upper_bounds.size() + 1);
  Labels with_bound = labels;
  with_bound.emplace_back("le", "");
  int64_t count = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    count += counts[i];
    const std::string bound = i < upper_bounds.size() ? PrintNumber(upper_bounds[i]) : "+Inf";
    with_bound.back().second = bound;
    Sample("_bucket", with_bound, count);
  }
  WriteName("_sum", labels);
  text_ += PrintNumber(sum) + "\n";
  Sample("_count", labels, count);
}

// Metrics.

struct Metrics::Impl {
  mutable std::mutex mutex;        ///< of all but what the counters themselves hold
  std::vector<std::string> names;  ///< of `shards`' columns; the last is "", for no route
  std::vector<size_t> column_by_row;
  std::vector<std::vector<RouteCounters>> shards;  ///< by loop
  std::function<Server::Stats()> stats;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::Attach(const std::vector<std::string>& route_names, size_t loop_count,
                     std::function<Server::Stats()> stats) {
  const std::lock_guard lock(impl_->mutex);
  std::map<std::string, size_t> columns;
  impl_->names.clear();
  impl_->column_by_row.clear();
  for (const std::string& name : route_names) {
    const auto [found, is_new] = columns.emplace(name, impl_->names.size());
    if (is_new) impl_->names.push_back(name);
    impl_->column_by_row.push_back(found->second);
  }
  if (!columns.contains("")) {
    columns[""] = impl_->names.size();
    impl_->names.emplace_back();
  }
  impl_->column_by_row.push_back(columns[""]);
  impl_->shards.clear();
  for (size_t i = 0; i < loop_count; ++i) impl_->shards.emplace_back(impl_->names.size());
  impl_->stats = std::move(stats);
}

void Metrics::Detach() {
  const std::lock_guard lock(impl_->mutex);
  impl_->stats = nullptr;
}

void Metrics::Count(size_t loop, int64_t row, const ServerOptions::Access& access) {
  const std::vector<size_t>& columns = impl_->column_by_row;
  const size_t column = row < 0 ? columns.back() : columns[static_cast<size_t>(row)];
  RouteCounters& counters = impl_->shards[loop][column];
  const size_t class_index = static_cast<size_t>(std::clamp(access.status / 100, 1, 5) - 1);
  counters.by_class[class_index].Add(1);
  const double seconds = static_cast<double>(access.duration_ns) / 1e9;
  size_t bucket = 0;
  while (bucket < kBucketSeconds.size() && seconds > kBucketSeconds[bucket]) ++bucket;
  counters.buckets[bucket].Add(1);
  counters.duration_ns.Add(access.duration_ns);
  counters.request_bytes.Add(access.request_bytes);
  counters.response_bytes.Add(access.body_bytes);
}

void Metrics::Print(Exposition& out) const {
  const std::lock_guard lock(impl_->mutex);
  const std::vector<std::string>& names = impl_->names;
  std::vector<RouteTotals> totals(names.size());
  for (const auto& shard : impl_->shards) {
    for (size_t i = 0; i < names.size(); ++i) totals[i].Add(shard[i]);
  }
  out.Family("sluice_http_requests_total", "counter", "Answered requests by route and status.");
  for (size_t i = 0; i < names.size(); ++i) {
    for (size_t c = 0; c < kClasses.size(); ++c) {
      if (totals[i].by_class[c] == 0) continue;
      out.Sample({{"route", names[i]}, {"code", kClasses[c]}}, totals[i].by_class[c]);
    }
  }
  out.Family("sluice_http_request_duration_seconds", "histogram",
             "From the complete request to the last byte of the reply.");
  for (size_t i = 0; i < names.size(); ++i) {
    if (!totals[i].is_used()) continue;
    out.Histogram({{"route", names[i]}}, kBucketSeconds, totals[i].buckets, totals[i].duration_s);
  }
  out.Family("sluice_http_request_bytes_total", "counter", "Bytes of request bodies.");
  for (size_t i = 0; i < names.size(); ++i) {
    if (!totals[i].is_used()) continue;
    out.Sample({{"route", names[i]}}, totals[i].request_bytes);
  }
  out.Family("sluice_http_response_bytes_total", "counter", "Bytes of reply bodies.");
  for (size_t i = 0; i < names.size(); ++i) {
    if (!totals[i].is_used()) continue;
    out.Sample({{"route", names[i]}}, totals[i].response_bytes);
  }
  if (!impl_->stats) return;
  const Server::Stats stats = impl_->stats();
  const auto gauge = [&](std::string_view name, std::string_view help, int64_t value) {
    out.Family(name, name.ends_with("_total") ? "counter" : "gauge", help);
    out.Sample({}, value);
  };
  gauge("sluice_http_connections", "Open connections.", stats.connection_count);
  gauge("sluice_http_handler_queue", "Requests that wait for a thread.", stats.handler_queue_count);
  gauge("sluice_http_transfers", "Streamed bodies under way or waiting.", stats.transfer_count);
  gauge("sluice_http_buffered_body_bytes", "Request bodies in memory.", stats.buffered_body_bytes);
  gauge("sluice_http_refused_total", "Requests and connections refused for want of room.",
        stats.refused_count);
}

}  // namespace sluice::http
