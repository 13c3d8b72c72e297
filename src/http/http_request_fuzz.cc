// Outsiders' bytes through everything of ours that reads them before a handler does: head, target,
// query, router, media type and chunks, as a connection drives them. Beside not crashing: a body or
// head is the same however the bytes are cut, what was taken has no forbidden byte, and encoding
// what was decoded decodes to the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/internal/chunked.h"
#include "http/internal/head.h"
#include "http/router.h"
#include "http/target.h"

namespace {

using sluice::http::Method;
using sluice::http::Request;
using sluice::http::Response;
using sluice::http::internal::ChunkDecoder;
using sluice::http::internal::Head;

const sluice::http::Router& TestRouter() {
  static const sluice::http::Router router = [] {
    std::vector<sluice::http::Route> rows;
    for (const char* pattern : {"/", "/echo", "/runs/{id}", "/runs/search", "/runs/{id}/{rest...}",
                                "/{a}/{b}", "/files/{path...}"}) {
      sluice::http::Route route;
      route.pattern = pattern;
      route.handler = [](const Request&) { return Response(); };
      rows.push_back(std::move(route));
    }
    return sluice::http::Router(std::move(rows));
  }();
  return router;
}

void TryTarget(std::string_view text) {
  const auto target = sluice::http::ParseTarget(text);
  if (!target.ok()) return;
  const std::string& path = target->path;
  CHECK(path == "*" || path.front() == '/');
  CHECK(path.find('\0') == std::string::npos && path.find('\n') == std::string::npos);
  CHECK((path + "/").find("/../") == std::string::npos);
  const std::string encoded = sluice::http::PercentEncode(path);
  CHECK(sluice::http::PercentDecode(encoded).value() == path);
  const auto match = TestRouter().Find(Method::kGet, path);
  for (const auto& [name, value] : match.path_params) CHECK(!value.empty());
  const auto query = sluice::http::ParseQuery(target->query);
  if (query.ok()) CHECK(query->size() <= sluice::http::kQueryParamCountMax);
}

/// Decodes all of `bytes` in pieces of `step`; the state, the body and how much was used.
std::pair<ChunkDecoder::State, std::string> Decode(std::string_view bytes, size_t step) {
  ChunkDecoder decoder;
  std::string body;
  auto state = ChunkDecoder::State::kMore;
  while (!bytes.empty() && state == ChunkDecoder::State::kMore) {
    std::string_view part = bytes.substr(0, step);
    const size_t size = part.size();
    state = decoder.Feed(part, body, 1 << 16);
    bytes.remove_prefix(size - part.size());
  }
  if (state == ChunkDecoder::State::kDone) body += "|" + std::string(bytes);
  return {state, body};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  TryTarget(bytes);
  (void)sluice::http::ParseMediaType(bytes);

  size_t scan = 0;
  const size_t end = sluice::http::internal::FindHeadEnd(bytes, scan);
  size_t cut_scan = 0;
  size_t cut_end = 0;
  for (size_t cut = 1; cut <= size && cut_end == 0; ++cut) {
    cut_end = sluice::http::internal::FindHeadEnd(bytes.substr(0, cut), cut_scan);
  }
  CHECK(cut_end == end);
  if (end == 0 || end == std::string_view::npos) return 0;
  Head head;
  if (sluice::http::internal::ParseHead(bytes.substr(0, end), head)) return 0;
  CHECK(!head.is_chunked || head.headers.CountOf("Content-Length") == 0);
  CHECK(head.content_length >= 0);
  for (const auto& [name, value] : head.headers.fields()) {
    CHECK(!name.empty() && (name + value).find_first_of("\r\n") == std::string::npos);
  }
  TryTarget(head.target);
  if (const std::string* type = head.headers.Find("Content-Type")) {
    (void)sluice::http::ParseMediaType(*type);
  }
  if (head.is_chunked) {
    const std::string_view body = bytes.substr(end);
    CHECK(Decode(body, size) == Decode(body, 1));
  }
  return 0;
}
