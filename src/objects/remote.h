// A remote: a destination of named files, a folder or an S3 bucket, where artifacts are kept.
//
// Unlike the content-addressed store beside it, a remote is what other programs read and write too:
// plain files under plain names, as MLflow lays them out. So nothing is assumed about what lies
// there, and nothing is kept beside it but uploads under way.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "io/descriptor.h"

namespace sluice::objects {

/// A source of the bytes of `text`, which must outlive it.
std::unique_ptr<http::BodySource> SourceOf(std::string_view text);

struct RemoteEntry {
  std::string name;  ///< without its folder
  bool is_directory = false;
  int64_t size_bytes = 0;  ///< 0 for a directory

  friend bool operator==(const RemoteEntry&, const RemoteEntry&) = default;
};

struct RemoteStat {
  bool is_directory = false;
  int64_t size_bytes = 0;
  int64_t mtime_ms = 0;  ///< since epoch, UTC
  std::string etag;      ///< a strong entity tag with its quotes; empty for a directory
};

/// An open file: what it was when it was opened stays readable even if its name is taken over
/// meanwhile (on S3 a read fails with kFailedPrecondition then, and never mixes). One thread at a
/// time.
class RemoteReader {
 public:
  virtual ~RemoteReader() = default;
  virtual const RemoteStat& stat() const = 0;
  /// The file itself, for sendfile; empty where there is none (S3), and the second time.
  virtual io::Descriptor TakeDescriptor() { return {}; }
  /// A source of `size_bytes` bytes from `offset`, inside the file (CHECK); it may outlive the
  /// reader. Errors of the source: kUnavailable, kDataLoss (the file became shorter).
  virtual Result<std::unique_ptr<http::BodySource>> Read(int64_t offset, int64_t size_bytes) = 0;
};

struct PutOptions {
  int64_t size_bytes = -1;  ///< of the whole; -1: unknown. A source that gives another number fails
                            ///< with kDataLoss
  std::string content_type;  ///< kept where the destination keeps such (S3)
};

struct RemotePart {
  int part_number = 0;  ///< from 1
  std::string etag;     ///< as PutPart gave it, with quotes or without
  int64_t size_bytes = 0;
};

/// A time-limited right to one request, for whoever holds the URL.
struct PresignedUrl {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  ///< to be sent with it
};

enum class PresignedMethod : uint8_t { kGet, kPut };

inline constexpr int kPartNumberMax = 10'000;
inline constexpr int64_t kPresignedExpiryMaxS = 604'800;

/// Paths are what NormalRemotePath makes: relative and normalised; "" is the destination itself.
/// Thread-safe; calls block.
///
/// Errors of all methods, besides those named: kInvalidArgument (a name the destination cannot
/// hold; a folder where a file is meant), kPermissionDenied, kResourceExhausted (disk or quota
/// full), kUnavailable (worth another try). Messages name the path inside the destination, for S3
/// also bucket and key; never a place on this machine, and never a secret.
class Remote {
 public:
  virtual ~Remote() = default;

  /// "folder", "s3".
  virtual std::string_view kind() const = 0;

  /// Creates or replaces a file and the folders above it. Readers see the old content or all of the
  /// new; when this returns it is durable. If the source fails, its error is returned and nothing
  /// has changed.
  virtual Result<RemoteStat> Put(const std::string& path, http::BodySource& source,
                                 const PutOptions& options) = 0;
  /// Errors: kNotFound; kInvalidArgument for a directory.
  virtual Result<std::unique_ptr<RemoteReader>> Open(const std::string& path) = 0;
  /// Nothing if neither a file nor a directory has that name.
  virtual Result<std::optional<RemoteStat>> Stat(const std::string& path) = 0;
  /// What is directly inside a directory, sorted bytewise by name. Empty for a file and for what is
  /// not there.
  virtual Result<std::vector<RemoteEntry>> List(const std::string& path) = 0;
  /// A file, or a directory with all that is in it. What is not there is fine. Never the
  /// destination itself (CHECK).
  virtual Status Delete(const std::string& path) = 0;

  // An upload in parts: nothing is seen under `path` until CompleteUpload. Parts come in any order,
  // from any number of threads and server processes, and a part sent again replaces the earlier
  // one. All of these: kNotFound for an upload id that is unknown, of another path, complete or
  // aborted.

  /// Gives an upload id that nobody can guess (128 random bits or more).
  virtual Result<std::string> CreateUpload(const std::string& path,
                                           const std::string& content_type) = 0;
  /// Gives the part's entity tag, quotes included.
  virtual Result<std::string> PutPart(const std::string& path, const std::string& upload_id,
                                      int part_number, http::BodySource& source,
                                      int64_t size_bytes) = 0;
  /// `parts` in ascending order without gaps in meaning: the file is their concatenation. Errors:
  /// kInvalidArgument when a part was not sent or its entity tag differs.
  virtual Result<RemoteStat> CompleteUpload(const std::string& path, const std::string& upload_id,
                                            const std::vector<RemotePart>& parts) = 0;
  /// An upload that is not there is fine.
  virtual Status AbortUpload(const std::string& path, const std::string& upload_id) = 0;
  /// The parts received so far, ascending.
  virtual Result<std::vector<RemotePart>> ListParts(const std::string& path,
                                                    const std::string& upload_id) = 0;
  /// Frees uploads that got no part for `age_ms`, and what killed servers left. To be called now
  /// and then.
  virtual Status RemoveStaleUploads(int64_t age_ms) = 0;

  /// Whether the two below work.
  virtual bool can_presign() const { return false; }
  /// `expires_s` in [1, kPresignedExpiryMaxS] (CHECK). `content_type` is of what is put.
  /// kFailedPrecondition where can_presign is false.
  virtual Result<PresignedUrl> Presign(PresignedMethod method, const std::string& path,
                                       int64_t expires_s, const std::string& content_type);
  virtual Result<PresignedUrl> PresignPart(const std::string& path, const std::string& upload_id,
                                           int part_number, int64_t expires_s);
};

struct RemoteOptions {
  /// Uploads without a new part for this long are freed by the server's housekeeping.
  int64_t stale_upload_age_ms = int64_t{24} * 3600 * 1000;
  /// Folders only: where the system has no openat2 every symbolic link is refused. For tests.
  bool without_openat2 = false;
};

/// The remote that `uri` names: a path or file:// URI (created if absent), or s3://bucket/prefix
/// with credentials, region and endpoint from the environment and the AWS files (remote_s3.h).
/// Leftovers of killed servers are removed. Errors: kInvalidArgument for another scheme, naming
/// those that work; those of the file system.
Result<std::unique_ptr<Remote>> OpenRemote(std::string_view uri, const RemoteOptions& options = {});

}  // namespace sluice::objects
