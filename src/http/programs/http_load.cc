// Sends requests over keep-alive connections and tells how long each took: the client of
// bench/tracking.py, the same for every server it compares.
//
//   http_load HOST PORT CONNECTIONS SECONDS COUNT [RATE] < requests
//
// Each line of standard input is METHOD, blank, target, blank, body (which may be empty; JSON). The
// connections take the lines in turn, over and over; "{n}" in target or body becomes a number that
// is never given twice, "{c}" that of the connection. Ends after SECONDS, or COUNT requests (0: no
// such limit). With RATE, each connection starts a request every CONNECTIONS / RATE seconds, or at
// once when it is behind. Prints one line of JSON: requests, errors (answers other than 2xx, or
// none), seconds, and the p50, p90, p99 and greatest latency in microseconds.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/client.h"

namespace {

using sluice::http::Client;

struct Template {
  Client::Call call;
  bool has_fields = false;
};

struct Worker {
  std::vector<int64_t> latencies_ns;
  int64_t error_count = 0;
  std::string first_error;
};

void ReplaceAll(std::string& text, std::string_view field, const std::string& value) {
  for (size_t at = text.find(field); at != std::string::npos; at = text.find(field, at)) {
    text.replace(at, field.size(), value);
  }
}

std::vector<Template> ReadTemplates() {
  std::vector<Template> templates;
  std::string line;
  while (std::getline(std::cin, line)) {
    const size_t first = line.find(' ');
    if (first == std::string::npos) continue;
    const size_t second = line.find(' ', first + 1);
    Template made;
    const auto method = sluice::http::FindMethod(std::string_view(line).substr(0, first));
    if (!method) continue;
    made.call.method = *method;
    made.call.target = line.substr(first + 1, second - first - 1);
    if (second != std::string::npos) made.call.body = line.substr(second + 1);
    if (!made.call.body.empty()) made.call.headers.Add("Content-Type", "application/json");
    made.has_fields =
        line.find("{n}") != std::string::npos || line.find("{c}") != std::string::npos;
    templates.push_back(std::move(made));
  }
  return templates;
}

struct Load {
  std::string host;
  uint16_t port = 0;
  int64_t end_ns = 0;
  int64_t count_max = 0;
  int64_t interval_ns = 0;  // between two starts on one connection; 0: at once
  std::vector<Template> templates;
  std::atomic<int64_t> started = 0;
};

void Run(Load& load, int connection_number, Worker& worker) {
  std::unique_ptr<Client> client;
  const std::string own_number = std::to_string(connection_number);
  // Spread over the first interval, so that connections do not march in step.
  int64_t next_ns =
      sluice::SystemClock().MonotonicNs() + load.interval_ns * (connection_number % 64) / 64;
  while (sluice::SystemClock().MonotonicNs() < load.end_ns) {
    if (load.interval_ns > 0) {
      const int64_t wait_ns = next_ns - sluice::SystemClock().MonotonicNs();
      if (wait_ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(wait_ns));
      next_ns += load.interval_ns;
    }
    const int64_t number = load.started.fetch_add(1);
    if (load.count_max > 0 && number >= load.count_max) return;
    Template request = load.templates[static_cast<size_t>(number) % load.templates.size()];
    if (request.has_fields) {
      for (std::string* text : {&request.call.target, &request.call.body}) {
        ReplaceAll(*text, "{n}", std::to_string(number));
        ReplaceAll(*text, "{c}", own_number);
      }
    }
    if (!client) {
      sluice::Result<std::unique_ptr<Client>> connected =
          Client::Connect(load.host, load.port, {.timeout_ms = 120'000});
      if (!connected.ok()) {
        ++worker.error_count;
        worker.first_error = connected.error().ToString();
        return;
      }
      client = *std::move(connected);
    }
    const int64_t begin_ns = sluice::SystemClock().MonotonicNs();
    const sluice::Result<sluice::http::Response> response = client->Send(request.call);
    worker.latencies_ns.push_back(sluice::SystemClock().MonotonicNs() - begin_ns);
    if (response.ok() && response->status / 100 == 2) {
      const std::string* connection = response->headers.Find("Connection");
      if (connection != nullptr && *connection == "close") client.reset();
      continue;
    }
    ++worker.error_count;
    if (worker.first_error.empty()) {
      worker.first_error =
          response.ok() ? fmt::format("{} {}", response->status, response->body.substr(0, 200))
                        : response.error().ToString();
    }
    if (!response.ok()) client.reset();
  }
}

int64_t Quantile(const std::vector<int64_t>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5);
  return sorted[index] / 1000;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    std::fputs("usage: http_load HOST PORT CONNECTIONS SECONDS COUNT [RATE] < requests\n", stderr);
    return 2;
  }
  Load load;
  load.host = argv[1];
  load.port = static_cast<uint16_t>(std::atoi(argv[2]));
  const int connection_count = std::atoi(argv[3]);
  load.count_max = std::atoll(argv[5]);
  if (argc == 7)
    load.interval_ns = static_cast<int64_t>(connection_count * 1e9 / std::atof(argv[6]));
  load.templates = ReadTemplates();
  if (load.templates.empty() || connection_count < 1) {
    std::fputs("http_load: no requests on standard input, or no connections\n", stderr);
    return 2;
  }
  const int64_t begin_ns = sluice::SystemClock().MonotonicNs();
  load.end_ns = begin_ns + static_cast<int64_t>(std::atof(argv[4]) * 1e9);
  std::vector<Worker> workers(static_cast<size_t>(connection_count));
  std::vector<std::thread> threads;
  for (int i = 0; i < connection_count; ++i) {
    threads.emplace_back(Run, std::ref(load), i, std::ref(workers[static_cast<size_t>(i)]));
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = static_cast<double>(sluice::SystemClock().MonotonicNs() - begin_ns) / 1e9;

  std::vector<int64_t> latencies;
  int64_t error_count = 0;
  for (const Worker& worker : workers) {
    latencies.insert(latencies.end(), worker.latencies_ns.begin(), worker.latencies_ns.end());
    error_count += worker.error_count;
    if (!worker.first_error.empty())
      std::fprintf(stderr, "http_load: %s\n", worker.first_error.c_str());
  }
  std::sort(latencies.begin(), latencies.end());
  fmt::print(
      "{{\"requests\":{},\"errors\":{},\"seconds\":{:.6f},\"p50_us\":{},\"p90_us\":{},\"p99_us\":{}"
      ","
      "\"max_us\":{}}}\n",
      latencies.size(), error_count, seconds, Quantile(latencies, 0.5), Quantile(latencies, 0.9),
      Quantile(latencies, 0.99), Quantile(latencies, 1));
  return error_count == 0 ? 0 : 1;
}
