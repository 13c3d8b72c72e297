// Uploads to a bucket, whole and in parts. All functions are thread-safe; errors are S3Client's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "objects/internal/s3_client.h"
#include "objects/remote.h"

namespace sluice::objects::internal {

/// Streams the source into one object. What fits into one part goes in one request; more goes in
/// parts, of which one is in memory at a time, and is given up as a whole if one fails for good.
/// `shown` is the path in messages of ours.
Result<RemoteStat> UploadToS3(S3Client& client, const std::string& key, const std::string& shown,
                              http::BodySource& source, const PutOptions& options, int64_t now_ms);

/// The fields of an upload: those of the options, and its type unless they say another.
std::vector<NameValue> UploadHeaders(const S3Client& client, const std::string& content_type);

Result<std::string> CreateS3Upload(S3Client& client, const std::string& key,
                                   const std::string& content_type);
/// In memory, and so repeatable, up to a size; larger parts are streamed and sent once.
Result<std::string> PutS3Part(S3Client& client, const std::string& key, const std::string& shown,
                              const std::string& upload_id, int part_number,
                              http::BodySource& source, int64_t size_bytes);
Status CompleteS3Upload(S3Client& client, const std::string& key, const std::string& upload_id,
                        const std::vector<RemotePart>& parts);
Status AbortS3Upload(S3Client& client, const std::string& key, const std::string& upload_id);

struct S3Parts {
  std::vector<RemotePart> parts;
  int64_t last_modified_ms = 0;  ///< of the newest
};
Result<S3Parts> ListS3Parts(S3Client& client, const std::string& key, const std::string& upload_id);

/// The entity tag that S3 gives an object made of these parts: the MD5 of their MD5s and their
/// number. Empty where a part's tag is no MD5 (some encryptions).
std::string EtagOfParts(const std::vector<RemotePart>& parts);

/// How large parts of an upload must be, so that kPartNumberMax of them hold it. Pure.
/// `part_number` counts from 1; with an unknown size (negative) later parts are larger, so that
/// short uploads need little memory and long ones still fit.
int64_t S3PartBytes(int64_t part_bytes, int64_t size_bytes, int part_number);

}  // namespace sluice::objects::internal
