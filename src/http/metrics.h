// What the server counts about itself, and the text that Prometheus reads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server.h"

namespace sluice::http {

/// Builds the text exposition format 0.0.4, one family after the other. One thread at a time.
class Exposition {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  /// Begins a family: its HELP and TYPE lines. `type`: "counter", "gauge" or "histogram"; names of
  /// counters end in "_total". Names and label names must be valid (CHECK); help and label values
  /// may hold anything.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  /// One sample of the family begun last.
  void Sample(const Labels& labels, int64_t value) { Sample("", labels, value); }
  void Sample(const Labels& labels, double value);
  /// One histogram of the family begun last: `counts` per bucket (not cumulative), one more than
  /// `upper_bounds` has.
  void Histogram(const Labels& labels, std::span<const double> upper_bounds,
                 std::span<const int64_t> counts, double sum);

  const std::string& text() const { return text_; }
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  void Sample(std::string_view suffix, const Labels& labels, int64_t value);
  void WriteName(std::string_view suffix, const Labels& labels);

  std::string text_;
  std::string family_;
};

/// Requests by route and status class, their latency histograms and bytes; connections, queues and
/// refusals. Give it to ServerOptions::metrics, and print it from a handler. Thread-safe; counting
/// takes no lock: every loop thread has counters of its own, added up when they are printed. Routes
/// that nobody asked for are left out.
///
///     sluice_http_requests_total{route,code}            code: "2xx", ...; unmatched paths have
///     sluice_http_request_duration_seconds{route}         route ""
///     sluice_http_request_bytes_total{route}, sluice_http_response_bytes_total{route}
///     sluice_http_connections, sluice_http_handler_queue, sluice_http_transfers,
///     sluice_http_buffered_body_bytes, sluice_http_refused_total
class Metrics {
 public:
  Metrics();
  ~Metrics();

  /// Appends all families.
  void Print(Exposition& out) const;

  // For the server.

  /// `route_names` in the order of the table; rows of one name are counted together. Forgets what
  /// was counted before.
  void Attach(const std::vector<std::string>& route_names, size_t loop_count,
              std::function<Server::Stats()> stats);
  /// From here on `stats` is not called; the counts stay.
  void Detach();
  /// `row` of the table, or -1. Only from the thread of loop number `loop`.
  void Count(size_t loop, int64_t row, const ServerOptions::Access& access);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::http
