// Outsiders' bytes through everything of ours that reads them before a handler does: head, target,
// query, router, media type and chunks, as a connection drives them. Beside not crashing: a body or
// head is the same however the bytes are cut and whether a body is decoded into memory or read from
// a socket, what was taken has no forbidden byte, and encoding what was decoded decodes to the
// same.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/internal/chunked.h"
#include "http/internal/coding.h"
#include "http/internal/head.h"
#include "http/internal/request_body.h"
#include "http/ranges.h"
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

/// The same bytes as a transfer thread would see them: `buffered` came with the head, nothing
/// follows.
void TryStream(std::string_view bytes, size_t buffered_bytes) {
  using sluice::http::internal::Patience;
  using sluice::http::internal::RequestBody;
  std::array<int, 2> sockets{};
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()) == 0);
  const std::string_view sent = bytes.substr(buffered_bytes, 64 << 10);
  CHECK(write(sockets[1], sent.data(), sent.size()) == static_cast<ssize_t>(sent.size()));
  close(sockets[1]);
  sluice::http::internal::Transport transport(sockets[0]);
  RequestBody body(transport, {.is_chunked = true,
                               .buffered = std::string(bytes.substr(0, buffered_bytes)),
                               .bytes_max = 1 << 16,
                               .patience = Patience(1000, 1 << 20)});
  std::string read;
  std::array<char, 7> buffer{};
  sluice::Result<size_t> count = size_t{1};
  while (count.ok() && *count > 0) {
    count = body.Read(buffer);
    if (count.ok()) read.append(buffer.data(), *count);
  }
  close(sockets[0]);
  const auto [state, whole] = Decode(bytes.substr(0, buffered_bytes + sent.size()), bytes.size());
  CHECK(body.is_complete() == (state == ChunkDecoder::State::kDone));
  CHECK(count.ok() == body.is_complete());
  if (body.is_complete()) CHECK(whole.starts_with(read + "|"));
}

void TryFields(const Head& head) {
  Request request;
  request.headers = head.headers;
  const sluice::http::Representation what = {.size_bytes = 1000, .etag = "\"a\"", .modified_s = 1};
  const auto selection = sluice::http::SelectRange(request, what);
  CHECK(selection.offset >= 0 && selection.size_bytes >= 0);
  CHECK(selection.offset + selection.size_bytes <= what.size_bytes);
  CHECK((selection.status == 206) ==
        (selection.headers.CountOf("Content-Range") == 1 && selection.status != 416));
  for (const auto& [name, value] : head.headers.fields()) {
    (void)sluice::http::internal::ChooseCoding(value);
    const std::string disposition = sluice::http::ContentDisposition(value);
    CHECK(disposition.find_first_of("\r\n") == std::string::npos);
    if (const auto time_s = sluice::http::ParseHttpDate(value)) {
      (void)sluice::http::PrintHttpDate(*time_s);
    }
  }
}

void TryGzip(std::string_view bytes) {
  std::string body(bytes);
  const auto decoded =
      sluice::http::internal::DecodeGzip(body, 1 << 16, [](int64_t) { return sluice::Ok(); });
  if (decoded.ok()) CHECK(body.size() <= size_t{1} << 16);
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
  TryFields(head);
  const std::string_view body = bytes.substr(end);
  TryGzip(body);
  if (head.is_chunked) {
    CHECK(Decode(body, size) == Decode(body, 1));
    TryStream(body, 0);
    TryStream(body, body.size() / 2);
  }
  return 0;
}
