#include "objects/remote_s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/base64.h"
#include "http/ranges.h"
#include "http/target.h"
#include "objects/internal/s3_client.h"
#include "objects/internal/s3_digest.h"
#include "objects/internal/s3_upload.h"
#include "objects/internal/utc_time.h"
#include "objects/internal/xml.h"
#include "objects/remote_path.h"

namespace sluice::objects {
namespace {

using internal::NameValue;
using internal::S3Client;
using internal::S3Request;
using internal::XmlElement;

constexpr size_t kDeleteBatchMax = 1000;
constexpr size_t kListPageCountMax = 10'000;

Error NoSuchArtifact(const std::string& path) {
  return NotFound("No such artifact: '" + path + "'");
}

int64_t NumberOr(std::string_view text, int64_t fallback) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size() ? value : fallback;
}

/// Keys come percent-encoded, since XML cannot hold all of them, and a blank perhaps as '+'.
std::string DecodeKey(std::string_view text) {
  Result<std::string> key = http::PercentDecode(text, true);
  return key.ok() ? std::move(key).value() : std::string(text);
}

RemoteStat StatOf(const http::Headers& headers, int64_t size_bytes) {
  RemoteStat stat;
  stat.size_bytes = size_bytes;
  if (const std::string* modified = headers.Find("Last-Modified")) {
    stat.mtime_ms = http::ParseHttpDate(*modified).value_or(0) * 1000;
  }
  if (const std::string* etag = headers.Find("ETag")) stat.etag = *etag;
  return stat;
}

class S3Reader final : public RemoteReader {
 public:
  S3Reader(std::shared_ptr<S3Client> client, std::string key, RemoteStat stat)
      : client_(std::move(client)), key_(std::move(key)), stat_(std::move(stat)) {}

  const RemoteStat& stat() const override { return stat_; }
  Result<std::unique_ptr<http::BodySource>> Read(int64_t offset, int64_t size_bytes) override {
    CHECK(offset >= 0 && size_bytes >= 0 && offset + size_bytes <= stat_.size_bytes);
    if (size_bytes == 0) return SourceOf({});
    S3Request request = {.key = key_, .headers = {{"If-Match", stat_.etag}}};
    if (size_bytes != stat_.size_bytes) {
      request.headers.emplace_back("Range",
                                   fmt::format("bytes={}-{}", offset, offset + size_bytes - 1));
    }
    ASSIGN_OR_RETURN(http::FetchStream stream, client_->Open(request));
    if (stream.size_bytes && *stream.size_bytes != size_bytes) {
      return DataLoss(fmt::format("S3 bucket '{}', key '{}': {} bytes were asked for, {} come",
                                  client_->bucket(), key_, size_bytes, *stream.size_bytes));
    }
    return std::move(stream.body);
  }

 private:
  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  const RemoteStat stat_;
};

class S3Remote final : public Remote {
 public:
  S3Remote(std::shared_ptr<S3Client> client, std::string prefix, Clock& clock)
      : client_(std::move(client)), prefix_(std::move(prefix)), clock_(clock) {}

  std::string_view kind() const override { return "s3"; }
  bool can_presign() const override { return true; }

  Result<RemoteStat> Put(const std::string& path, http::BodySource& source,
                         const PutOptions& options) override {
    return internal::UploadToS3(*client_, KeyOf(path), path, source, options, clock_.NowMs());
  }

  Result<std::unique_ptr<RemoteReader>> Open(const std::string& path) override {
    ASSIGN_OR_RETURN(std::optional<RemoteStat> stat, Stat(path));
    if (!stat) return NoSuchArtifact(path);
    if (stat->is_directory) {
      return InvalidArgument("Artifact path refers to a directory, not a file: '" + path + "'");
    }
    return std::make_unique<S3Reader>(client_, KeyOf(path), *std::move(stat));
  }

