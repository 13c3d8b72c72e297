#include "objects/internal/s3_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "base/hex.h"
#include "objects/internal/s3_digest.h"
#include "objects/internal/utc_time.h"
#include "objects/internal/xml.h"

namespace sluice::objects::internal {
namespace {

constexpr int64_t kBufferedPartBytesMax = 16 << 20;
constexpr int64_t kReadBytes = 256 << 10;

int64_t NumberOr(std::string_view text, int64_t fallback) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size() ? value : fallback;
}

/// Appends to `bytes` until it has `size_bytes` of them or the source ends.
Status Fill(http::BodySource& source, int64_t size_bytes, std::string& bytes) {
  while (std::ssize(bytes) < size_bytes) {
    const size_t have = bytes.size();
    const auto want = static_cast<size_t>(std::min(size_bytes - std::ssize(bytes), kReadBytes));
    bytes.resize(have + want);
    const Result<size_t> count = source.Read(std::span(bytes).subspan(have));
    bytes.resize(have + (count.ok() ? *count : 0));
    if (!count.ok()) return count.error();
    if (*count == 0) break;
  }
  return Ok();
}

Error LengthError(const std::string& shown, int64_t announced_bytes) {
  return DataLoss(fmt::format("the body of '{}' does not have the {} bytes that were announced",
                              shown, announced_bytes));
}

std::string EtagOf(const http::FetchResponse& response) {
  const std::string* const etag = response.headers.Find("ETag");
  return etag == nullptr ? std::string() : *etag;
}

/// Refuses what goes on behind what was announced.
class ExactSource final : public http::BodySource {
 public:
  ExactSource(http::BodySource& source, int64_t size_bytes, const std::string& shown)
      : source_(source), left_bytes_(size_bytes), size_bytes_(size_bytes), shown_(shown) {}
  Result<size_t> Read(std::span<char> into) override {
    ASSIGN_OR_RETURN(const size_t count, source_.Read(into));
    left_bytes_ -= static_cast<int64_t>(count);
    if (left_bytes_ < 0 || (count == 0 && left_bytes_ != 0)) {
      return LengthError(shown_, size_bytes_);
    }
    return count;
  }

 private:
  http::BodySource& source_;
  int64_t left_bytes_;
  const int64_t size_bytes_;
  const std::string& shown_;
};

Result<RemoteStat> PutWhole(S3Client& client, const std::string& key, const std::string& bytes,
                            const std::string& content_type, int64_t now_ms) {
  ASSIGN_OR_RETURN(const http::FetchResponse response,
                   client.Send({.method = "PUT",
                                .key = key,
                                .headers = UploadHeaders(client, content_type),
                                .body = bytes}));
  return RemoteStat{.size_bytes = std::ssize(bytes), .mtime_ms = now_ms, .etag = EtagOf(response)};
}

Result<std::string> SendPart(S3Client& client, const std::string& key, const std::string& upload_id,
                             int part_number, const std::string& bytes) {
  ASSIGN_OR_RETURN(
      const http::FetchResponse response,
      client.Send({.method = "PUT",
                   .key = key,
                   .query = {{"partNumber", std::to_string(part_number)}, {"uploadId", upload_id}},
                   .body = bytes}));
  return EtagOf(response);
}

/// Parts 1, 2, ... of which the first is read already, and of the second its beginning.
Result<int64_t> SendParts(S3Client& client, const std::string& key, const std::string& shown,
                          const std::string& upload_id, http::BodySource& source,
                          int64_t size_bytes, std::string bytes, std::string next) {
  std::vector<RemotePart> parts;
  int64_t sent_bytes = 0;
  while (!bytes.empty()) {
    const int number = static_cast<int>(parts.size()) + 1;
    if (number > kPartNumberMax) {
      return ResourceExhausted(fmt::format("'{}' is larger than an object of S3 can be", shown));
    }
    sent_bytes += std::ssize(bytes);
    if (size_bytes >= 0 && sent_bytes > size_bytes) return LengthError(shown, size_bytes);
    ASSIGN_OR_RETURN(std::string etag, SendPart(client, key, upload_id, number, bytes));
    parts.push_back({.part_number = number, .etag = std::move(etag)});
    bytes = std::exchange(next, {});
    RETURN_IF_ERROR(
        Fill(source, S3PartBytes(client.options().part_bytes, size_bytes, number + 1), bytes));
  }
  if (size_bytes >= 0 && sent_bytes != size_bytes) return LengthError(shown, size_bytes);
  RETURN_IF_ERROR(CompleteS3Upload(client, key, upload_id, parts));
  return sent_bytes;
}

}  // namespace

