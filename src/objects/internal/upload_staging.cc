#include "objects/internal/upload_staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "base/id.h"
#include "io/fs.h"
#include "objects/remote_path.h"

namespace sluice::objects::internal {
namespace {

constexpr std::string_view kPrefix = "part-";
constexpr size_t kIdDigits = 32;
constexpr int64_t kNsPerS = 1'000'000'000;

int64_t ClockNs(clockid_t clock) {
  struct timespec now = {};
  clock_gettime(clock, &now);
  return now.tv_sec * kNsPerS + now.tv_nsec;
}

int64_t MtimeNs(const struct stat& info) {
  return info.st_mtim.tv_sec * kNsPerS + info.st_mtim.tv_nsec;
}

std::string PartName(int part_number) { return fmt::format("{:05}", part_number); }

std::string PartEtag(const struct stat& info) {
  return fmt::format("\"{:x}-{:x}-{:x}\"", MtimeNs(info), info.st_size, info.st_ino);
}

/// Without quotes: proxies and clients add and drop them.
std::string_view Bare(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag;
}

bool IsUploadId(std::string_view id) {
  return id.size() == kIdDigits &&
         id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Error NoSuchUpload(const std::string& path) {
  return NotFound("No upload in parts of '" + path +
                  "' has this id: it was completed, aborted or left alone for too long. Create a "
                  "new one");
}

struct OpenPart {
  io::Descriptor file;
  struct stat info = {};
};

/// Not open if it was not sent, or may be torn.
OpenPart FindPart(const io::Descriptor& upload, int part_number) {
  OpenPart part;
  part.file = io::Descriptor(
      openat(upload.get(), PartName(part_number).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!part.file.is_open()) return part;
  const int64_t started_ns = ClockNs(CLOCK_REALTIME) - ClockNs(CLOCK_BOOTTIME);
  if (fstat(part.file.get(), &part.info) != 0 || MtimeNs(part.info) < started_ns) {
    part.file.Reset();
  }
  return part;
}

}  // namespace

Result<std::string> UploadStaging::Create(const std::string& path) {
  std::string id = NewRandomHex(kIdDigits);
  ASSIGN_OR_RETURN(
      const io::Descriptor folder,
      destination_.MakeDirectory(JoinRemotePath(kRemoteReservedName, std::string(kPrefix) + id)));
  ASSIGN_OR_RETURN(StagedFile file, staging_.NewFile());
  const std::unique_ptr<http::BodySource> line = SourceOf(path);
  RETURN_IF_ERROR(file.FillFrom(*line, -1, path));
  RETURN_IF_ERROR(file.Publish(folder.get(), "path", path));
  return id;
}

Result<io::Descriptor> UploadStaging::OpenUpload(const std::string& path,
                                                 const std::string& upload_id) const {
  if (!IsUploadId(upload_id)) return NoSuchUpload(path);
  const std::string name = JoinRemotePath(kRemoteReservedName, std::string(kPrefix) + upload_id);
  Result<io::Descriptor> folder = destination_.OpenAt(name, O_RDONLY | O_DIRECTORY);
  if (!folder.ok()) {
    return folder.error().code() == ErrorCode::kNotFound ? NoSuchUpload(path) : folder.error();
  }
  const io::Descriptor file(openat(folder->get(), "path", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::string kept(kRemotePathBytesMax + 1, '\0');
  const ssize_t size = file.is_open() ? read(file.get(), kept.data(), kept.size()) : -1;
  if (size < 0 || std::string_view(kept).substr(0, static_cast<size_t>(size)) != path) {
    return NoSuchUpload(path);
  }
  return folder;
}

Result<std::string> UploadStaging::PutPart(const std::string& path, const std::string& upload_id,
                                           int part_number, http::BodySource& source,
                                           int64_t size_bytes) {
  if (part_number < 1 || part_number > kPartNumberMax) {
    return InvalidArgument(
        fmt::format("part_number must be between 1 and {} (got {})", kPartNumberMax, part_number));
  }
  ASSIGN_OR_RETURN(const io::Descriptor upload, OpenUpload(path, upload_id));
  if (faccessat(upload.get(), "done", F_OK, 0) == 0) return NoSuchUpload(path);
  ASSIGN_OR_RETURN(StagedFile part, staging_.NewFile());
  RETURN_IF_ERROR(part.FillFrom(source, size_bytes, path));
  struct stat info = {};
  if (fstat(part.fd(), &info) != 0) return io::ErrnoError(errno, "stat", path);
  const Status published = part.Publish(upload.get(), PartName(part_number), path);
  if (!published.ok()) {
    return published.error().code() == ErrorCode::kNotFound ? NoSuchUpload(path)
                                                            : published.error();
  }
  return PartEtag(info);
}

Result<UploadStaging::Assembled> UploadStaging::Assemble(const std::string& path,
                                                         const std::string& upload_id,
                                                         const std::vector<RemotePart>& parts) {
  Assembled assembled;
  ASSIGN_OR_RETURN(assembled.folder, OpenUpload(path, upload_id));
  assembled.lock =
      io::Descriptor(openat(assembled.folder.get(), "path", O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!assembled.lock.is_open()) return NoSuchUpload(path);
  while (flock(assembled.lock.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  if (faccessat(assembled.folder.get(), "done", F_OK, 0) == 0) return assembled;

  if (parts.empty()) return InvalidArgument("an upload in parts needs one part at least");
  ASSIGN_OR_RETURN(StagedFile whole, staging_.NewFile());
  whole.WriteBackEarly();
  int before = 0;
  for (const RemotePart& part : parts) {
    if (part.part_number <= before) {
      return InvalidArgument(
          fmt::format("parts must be in ascending order of part_number (got {} after {})",
                      part.part_number, before));
    }
    before = part.part_number;
    const OpenPart sent = FindPart(assembled.folder, part.part_number);
    if (!sent.file.is_open()) {
      return InvalidArgument(
          fmt::format("part {} of '{}' was not received: send it again, then complete",
                      part.part_number, path));
    }
    if (Bare(PartEtag(sent.info)) != Bare(part.etag)) {
      return InvalidArgument(
          fmt::format("part {} of '{}' has the ETag {}, not {}: it was sent again meanwhile",
                      part.part_number, path, PartEtag(sent.info), part.etag));
    }
    RETURN_IF_ERROR(whole.Append(sent.file.get(), sent.info.st_size, path));
  }
  assembled.file.emplace(std::move(whole));
  return assembled;
}

void UploadStaging::MarkDone(const Assembled& assembled) {
  const int folder = assembled.folder.get();
  const io::Descriptor done(
      openat(folder, "done", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  const Result<std::vector<std::string>> names = NamesIn(assembled.folder, "an upload");
  if (!names.ok()) return;  // what stays is freed as stale
  for (const std::string& name : *names) {
    if (name != "done" && name != "path") unlinkat(folder, name.c_str(), 0);
  }
}

Status UploadStaging::Abort(const std::string& path, const std::string& upload_id) {
  Result<io::Descriptor> upload = OpenUpload(path, upload_id);
  if (!upload.ok()) {
    return upload.error().code() == ErrorCode::kNotFound ? Ok() : Status(upload.error());
  }
  ASSIGN_OR_RETURN(const io::Descriptor parent,
                   destination_.OpenAt(std::string(kRemoteReservedName), O_RDONLY | O_DIRECTORY));
  return staging_.RemoveTree(parent.get(), std::string(kPrefix) + upload_id, path);
}

Result<std::vector<RemotePart>> UploadStaging::ListParts(const std::string& path,
                                                         const std::string& upload_id) {
  ASSIGN_OR_RETURN(const io::Descriptor upload, OpenUpload(path, upload_id));
  if (faccessat(upload.get(), "done", F_OK, 0) == 0) return NoSuchUpload(path);
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(upload, path));
  std::vector<RemotePart> parts;
  for (const std::string& name : names) {
    int number = 0;
    const char* const end = name.data() + name.size();
    if (const auto [stop, error] = std::from_chars(name.data(), end, number);
        error != std::errc() || stop != end) {
      continue;
    }
    const OpenPart part = FindPart(upload, number);
    if (!part.file.is_open()) continue;
    parts.push_back(
        {.part_number = number, .etag = PartEtag(part.info), .size_bytes = part.info.st_size});
  }
  std::ranges::sort(parts, {}, &RemotePart::part_number);
  return parts;
}

Status UploadStaging::RemoveStale(int64_t age_ms) {
  const std::string staging_name(kRemoteReservedName);
  Result<io::Descriptor> staging = destination_.OpenAt(staging_name, O_RDONLY | O_DIRECTORY);
  if (!staging.ok()) {
    return staging.error().code() == ErrorCode::kNotFound ? Ok() : Status(staging.error());
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(*staging, staging_name));
  const int64_t oldest_ns = ClockNs(CLOCK_REALTIME) - age_ms * 1'000'000;
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix)) continue;
    // A part that arrives renames a file into the folder, which changes the folder's time.
    struct stat info = {};
    if (fstatat(staging->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (MtimeNs(info) >= oldest_ns) continue;
    RETURN_IF_ERROR(staging_.RemoveTree(staging->get(), name, staging_name));
  }
  return Ok();
}

}  // namespace sluice::objects::internal
