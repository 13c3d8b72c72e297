#include "http/ranges.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

#include "base/utf8.h"
#include "http/internal/text.h"
#include "http/target.h"

namespace sluice::http {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// All digits, or -1.
int64_t ParseDigits(std::string_view text) {
  int64_t value = 0;
  if (text.empty() || text.front() == '-') return -1;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size() ? value : -1;
}

std::string_view WithoutWeakness(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

/// True if the list (If-Match, If-None-Match) holds the tag. Weak tags never match strongly.
bool ListHasTag(std::string_view list, std::string_view etag, bool is_strong) {
  list = internal::TrimBlanks(list);
  if (list == "*") return true;
  if (etag.empty()) return false;
  while (!list.empty()) {
    // Tags may hold commas: walk from quote to quote.
    const bool is_weak = list.starts_with("W/");
    const std::string_view opaque = WithoutWeakness(list);
    const size_t end =
        opaque.empty() || opaque[0] != '"' ? std::string_view::npos : opaque.find('"', 1);
    if (end == std::string_view::npos) return false;
    const std::string_view tag = opaque.substr(0, end + 1);
    if (is_strong ? !is_weak && tag == etag : tag == WithoutWeakness(etag)) return true;
    list = internal::TrimBlanks(opaque.substr(end + 1));
    while (list.starts_with(',')) list = internal::TrimBlanks(list.substr(1));
  }
  return false;
}

struct ByteRange {
  int64_t first = 0;
  int64_t last = 0;
};
enum class RangeKind : uint8_t { kWhole, kPart, kUnsatisfiable };

/// "bytes=0-99", "bytes=100-", "bytes=-5".
RangeKind ParseRange(std::string_view text, int64_t size_bytes, ByteRange& range) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos ||
      !EqualsIgnoringCase(internal::TrimBlanks(text.substr(0, equals)), "bytes")) {
    return RangeKind::kWhole;
  }
  const std::string_view spec = internal::TrimBlanks(text.substr(equals + 1));
  const size_t dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) {
    return RangeKind::kWhole;
  }
  const std::string_view first = spec.substr(0, dash);
  const std::string_view last = spec.substr(dash + 1);
  if (first.empty()) {
    const int64_t suffix_bytes = ParseDigits(last);
    if (suffix_bytes < 0) return RangeKind::kWhole;
    if (suffix_bytes == 0 || size_bytes == 0) return RangeKind::kUnsatisfiable;
    range = {std::max<int64_t>(size_bytes - suffix_bytes, 0), size_bytes - 1};
    return RangeKind::kPart;
  }
  range.first = ParseDigits(first);
  range.last = last.empty() ? size_bytes - 1 : ParseDigits(last);
  if (range.first < 0 || (!last.empty() && range.last < range.first)) return RangeKind::kWhole;
  if (range.first >= size_bytes) return RangeKind::kUnsatisfiable;
  range.last = std::min(range.last, size_bytes - 1);
  return RangeKind::kPart;
}

/// 200, 304 or 412 by the preconditions of RFC 9110, 13.2.2.
int CheckPreconditions(const Headers& headers, const Representation& what) {
  const auto is_modified_since = [&](const std::string& date) -> std::optional<bool> {
    const std::optional<int64_t> since_s = ParseHttpDate(date);
    if (!since_s || !what.modified_s) return std::nullopt;  // to be ignored
    return *what.modified_s > *since_s;
  };
  if (const std::string* list = headers.Find("If-Match")) {
    if (!ListHasTag(*list, what.etag, true)) return 412;
  } else if (const std::string* date = headers.Find("If-Unmodified-Since")) {
    if (is_modified_since(*date).value_or(false)) return 412;
  }
  if (const std::string* list = headers.Find("If-None-Match")) {
    return ListHasTag(*list, what.etag, false) ? 304 : 200;
  }
  if (const std::string* date = headers.Find("If-Modified-Since")) {
    return is_modified_since(*date).value_or(true) ? 200 : 304;
  }
  return 200;
}