std::vector<NameValue> UploadHeaders(const S3Client& client, const std::string& content_type) {
  std::vector<NameValue> headers = client.options().upload_headers;
  const bool has_type = std::ranges::any_of(
      headers, [](const NameValue& field) { return field.first == "Content-Type"; });
  if (!has_type && !content_type.empty()) headers.emplace_back("Content-Type", content_type);
  return headers;
}

int64_t S3PartBytes(int64_t part_bytes, int64_t size_bytes, int part_number) {
  constexpr int64_t kRoundBytes = 1 << 20;
  constexpr int kPartsOfOneSize = 500;
  if (size_bytes < 0) return part_bytes << std::min((part_number - 1) / kPartsOfOneSize, 8);
  const int64_t needed_bytes = (size_bytes + kPartNumberMax - 1) / kPartNumberMax;
  const int64_t rounded_bytes = (needed_bytes + kRoundBytes - 1) / kRoundBytes * kRoundBytes;
  return std::max(part_bytes, rounded_bytes);
}

Result<RemoteStat> UploadToS3(S3Client& client, const std::string& key, const std::string& shown,
                              http::BodySource& source, const PutOptions& options, int64_t now_ms) {
  const int64_t part_bytes = S3PartBytes(client.options().part_bytes, options.size_bytes, 1);
  std::string bytes;
  if (options.size_bytes > 0) {
    bytes.reserve(static_cast<size_t>(std::min(options.size_bytes, part_bytes)));
  }
  // One byte more than fits tells whether this is all.
  RETURN_IF_ERROR(Fill(source, part_bytes, bytes));
  std::string next;
  if (std::ssize(bytes) == part_bytes) RETURN_IF_ERROR(Fill(source, 1, next));
  if (next.empty()) {
    if (options.size_bytes >= 0 && options.size_bytes != std::ssize(bytes)) {
      return LengthError(shown, options.size_bytes);
    }
    return PutWhole(client, key, bytes, options.content_type, now_ms);
  }
  ASSIGN_OR_RETURN(const std::string upload_id, CreateS3Upload(client, key, options.content_type));
  const Result<int64_t> sent = SendParts(client, key, shown, upload_id, source, options.size_bytes,
                                         std::move(bytes), std::move(next));
  if (!sent.ok()) {
    (void)AbortS3Upload(client, key, upload_id).ok();  // else RemoveStaleUploads frees it
    return sent.error();
  }
  ASSIGN_OR_RETURN(const http::FetchResponse head, client.Send({.method = "HEAD", .key = key}));
  return RemoteStat{.size_bytes = *sent, .mtime_ms = now_ms, .etag = EtagOf(head)};
}

Result<std::string> CreateS3Upload(S3Client& client, const std::string& key,
                                   const std::string& content_type) {
  ASSIGN_OR_RETURN(const http::FetchResponse response,
                   client.Send({.method = "POST",
                                .key = key,
                                .query = {{"uploads", ""}},
                                .headers = UploadHeaders(client, content_type)}));
  ASSIGN_OR_RETURN(const XmlElement root, ParseXml(response.body));
  std::string upload_id(root.TextOf("UploadId"));
  if (upload_id.empty()) {
    return DataLoss(
        fmt::format("S3 bucket '{}', key '{}': the answer has no UploadId", client.bucket(), key));
  }
  return upload_id;
}

