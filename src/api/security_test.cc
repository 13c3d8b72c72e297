#include "api/security.h"

#include <gtest/gtest.h>

namespace sluice::api {
namespace {

using http::Method;
using http::Request;
using http::Response;

Request Make(Method method, std::initializer_list<http::Headers::Field> fields,
             std::string path = "/api/2.0/mlflow/runs/create") {
  Request request;
  request.method = method;
  request.path = std::move(path);
  for (const auto& [name, value] : fields) request.headers.Add(name, value);
  return request;
}

int StatusOf(const std::optional<Response>& response) { return response ? response->status : 0; }

TEST(Security, HostsAreThisMachineAndPrivateAddressesByDefault) {
  const Security security({});
  for (std::string_view host :
       {"localhost", "localhost:5000", "LOCALHOST:1", "127.0.0.1:5000", "127.8.9.1", "0.0.0.0:5000",
        "[::1]:5000", "10.1.2.3", "10.1.2.3:80", "172.16.0.1", "172.31.255.255:5000",
        "192.168.1.1:65535", "[fd12::1]:5000", "[fc00::1]"}) {
    EXPECT_TRUE(security.IsAllowedHost(host)) << host;
  }
  for (std::string_view host : {"",
                                "evil.example.org",
                                "10.evil.example.org",
                                "192.168.evil.example.org:5000",
                                "127.0.0.1.evil.example.org",
                                "localhost.evil.example.org",
                                "evil.org:localhost",
                                "172.32.0.1",
                                "11.0.0.1",
                                "[::2]:5000",
                                "[fe80::1]",
                                "[",
                                "[]",
                                "[::1",
                                "[::1]5000",
                                "localhost:",
                                "localhost:5000:1",
                                "localhost:evil",
                                "10.0.0.1/8",
                                "user@localhost",
                                ":5000",
                                "[fd12::1].evil.org"}) {
    EXPECT_FALSE(security.IsAllowedHost(host)) << host;
  }
}

TEST(Security, AListOfHostsReplacesTheDefault) {
  const Security security({.allowed_hosts = {"mlflow.example.org", "*.team.org", "10.0.0.9:5000"}});
  EXPECT_TRUE(security.IsAllowedHost("mlflow.example.org"));
  EXPECT_TRUE(security.IsAllowedHost("MLflow.Example.Org:5000"));
  EXPECT_TRUE(security.IsAllowedHost("a.b.team.org:443"));
  EXPECT_TRUE(security.IsAllowedHost("10.0.0.9:5000"));
  EXPECT_FALSE(security.IsAllowedHost("10.0.0.9:5001"));
  EXPECT_FALSE(security.IsAllowedHost("10.0.0.9"));
  EXPECT_FALSE(security.IsAllowedHost("team.org"));
  EXPECT_FALSE(security.IsAllowedHost("mlflow.example.org.evil.org"));
  EXPECT_FALSE(security.IsAllowedHost("localhost"));
}

TEST(Security, AnUnknownHostIsRefusedExceptForProbes) {
  const Security security({.static_prefix = "/team"});
  const Request request = Make(Method::kGet, {{"Host", "evil.org"}}, "/api/2.0/mlflow/runs/get");
  const std::optional<Response> refusal = security.Answer(request);
  ASSERT_EQ(StatusOf(refusal), 403);
  EXPECT_EQ(refusal->body, "Invalid Host header - possible DNS rebinding attack detected");
  EXPECT_EQ(StatusOf(security.Answer(Make(Method::kGet, {}))), 403);
  for (const char* path : {"/health", "/version", "/team/health", "/team/version"}) {
    EXPECT_EQ(StatusOf(security.Answer(Make(Method::kGet, {{"Host", "evil.org"}}, path))), 0);
  }
  EXPECT_EQ(StatusOf(Security({.allowed_hosts = {"*"}}).Answer(request)), 0);
  EXPECT_EQ(StatusOf(Security({.is_enabled = false}).Answer(request)), 0);
}

TEST(Security, WritesOfOtherSitesAreRefused) {
  const Security security({.allowed_hosts = {"mlflow.example.org"},
                           .allowed_origins = {"https://app.example.org", "https://*.lab.org"}});
  const auto ask = [&](Method method, std::string origin) {
    return StatusOf(security.Answer(
        Make(method, {{"Host", "mlflow.example.org"}, {"Origin", std::move(origin)}})));
  };
  for (Method method : {Method::kPost, Method::kPut, Method::kPatch, Method::kDelete}) {
    EXPECT_EQ(ask(method, "https://evil.org"), 403);
    EXPECT_EQ(ask(method, "null"), 403);
    EXPECT_EQ(ask(method, ""), 403);
    EXPECT_EQ(ask(method, "https://app.example.org.evil.org"), 403);
    EXPECT_EQ(ask(method, "https://localhost.evil.org"), 403);
    EXPECT_EQ(ask(method, "https://evil.org/.lab.org@x"), 403);
    EXPECT_EQ(ask(method, "https://mlflow.example.org"), 0) << "its own page";
    EXPECT_EQ(ask(method, "https://app.example.org"), 0);
    EXPECT_EQ(ask(method, "https://a.lab.org"), 0);
    EXPECT_EQ(ask(method, "http://localhost:3000"), 0) << "as MLflow";
  }
  EXPECT_EQ(ask(Method::kGet, "https://evil.org"), 0) << "the browser keeps the answer from it";
}

TEST(Security, WithoutAnOriginTheFetchMetadataTell) {
  const Security security({});
  const auto ask = [&](Method method, std::string site) {
    return StatusOf(security.Answer(
        Make(method, {{"Host", "localhost:5000"}, {"Sec-Fetch-Site", std::move(site)}})));
  };
  EXPECT_EQ(ask(Method::kPost, "cross-site"), 403);
  EXPECT_EQ(ask(Method::kPost, "same-site"), 403);
  EXPECT_EQ(ask(Method::kPost, "same-origin"), 0);
  EXPECT_EQ(ask(Method::kPost, "none"), 0);
  EXPECT_EQ(ask(Method::kGet, "cross-site"), 0) << "a link to a page";
  EXPECT_EQ(StatusOf(security.Answer(Make(Method::kPost, {{"Host", "localhost"}}))), 0)
      << "a client that is no browser";
}

TEST(Security, PreflightsOfListedOriginsAreAnswered) {
  const Security security({.allowed_origins = {"https://app.example.org"}});
  Request request = Make(Method::kOptions, {{"Host", "localhost"},
                                            {"Origin", "https://app.example.org"},
                                            {"Access-Control-Request-Method", "PATCH"},
                                            {"Access-Control-Request-Headers", "content-type"}});
  std::optional<Response> preflight = security.Answer(request);
  ASSERT_EQ(StatusOf(preflight), 204);
  security.Decorate(request, *preflight);
  EXPECT_EQ(*preflight->headers.Find("Access-Control-Allow-Origin"), "https://app.example.org");
  EXPECT_EQ(*preflight->headers.Find("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(*preflight->headers.Find("Access-Control-Allow-Headers"), "content-type");
  EXPECT_EQ(*preflight->headers.Find("Vary"), "Origin");
  request.headers.Set("Origin", "https://evil.org");
  EXPECT_EQ(StatusOf(security.Answer(request)), 403);
}

TEST(Security, AnswersCarryTheirHeaders) {
  Response response;
  Security({}).Decorate(Make(Method::kGet, {{"Origin", "https://evil.org"}}), response);
  EXPECT_EQ(*response.headers.Find("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(*response.headers.Find("X-Frame-Options"), "SAMEORIGIN");
  EXPECT_EQ(response.headers.Find("Access-Control-Allow-Origin"), nullptr);

  Response open;
  Security({.allowed_origins = {"*"}, .x_frame_options = "none"})
      .Decorate(Make(Method::kGet, {{"Origin", "https://any.org"}}), open);
  EXPECT_EQ(open.headers.Find("X-Frame-Options"), nullptr);
  EXPECT_EQ(*open.headers.Find("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(open.headers.Find("Access-Control-Allow-Credentials"), nullptr);

  Response bare;
  Security({.is_enabled = false}).Decorate(Make(Method::kGet, {}), bare);
  EXPECT_TRUE(bare.headers.fields().empty());
}

}  // namespace
}  // namespace sluice::api