/// A range of an older version would be glued to the wrong bytes: If-Range must match strongly.
bool IsRangeCurrent(const Headers& headers, const Representation& what) {
  const std::string* condition = headers.Find("If-Range");
  if (!condition) return true;
  if (condition->starts_with('"')) return !what.etag.empty() && *condition == what.etag;
  const std::optional<int64_t> date_s = ParseHttpDate(*condition);
  return date_s && what.modified_s && *date_s == *what.modified_s;
}

}  // namespace

Selection SelectRange(const Request& request, const Representation& representation) {
  Selection selection{
      .status = 200, .offset = 0, .size_bytes = representation.size_bytes, .headers = {}};
  selection.headers.Add("Accept-Ranges", "bytes");
  if (!representation.etag.empty()) selection.headers.Add("ETag", representation.etag);
  if (representation.modified_s) {
    selection.headers.Add("Last-Modified", PrintHttpDate(*representation.modified_s));
  }
  selection.status = CheckPreconditions(request.headers, representation);
  const std::string* range_field = request.headers.Find("Range");
  if (selection.status == 200 && range_field && request.method == Method::kGet &&
      IsRangeCurrent(request.headers, representation)) {
    ByteRange range;
    const RangeKind kind = ParseRange(*range_field, representation.size_bytes, range);
    if (kind == RangeKind::kPart) {
      selection.status = 206;
      selection.offset = range.first;
      selection.size_bytes = range.last - range.first + 1;
      selection.headers.Add("Content-Range", fmt::format("bytes {}-{}/{}", range.first, range.last,
                                                         representation.size_bytes));
    } else if (kind == RangeKind::kUnsatisfiable) {
      selection.status = 416;
      selection.headers.Add("Content-Range", fmt::format("bytes */{}", representation.size_bytes));
    }
  }
  if (selection.status >= 300) selection.size_bytes = 0;
  return selection;
}

Result<Response> FileResponse(const Request& request, io::Descriptor file,
                              std::string content_type) {
  struct stat info {};
  if (fstat(file.get(), &info) != 0) {
    return Unavailable(std::string("ask about an open file: ") + strerror(errno));
  }
  if (!S_ISREG(info.st_mode)) return FailedPrecondition("not a regular file");
  const int64_t mtime_ns =
      static_cast<int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
  Selection selection = SelectRange(
      request, {.size_bytes = info.st_size,
                .etag = fmt::format("\"{:x}-{:x}-{:x}\"", info.st_ino, info.st_size, mtime_ns),
                .modified_s = info.st_mtim.tv_sec});
  Response response;
  response.status = selection.status;
  response.headers = std::move(selection.headers);
  if (selection.status < 300) {
    response.content_type = std::move(content_type);
    response.file = FileBody{std::move(file), selection.offset, selection.size_bytes};
  }
  return response;
}

std::string ContentDisposition(std::string_view name, std::string_view type) {
  std::string clean;
  for (char c : name) {
    clean += internal::IsControl(c) || c == '\t' || c == '/' || c == '\\' ? '_' : c;
  }
  if (internal::IsToken(clean)) return fmt::format("{}; filename={}", type, clean);
  std::string fallback;
  bool is_ascii = true;
  for (char c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      is_ascii = false;
      // One '_' for each character, not for each byte of it.
      if ((byte & 0xC0) != 0x80) fallback += '_';
    } else {
      if (c == '"') fallback += '\\';
      fallback += c;
    }
  }
  std::string out = fmt::format("{}; filename=\"{}\"", type, fallback);
  // A percent sign in the quoted form is decoded by some browsers.
  if (!is_ascii || clean.find('%') != std::string::npos) {
    out += "; filename*=UTF-8''" + PercentEncode(clean);
  }
  return out;
}

std::string PrintHttpDate(int64_t time_s) {
  const std::time_t time = static_cast<std::time_t>(time_s);
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  const std::string copy(text);
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    std::tm utc{};
    const char* end = strptime(copy.c_str(), format, &utc);
    if (end && *end == '\0') return static_cast<int64_t>(timegm(&utc));
  }
  return std::nullopt;
}

}  // namespace sluice::http