Result<std::string> PutS3Part(S3Client& client, const std::string& key, const std::string& shown,
                              const std::string& upload_id, int part_number,
                              http::BodySource& source, int64_t size_bytes) {
  if (size_bytes < 0 || size_bytes <= kBufferedPartBytesMax) {
    std::string bytes;
    const int64_t limit_bytes = size_bytes < 0 ? kBufferedPartBytesMax : size_bytes;
    RETURN_IF_ERROR(Fill(source, limit_bytes + 1, bytes));
    if (std::ssize(bytes) > limit_bytes && size_bytes < 0) {
      return InvalidArgument(fmt::format(
          "a part of unknown size may have {} bytes: send Content-Length", kBufferedPartBytesMax));
    }
    if (size_bytes >= 0 && std::ssize(bytes) != size_bytes) return LengthError(shown, size_bytes);
    return SendPart(client, key, upload_id, part_number, bytes);
  }
  ExactSource exact(source, size_bytes, shown);
  ASSIGN_OR_RETURN(
      const http::FetchResponse response,
      client.Send({.method = "PUT",
                   .key = key,
                   .query = {{"partNumber", std::to_string(part_number)}, {"uploadId", upload_id}},
                   .stream = &exact,
                   .stream_bytes = size_bytes}));
  return EtagOf(response);
}

Status CompleteS3Upload(S3Client& client, const std::string& key, const std::string& upload_id,
                        const std::vector<RemotePart>& parts) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const RemotePart& part : parts) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", part.part_number,
                        EscapeXml(part.etag));
  }
  body += "</CompleteMultipartUpload>";
  RETURN_IF_ERROR(client.Send({.method = "POST",
                               .key = key,
                               .query = {{"uploadId", upload_id}},
                               .headers = {{"Content-Type", "application/xml"}},
                               .body = body}));
  return Ok();
}

Status AbortS3Upload(S3Client& client, const std::string& key, const std::string& upload_id) {
  const Result<http::FetchResponse> aborted =
      client.Send({.method = "DELETE", .key = key, .query = {{"uploadId", upload_id}}});
  if (!aborted.ok() && aborted.error().code() != ErrorCode::kNotFound) return aborted.error();
  return Ok();
}

Result<S3Parts> ListS3Parts(S3Client& client, const std::string& key,
                            const std::string& upload_id) {
  S3Parts listed;
  std::string marker;
  while (true) {
    S3Request request = {.key = key, .query = {{"uploadId", upload_id}}};
    if (!marker.empty()) request.query.emplace_back("part-number-marker", marker);
    ASSIGN_OR_RETURN(const http::FetchResponse response, client.Send(request));
    ASSIGN_OR_RETURN(const XmlElement page, ParseXml(response.body));
    for (const XmlElement& part : page.children) {
      if (part.name != "Part") continue;
      listed.parts.push_back(
          {.part_number = static_cast<int>(NumberOr(part.TextOf("PartNumber"), 0)),
           .etag = std::string(part.TextOf("ETag")),
           .size_bytes = NumberOr(part.TextOf("Size"), 0)});
      listed.last_modified_ms =
          std::max(listed.last_modified_ms, ParseIsoUtc(part.TextOf("LastModified")).value_or(0));
    }
    const std::string next(page.TextOf("NextPartNumberMarker"));
    if (page.TextOf("IsTruncated") != "true" || next == marker) break;
    marker = next;
  }
  std::ranges::sort(listed.parts, {}, &RemotePart::part_number);
  return listed;
}

std::string EtagOfParts(const std::vector<RemotePart>& parts) {
  constexpr size_t kMd5Digits = 32;
  std::string digests;
  for (const RemotePart& part : parts) {
    std::string digits = part.etag;
    std::erase(digits, '"');
    const std::optional<std::string> digest = DecodeHex(digits);
    if (digits.size() != kMd5Digits || !digest) return {};
    digests += *digest;
  }
  return fmt::format("\"{}-{}\"", EncodeHex(Md5(digests)), parts.size());
}

}  // namespace sluice::objects::internal