  Result<std::optional<RemoteStat>> Stat(const std::string& path) override {
    if (path.empty()) return std::optional(RemoteStat{.is_directory = true});
    const Result<http::FetchResponse> head = client_->Send({.method = "HEAD", .key = KeyOf(path)});
    if (head.ok()) {
      const std::string* const length = head->headers.Find("Content-Length");
      return std::optional(StatOf(head->headers, length ? NumberOr(*length, 0) : 0));
    }
    if (head.error().code() != ErrorCode::kNotFound) return head.error();
    ASSIGN_OR_RETURN(const XmlElement page, ListPage(FolderKey(path), "/", "", 1));
    if (page.Find("Contents") == nullptr && page.Find("CommonPrefixes") == nullptr) {
      return std::optional<RemoteStat>();
    }
    return std::optional(RemoteStat{.is_directory = true});
  }

  Result<std::vector<RemoteEntry>> List(const std::string& path) override {
    const std::string folder = FolderKey(path);
    std::vector<RemoteEntry> entries;
    RETURN_IF_ERROR(ForEachPage(folder, "/", [&](const XmlElement& page) {
      for (const XmlElement& element : page.children) {
        RemoteEntry entry;
        std::string key;
        if (element.name == "Contents") {
          key = DecodeKey(element.TextOf("Key"));
          entry.size_bytes = NumberOr(element.TextOf("Size"), 0);
          if (key.ends_with('/')) continue;  // the mark of an empty folder
        } else if (element.name == "CommonPrefixes") {
          key = DecodeKey(element.TextOf("Prefix"));
          entry.is_directory = true;
          if (key.ends_with('/')) key.pop_back();
        } else {
          continue;
        }
        if (!key.starts_with(folder) || key.size() == folder.size()) continue;
        entry.name = key.substr(folder.size());
        entries.push_back(std::move(entry));
      }
      return Ok();
    }));
    std::ranges::sort(entries, [](const RemoteEntry& a, const RemoteEntry& b) {
      return a.name != b.name ? a.name < b.name : a.is_directory < b.is_directory;
    });
    return entries;
  }

  Status Delete(const std::string& path) override {
    CHECK(!path.empty());
    const Result<http::FetchResponse> file =
        client_->Send({.method = "DELETE", .key = KeyOf(path)});
    if (!file.ok() && file.error().code() != ErrorCode::kNotFound) return file.error();
    // Each page is deleted before the next is asked for, always from the beginning.
    while (true) {
      ASSIGN_OR_RETURN(const XmlElement page, ListPage(FolderKey(path), "", "", kDeleteBatchMax));
      std::vector<std::string> keys;
      for (const XmlElement& element : page.children) {
        if (element.name == "Contents") keys.push_back(DecodeKey(element.TextOf("Key")));
      }
      if (keys.empty()) return Ok();
      RETURN_IF_ERROR(DeleteBatch(keys));
    }
  }

  Result<std::string> CreateUpload(const std::string& path,
                                   const std::string& content_type) override {
    return internal::CreateS3Upload(*client_, KeyOf(path), content_type);
  }

  Result<std::string> PutPart(const std::string& path, const std::string& upload_id,
                              int part_number, http::BodySource& source,
                              int64_t size_bytes) override {
    if (upload_id.empty()) return NotFound("No upload in parts of '" + path + "' has this id");
    return internal::PutS3Part(*client_, KeyOf(path), path, upload_id, part_number, source,
                               size_bytes);
  }

  Result<RemoteStat> CompleteUpload(const std::string& path, const std::string& upload_id,
                                    const std::vector<RemotePart>& parts) override {
    if (upload_id.empty()) return NotFound("No upload in parts of '" + path + "' has this id");
    const Status completed = internal::CompleteS3Upload(*client_, KeyOf(path), upload_id, parts);
    ASSIGN_OR_RETURN(const std::optional<RemoteStat> stat,
                     completed.ok() || completed.error().code() == ErrorCode::kNotFound
                         ? Stat(path)
                         : Result<std::optional<RemoteStat>>(completed.error()));
    // Asked again, S3 knows the upload no more; but the file tells which parts it was made of.
    if (!completed.ok() && (!stat || stat->etag != internal::EtagOfParts(parts))) {
      return completed.error();
    }
    return stat.value_or(RemoteStat());
  }

