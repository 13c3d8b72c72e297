#include "http/target.h"

#include "base/utf8.h"
#include "http/internal/text.h"

namespace sluice::http {
namespace {

Status CheckPath(std::string_view path) {
  for (char c : path) {
    if (internal::IsControl(c) || c == '\t')
      return InvalidArgument("the path holds a control byte");
    if (c == '\\') return InvalidArgument("the path holds a backslash");
  }
  if (!IsUtf8(path)) return InvalidArgument("the path is not UTF-8");
  size_t begin = 1;
  while (begin <= path.size()) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    if (segment == "." || segment == "..") {
      return InvalidArgument("the path holds a '" + std::string(segment) + "' segment");
    }
    begin = end + 1;
  }
  return Ok();
}

/// True for "%2F" in either case.
bool HasEncodedSlash(std::string_view text) {
  for (size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (at + 2 < text.size() && text[at + 1] == '2' && ToLower(text[at + 2]) == 'f') {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<Target> ParseTarget(std::string_view text) {
  if (text == "*") return Target{.path = "*", .query = {}};
  for (std::string_view scheme : {"http://", "https://"}) {
    if (text.size() < scheme.size() || !EqualsIgnoringCase(text.substr(0, scheme.size()), scheme)) {
      continue;
    }
    text.remove_prefix(scheme.size());
    const size_t authority_end = std::min(text.find_first_of("/?"), text.size());
    if (authority_end == 0) return InvalidArgument("the request target has no host");
    text.remove_prefix(authority_end);
    if (text.empty() || text.front() == '?') {  // "http://host?x" has the path "/"
      return Target{.path = "/", .query = std::string(text.empty() ? text : text.substr(1))};
    }
    break;
  }
  if (text.empty() || text.front() != '/') {
    return InvalidArgument("the request target does not begin with '/'");
  }
  if (text.find('#') != std::string_view::npos) {
    return InvalidArgument("the request target holds a fragment");
  }
  const size_t question = text.find('?');
  const std::string_view raw_path = text.substr(0, question);
  Target target;
  if (question != std::string_view::npos) target.query = text.substr(question + 1);
  if (HasEncodedSlash(raw_path)) return InvalidArgument("the path holds an encoded slash");
  ASSIGN_OR_RETURN(target.path, PercentDecode(raw_path));
  RETURN_IF_ERROR(CheckPath(target.path));
  return target;
}

Result<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 1 < text.size() ? HexValue(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return InvalidArgument("'" + std::string(text.substr(i, 3)) + "' is not a percent escape");
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                               (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                               c == '~';
    if (is_unreserved) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> params;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    if (params.size() == kQueryParamCountMax) {
      return ResourceExhausted("the query has more than " + std::to_string(kQueryParamCountMax) +
                               " parameters");
    }
    const size_t equals = std::min(pair.find('='), pair.size());
    ASSIGN_OR_RETURN(std::string name, PercentDecode(pair.substr(0, equals), true));
    ASSIGN_OR_RETURN(std::string value,
                     PercentDecode(pair.substr(std::min(equals + 1, pair.size())), true));
    for (const std::string* part : {&name, &value}) {
      if (!IsUtf8(*part) || part->find('\0') != std::string::npos) {
        return InvalidArgument("a query parameter is not UTF-8 or holds a NUL");
      }
    }
    params.emplace_back(std::move(name), std::move(value));
  }
  return params;
}

}  // namespace sluice::http
