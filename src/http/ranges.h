// Conditional and partial GET of one representation (RFC 9110, sections 13 and 14). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "io/descriptor.h"

namespace sluice::http {

/// What is there to be fetched.
struct Representation {
  int64_t size_bytes = 0;
  std::string etag;  ///< with its quotes: "\"abc\"", or weak: "W/\"abc\""; empty: none
  std::optional<int64_t> modified_s;  ///< seconds since epoch, UTC
};

/// Which part of it answers a request.
struct Selection {
  int status = 200;  ///< 200, 206, 304, 412 or 416
  int64_t offset = 0;
  int64_t size_bytes = 0;  ///< to be sent (for HEAD: to be announced); 0 for 304, 412 and 416
  Headers headers;         ///< Accept-Ranges, and as they apply ETag, Last-Modified, Content-Range
};

/// Applies If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, If-Range and Range, in
/// that order. A malformed or multiple range selects the whole, as the RFC allows. For GET and
/// HEAD (Range counts for GET alone).
Selection SelectRange(const Request& request, const Representation& representation);

/// The answer to a GET or HEAD of an open file: SelectRange, then sendfile. `etag` and times are
/// taken from the file itself (size, modification time and inode).
/// Errors: kFailedPrecondition if it is not a regular file, kUnavailable if it cannot be asked.
Result<Response> FileResponse(const Request& request, io::Descriptor file,
                              std::string content_type);

/// "attachment; filename=a.txt", and for other than plain names RFC 6266's quoted ASCII fallback
/// followed by filename*=UTF-8''.... `name` is UTF-8; control bytes and slashes become '_'.
std::string ContentDisposition(std::string_view name, std::string_view type = "attachment");

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string PrintHttpDate(int64_t time_s);
/// All three forms of RFC 9110, 5.6.7; nothing if it is none. Seconds since epoch.
std::optional<int64_t> ParseHttpDate(std::string_view text);

}  // namespace sluice::http