  Status AbortUpload(const std::string& path, const std::string& upload_id) override {
    if (upload_id.empty()) return Ok();
    return internal::AbortS3Upload(*client_, KeyOf(path), upload_id);
  }

  Result<std::vector<RemotePart>> ListParts(const std::string& path,
                                            const std::string& upload_id) override {
    if (upload_id.empty()) return NotFound("No upload in parts of '" + path + "' has this id");
    ASSIGN_OR_RETURN(const internal::S3Parts parts,
                     internal::ListS3Parts(*client_, KeyOf(path), upload_id));
    return parts.parts;
  }

  Status RemoveStaleUploads(int64_t age_ms) override {
    const int64_t oldest_ms = clock_.NowMs() - age_ms;
    const std::string folder = FolderKey("");
    std::vector<NameValue> query = {{"uploads", ""}, {"prefix", folder}};
    for (size_t i = 0; i < kListPageCountMax; ++i) {
      ASSIGN_OR_RETURN(const http::FetchResponse response, client_->Send({.query = query}));
      ASSIGN_OR_RETURN(const XmlElement page, internal::ParseXml(response.body));
      for (const XmlElement& upload : page.children) {
        if (upload.name != "Upload") continue;
        RETURN_IF_ERROR(AbortIfStale(std::string(upload.TextOf("Key")),
                                     std::string(upload.TextOf("UploadId")),
                                     internal::ParseIsoUtc(upload.TextOf("Initiated")), oldest_ms));
      }
      if (page.TextOf("IsTruncated") != "true") return Ok();
      query = {{"uploads", ""},
               {"prefix", folder},
               {"key-marker", std::string(page.TextOf("NextKeyMarker"))},
               {"upload-id-marker", std::string(page.TextOf("NextUploadIdMarker"))}};
    }
    return Ok();
  }

  Result<PresignedUrl> Presign(PresignedMethod method, const std::string& path, int64_t expires_s,
                               const std::string& content_type) override {
    CHECK(expires_s >= 1 && expires_s <= kPresignedExpiryMaxS);
    if (method == PresignedMethod::kPut) {
      return client_->Presign({.method = "PUT",
                               .key = KeyOf(path),
                               .headers = internal::UploadHeaders(*client_, content_type)},
                              expires_s);
    }
    return client_->Presign({.key = KeyOf(path),
                             .query = {{"response-content-disposition",
                                        http::ContentDisposition(RemoteBaseName(path))}}},
                            expires_s);
  }

  Result<PresignedUrl> PresignPart(const std::string& path, const std::string& upload_id,
                                   int part_number, int64_t expires_s) override {
    return client_->Presign(
        {.method = "PUT",
         .key = KeyOf(path),
         .query = {{"partNumber", std::to_string(part_number)}, {"uploadId", upload_id}}},
        expires_s);
  }

 private:
  std::string KeyOf(const std::string& path) const { return JoinRemotePath(prefix_, path); }
  /// What all keys of a folder begin with: "prefix/path/", or "" for the bucket.
  std::string FolderKey(const std::string& path) const {
    std::string key = KeyOf(path);
    if (!key.empty()) key += '/';
    return key;
  }

  Result<XmlElement> ListPage(const std::string& prefix, const std::string& delimiter,
                              const std::string& token, size_t key_count_max) {
    S3Request request = {.query = {{"list-type", "2"},
                                   {"encoding-type", "url"},
                                   {"max-keys", std::to_string(key_count_max)},
                                   {"prefix", prefix}}};
    if (!delimiter.empty()) request.query.emplace_back("delimiter", delimiter);
    if (!token.empty()) request.query.emplace_back("continuation-token", token);
    ASSIGN_OR_RETURN(const http::FetchResponse response, client_->Send(request));
    return internal::ParseXml(response.body);
  }

