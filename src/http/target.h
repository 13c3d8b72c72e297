// The request target: the path and query behind the method. Everything here is pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sluice::http {

struct Target {
  std::string path;   ///< percent-decoded once; see Request::path for what is promised
  std::string query;  ///< as sent
};

/// Takes origin form ("/a%20b?x=1"), absolute form ("http://host/a") and "*" (path "*").
///
/// Errors: kInvalidArgument for anything else; for a malformed percent escape; for a control
/// character, a backslash or bytes that are not UTF-8, encoded or not; for a "." or ".." segment,
/// encoded or not; and for an encoded slash, which would change what the segments are after
/// routing.
Result<Target> ParseTarget(std::string_view text);

/// Decodes %XX; with `plus_is_space` also '+'. Errors: kInvalidArgument for a malformed escape.
Result<std::string> PercentDecode(std::string_view text, bool plus_is_space = false);
/// Encodes all but unreserved characters (RFC 3986, 2.3).
std::string PercentEncode(std::string_view text);

/// "a=1&b=x%20y" as pairs in order; a name without '=' has an empty value. Errors: kInvalidArgument
/// for a malformed escape, a NUL or bytes that are not UTF-8; kResourceExhausted for more than
/// kQueryParamCountMax pairs.
inline constexpr size_t kQueryParamCountMax = 4096;
Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query);

}  // namespace sluice::http
