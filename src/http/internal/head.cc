#include "http/internal/head.h"

#include <charconv>

#include "http/internal/text.h"

namespace sluice::http::internal {
namespace {

constexpr size_t kUsualFieldCount = 12;

Refusal Bad(std::string message) { return {400, std::move(message)}; }

/// "GET /path HTTP/1.1"
std::optional<Refusal> ParseRequestLine(std::string_view line, Head& head) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Bad("the request line is not 'METHOD target HTTP/1.1'");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(method)) return Bad("the method is not a token");
  if (target.empty() || target.find_first_of(" \t") != std::string_view::npos) {
    return Bad("the request target is empty or holds a blank");
  }
  if (version.size() != 8 || !version.starts_with("HTTP/") || version[6] != '.') {
    return Bad("the request line does not end in an HTTP version");
  }
  if (version[5] != '1' || (version[7] != '0' && version[7] != '1')) {
    return Refusal{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  head.method = method;
  head.target = target;
  head.minor_version = version[7] - '0';
  return std::nullopt;
}

std::optional<Refusal> CheckBytes(std::string_view line) {
  if (HasControl(line)) return Bad("the header holds a control byte");
  return std::nullopt;
}

/// True if one of the comma-separated items is `token`.
bool ListHas(std::string_view list, std::string_view token) {
  while (true) {
    const size_t comma = list.find(',');
    if (EqualsIgnoringCase(TrimBlanks(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

/// How the body is delimited: at most one of one length and one "chunked".
std::optional<Refusal> ReadFraming(Head& head) {
  const size_t length_count = head.headers.CountOf("Content-Length");
  const size_t coding_count = head.headers.CountOf("Transfer-Encoding");
  if (length_count > 0 && coding_count > 0) {
    return Bad("Content-Length and Transfer-Encoding exclude each other");
  }
  if (length_count > 1) return Bad("more than one Content-Length");
  if (coding_count > 1) return Bad("more than one Transfer-Encoding");
  if (coding_count == 1) {
    if (head.minor_version == 0) return Bad("HTTP/1.0 has no Transfer-Encoding");
    if (!EqualsIgnoringCase(*head.headers.Find("Transfer-Encoding"), "chunked")) {
      return Refusal{501, "the only transfer coding taken is 'chunked'"};
    }
    head.is_chunked = true;
  }
  if (length_count == 1) {
    const std::string& text = *head.headers.Find("Content-Length");
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, head.content_length);
    // from_chars takes a minus sign, and the grammar is digits only.
    if (error != std::errc() || stop != end || text.front() == '-') {
      return Bad("Content-Length is not a number of bytes");
    }
  }
  return std::nullopt;
}

}  // namespace

size_t FindHeadEnd(std::string_view bytes, size_t& from) {
  while (true) {
    const size_t line_end = bytes.find('\n', from);
    if (line_end == std::string_view::npos) {
      from = bytes.size();
      return 0;
    }
    if (line_end == 0 || bytes[line_end - 1] != '\r') return std::string_view::npos;
    from = line_end + 1;
    if (line_end >= 3 && bytes[line_end - 2] == '\n') return from;
  }
}

std::optional<Refusal> ParseFields(std::string_view lines, Headers& headers) {
  headers.Reserve(kUsualFieldCount);
  while (!lines.empty()) {
    const size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 2);
    if (headers.fields().size() == kFieldCountMax) return Refusal{431, "too many header fields"};
    if (auto refusal = CheckBytes(line)) return refusal;
    if (line.starts_with(' ') || line.starts_with('\t')) {
      return Bad("folded field lines are not taken");
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Bad("a field line has no colon");
    const std::string_view name = line.substr(0, colon);
    if (!IsToken(name)) return Bad("a field name is not a token");
    headers.Add(std::string(name), std::string(TrimBlanks(line.substr(colon + 1))));
  }
  return std::nullopt;
}

std::optional<Refusal> ParseHead(std::string_view bytes, Head& head) {
  bytes.remove_suffix(2);  // the empty line
  const size_t line_end = bytes.find("\r\n");
  const std::string_view request_line = bytes.substr(0, line_end);
  if (auto refusal = CheckBytes(request_line)) return refusal;
  if (auto refusal = ParseRequestLine(request_line, head)) return refusal;
  if (auto refusal = ParseFields(bytes.substr(line_end + 2), head.headers)) return refusal;

  const size_t host_count = head.headers.CountOf("Host");
  if (host_count > 1 || (host_count == 0 && head.minor_version == 1)) {
    return Bad("HTTP/1.1 needs exactly one Host field");
  }
  if (auto refusal = ReadFraming(head)) return refusal;
  if (const std::string* expect = head.headers.Find("Expect"); expect && head.minor_version == 1) {
    if (!EqualsIgnoringCase(*expect, "100-continue")) {
      return Refusal{417, "the only expectation met is '100-continue'"};
    }
    head.expects_continue = true;
  }
  const std::string* connection = head.headers.Find("Connection");
  head.is_keep_alive = head.minor_version == 1 ? !(connection && ListHas(*connection, "close"))
                                               : connection && ListHas(*connection, "keep-alive");
  return std::nullopt;
}

}  // namespace sluice::http::internal