  template <typename Visit>
  Status ForEachPage(const std::string& prefix, const std::string& delimiter, Visit visit) {
    std::string token;
    for (size_t i = 0; i < kListPageCountMax; ++i) {
      ASSIGN_OR_RETURN(const XmlElement page, ListPage(prefix, delimiter, token, 1000));
      RETURN_IF_ERROR(visit(page));
      token = page.TextOf("NextContinuationToken");
      if (page.TextOf("IsTruncated") != "true" || token.empty()) return Ok();
    }
    return ResourceExhausted(fmt::format("S3 bucket '{}', prefix '{}' has too many entries to list",
                                         client_->bucket(), prefix));
  }

  Status DeleteBatch(const std::vector<std::string>& keys) {
    std::string body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (const std::string& key : keys) {
      body += "<Object><Key>" + internal::EscapeXml(key) + "</Key></Object>";
    }
    body += "<Quiet>true</Quiet></Delete>";
    const S3Request request = {.method = "POST",
                               .query = {{"delete", ""}},
                               .headers = {{"Content-MD5", EncodeBase64(internal::Md5(body))},
                                           {"Content-Type", "application/xml"}},
                               .body = body};
    ASSIGN_OR_RETURN(const http::FetchResponse response, client_->Send(request));
    ASSIGN_OR_RETURN(const XmlElement result, internal::ParseXml(response.body));
    if (const XmlElement* const refused = result.Find("Error")) {
      return PermissionDenied(fmt::format(
          "S3 bucket '{}', key '{}': {}: {}. Check that the server's S3 credentials allow deleting",
          client_->bucket(), refused->TextOf("Key"), refused->TextOf("Code"),
          refused->TextOf("Message")));
    }
    return Ok();
  }

  Status AbortIfStale(const std::string& key, const std::string& upload_id,
                      std::optional<int64_t> initiated_ms, int64_t oldest_ms) {
    if (!initiated_ms || *initiated_ms >= oldest_ms) return Ok();
    const Result<internal::S3Parts> parts = internal::ListS3Parts(*client_, key, upload_id);
    if (parts.ok() && parts->last_modified_ms >= oldest_ms) return Ok();
    if (!parts.ok() && parts.error().code() != ErrorCode::kNotFound) return parts.error();
    return internal::AbortS3Upload(*client_, key, upload_id);
  }

  const std::shared_ptr<S3Client> client_;  ///< shared with readers, which may outlive this
  const std::string prefix_;
  Clock& clock_;
};

bool IsBucketName(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 &&
         std::ranges::all_of(name,
                             [](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                      (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
                             }) &&
         name.find("..") == std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<Remote>> OpenS3Remote(std::string_view uri, S3Options options,
                                             std::unique_ptr<S3CredentialSource> credentials,
                                             Clock& clock) {
  constexpr std::string_view kScheme = "s3://";
  if (!uri.starts_with(kScheme)) {
    return InvalidArgument("'" + std::string(uri) + "' does not begin with s3://");
  }
  const std::string_view rest = uri.substr(kScheme.size());
  const std::string bucket(rest.substr(0, rest.find('/')));
  if (!IsBucketName(bucket)) {
    return InvalidArgument("'" + std::string(uri) +
                           "' names no bucket: write s3://bucket/prefix, the bucket with 3 to 63 "
                           "letters, digits, dots and hyphens");
  }
  std::string_view prefix = rest.substr(std::min(rest.size(), bucket.size() + 1));
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  while (prefix.starts_with('/')) prefix.remove_prefix(1);
  // A wrong endpoint is found now, not by the first upload.
  RETURN_IF_ERROR(internal::AddressOf(options, "us-east-1", bucket));
  auto client =
      std::make_shared<S3Client>(bucket, std::move(options), std::move(credentials), clock);
  return std::make_unique<S3Remote>(std::move(client), std::string(prefix), clock);
}

}  // namespace sluice::objects
