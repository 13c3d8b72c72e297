#include "http/metrics.h"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "http/client.h"

namespace sluice::http {
namespace {

TEST(ExpositionTest, EscapesAndCumulates) {
  Exposition out;
  out.Family("a_total", "counter", "Line one\nback\\slash \"quoted\"");
  out.Sample({{"path", "a\"b\\c\nd"}, {"x", ""}}, int64_t{3});
  out.Family("b", "gauge", "B");
  out.Sample({}, 0.5);
  out.Family("c", "histogram", "C");
  const std::vector<double> bounds = {0.1, 1};
  const std::vector<int64_t> counts = {1, 2, 4};
  out.Histogram({{"r", "x"}}, bounds, counts, 9.25);
  EXPECT_EQ(out.text(),
            "# HELP a_total Line one\\nback\\\\slash \"quoted\"\n"
            "# TYPE a_total counter\n"
            "a_total{path=\"a\\\"b\\\\c\\nd\",x=\"\"} 3\n"
            "# HELP b B\n"
            "# TYPE b gauge\n"
            "b 0.5\n"
            "# HELP c C\n"
            "# TYPE c histogram\n"
            "c_bucket{r=\"x\",le=\"0.1\"} 1\n"
            "c_bucket{r=\"x\",le=\"1\"} 3\n"
            "c_bucket{r=\"x\",le=\"+Inf\"} 7\n"
            "c_sum{r=\"x\"} 9.25\n"
            "c_count{r=\"x\"} 7\n");
}

TEST(MetricsTest, CountsByRouteAndStatus) {
  auto metrics = std::make_shared<Metrics>();
  std::vector<Route> rows;
  for (const char* pattern : {"/api/a", "/ajax-api/a", "/b"}) {
    Route route;
    route.method = Method::kPost;
    route.pattern = pattern;
    route.name = std::string_view(pattern).ends_with("a") ? "a" : "b";
    route.handler = [](const Request& request) {
      return Response::Text(request.body == "bad" ? 400 : 200, "1234567");
    };
    rows.push_back(std::move(route));
  }
  ServerOptions options;
  options.loop_thread_count = 2;
  options.metrics = metrics;
  auto server = Server::Start(options, Router(std::move(rows))).value();
  for (int i = 0; i < 3; ++i) {  // both loops get some
    const auto client = Client::Connect("127.0.0.1", server->port()).value();
    EXPECT_EQ(client->Post("/api/a", "a/b", "12345")->status, 200);
    EXPECT_EQ(client->Post("/ajax-api/a", "a/b", "bad")->status, 400);
    EXPECT_EQ(client->Get("/nope")->status, 404);
  }
  server->Stop(1000);
  Exposition out;
  metrics->Print(out);
  std::set<std::string> lines;
  std::istringstream text(out.text());
  for (std::string line; std::getline(text, line);) {
    EXPECT_TRUE(lines.insert(line).second) << "twice: " << line;
  }
  for (const char* line : {
           "sluice_http_requests_total{route=\"a\",code=\"2xx\"} 3",
           "sluice_http_requests_total{route=\"a\",code=\"4xx\"} 3",
           "sluice_http_requests_total{route=\"\",code=\"4xx\"} 3",
           "sluice_http_request_duration_seconds_count{route=\"a\"} 6",
           "sluice_http_request_duration_seconds_bucket{route=\"a\",le=\"+Inf\"} 6",
           "sluice_http_request_bytes_total{route=\"a\"} 24",
           "sluice_http_response_bytes_total{route=\"a\"} 42",
       }) {
    EXPECT_TRUE(lines.contains(line)) << line << " is missing from\n" << out.text();
  }
  EXPECT_EQ(out.text().find("route=\"b\""), std::string::npos) << "never asked for";
}

}  // namespace
}  // namespace sluice::http
