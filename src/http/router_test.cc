#include "http/router.h"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

Route Row(Method method, std::string pattern) {
  Route route;
  route.method = method;
  route.pattern = pattern;
  route.name = std::string(MethodName(method)) + " " + pattern;
  route.handler = [](const Request&) { return Response(); };
  return route;
}

std::string Describe(const Router& router, Method method, std::string_view path) {
  const Router::Match match = router.Find(method, path);
  if (!match.route) return match.allow.empty() ? "none" : "allow " + match.allow;
  std::string text = match.route->name;
  for (const auto& [name, value] : match.path_params) text += " " + name + "=" + value;
  return text;
}

TEST(RouterTest, FindsTheMostLiteralRow) {
  std::vector<Route> rows;
  rows.push_back(Row(Method::kGet, "/"));
  rows.push_back(Row(Method::kGet, "/runs/{id}"));
  rows.push_back(Row(Method::kGet, "/runs/search"));
  rows.push_back(Row(Method::kDelete, "/runs/{id}"));
  rows.push_back(Row(Method::kGet, "/runs/{id}/files/{path...}"));
  rows.push_back(Row(Method::kGet, "/runs/{id}/files/list"));
  rows.push_back(Row(Method::kPost, "/runs/{id}/tags/{key}"));
  rows.push_back(Row(Method::kGet, "/ui/{rest...}"));
  const Router router(std::move(rows));
  struct Case {
    Method method;
    std::string path, expected;
  };
  const std::vector<Case> cases = {
      {Method::kGet, "/", "GET /"},
      {Method::kGet, "/runs/search", "GET /runs/search"},
      {Method::kGet, "/runs/7", "GET /runs/{id} id=7"},
      {Method::kDelete, "/runs/7", "DELETE /runs/{id} id=7"},
      // A literal row of another method does not hide {id}.
      {Method::kDelete, "/runs/search", "DELETE /runs/{id} id=search"},
      {Method::kHead, "/runs/7", "GET /runs/{id} id=7"},
      {Method::kGet, "/runs/7/files/a/b.txt", "GET /runs/{id}/files/{path...} id=7 path=a/b.txt"},
      {Method::kGet, "/runs/7/files/list", "GET /runs/{id}/files/list id=7"},
      {Method::kGet, "/runs/7/files/list/x", "GET /runs/{id}/files/{path...} id=7 path=list/x"},
      {Method::kPost, "/runs/7/tags/k", "POST /runs/{id}/tags/{key} id=7 key=k"},
      {Method::kGet, "/runs/7/tags/k", "allow OPTIONS, POST"},
      {Method::kPost, "/runs/7", "allow DELETE, GET, HEAD, OPTIONS"},
      {Method::kGet, "/runs/", "none"},
      {Method::kGet, "/runs", "none"},
      {Method::kGet, "/runs/7/", "none"},
      {Method::kGet, "/runs//files/x", "none"},
      {Method::kGet, "/ui/", "none"},
      {Method::kGet, "/ui/a/", "GET /ui/{rest...} rest=a/"},
      {Method::kGet, "/ui//a", "GET /ui/{rest...} rest=/a"},
      {Method::kGet, "*", "none"},
      {Method::kGet, "", "none"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Describe(router, one.method, one.path), one.expected) << one.path;
  }
}

TEST(RouterTest, LongPathsAreCheap) {
  std::vector<Route> rows;
  rows.push_back(Row(Method::kGet, "/{a}/{b}/{c}/{d}/{e}"));
  rows.push_back(Row(Method::kGet, "/x/{b}/x/{d}/x"));
  const Router router(std::move(rows));
  EXPECT_EQ(Describe(router, Method::kGet, std::string(32'000, '/')), "none");
  EXPECT_EQ(Describe(router, Method::kGet, "/x/1/x/1/y"),
            "GET /{a}/{b}/{c}/{d}/{e} a=x b=1 c=x d=1 e=y");
}

TEST(RouterDeathTest, RefusesBadTables) {
  EXPECT_DEATH(Router({Row(Method::kGet, "/a"), Row(Method::kGet, "/a")}), "twice");
  EXPECT_DEATH(Router({Row(Method::kGet, "/{a...}/b")}), "last segment");
  EXPECT_DEATH(Router({Row(Method::kGet, "a")}), "a");
}

}  // namespace
}  // namespace sluice::http
