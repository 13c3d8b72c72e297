#include "objects/remote_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/fs.h"
#include "objects/internal/beneath.h"
#include "objects/internal/staging.h"
#include "objects/internal/upload_staging.h"
#include "objects/remote_path.h"

namespace sluice::objects {
namespace {

using internal::Beneath;
using internal::StagedFile;

Error NoSuchArtifact(const std::string& path) {
  return NotFound("No such artifact: '" + path + "'");
}

Error IsDirectory(const std::string& path) {
  return InvalidArgument("Artifact path refers to a directory, not a file: '" + path + "'");
}

RemoteStat StatOf(const struct stat& info) {
  const int64_t mtime_ns = info.st_mtim.tv_sec * int64_t{1'000'000'000} + info.st_mtim.tv_nsec;
  RemoteStat stat;
  stat.is_directory = S_ISDIR(info.st_mode);
  stat.mtime_ms = mtime_ns / 1'000'000;
  if (!stat.is_directory) {
    stat.size_bytes = info.st_size;
    stat.etag = fmt::format("\"{:x}-{:x}-{:x}\"", mtime_ns, info.st_size, info.st_ino);
  }
  return stat;
}

/// A range of a file.
class FileSource final : public http::BodySource {
 public:
  FileSource(io::Descriptor file, int64_t offset, int64_t size_bytes)
      : file_(std::move(file)), offset_(offset), left_bytes_(size_bytes) {}

  Result<size_t> Read(std::span<char> into) override {
    const size_t want = std::min(into.size(), static_cast<size_t>(left_bytes_));
    if (want == 0) return size_t{0};
    ssize_t count = 0;
    do {
      count = pread(file_.get(), into.data(), want, offset_);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return io::ErrnoError(errno, "read", "an artifact");
    if (count == 0) return DataLoss("an artifact became shorter while it was read");
    offset_ += count;
    left_bytes_ -= count;
    return static_cast<size_t>(count);
  }

 private:
  io::Descriptor file_;
  int64_t offset_;
  int64_t left_bytes_;
};

class FolderReader final : public RemoteReader {
 public:
  FolderReader(io::Descriptor file, RemoteStat stat)
      : file_(std::move(file)), stat_(std::move(stat)) {}

  const RemoteStat& stat() const override { return stat_; }
  io::Descriptor TakeDescriptor() override { return std::move(file_); }
  Result<std::unique_ptr<http::BodySource>> Read(int64_t offset, int64_t size_bytes) override {
    CHECK(offset >= 0 && size_bytes >= 0 && offset + size_bytes <= stat_.size_bytes);
    io::Descriptor copy(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy.is_open()) return io::ErrnoError(errno, "open", "an artifact");
    return std::make_unique<FileSource>(std::move(copy), offset, size_bytes);
  }

 private:
  io::Descriptor file_;
  const RemoteStat stat_;
};

class FolderRemote final : public Remote {
 public:
  explicit FolderRemote(Beneath beneath)
      : beneath_(std::move(beneath)), staging_(beneath_), uploads_(beneath_, staging_) {}

  std::string_view kind() const override { return "folder"; }

  Result<RemoteStat> Put(const std::string& path, http::BodySource& source,
                         const PutOptions& options) override {
    ASSIGN_OR_RETURN(StagedFile file, staging_.NewFile());
    file.WriteBackEarly();
    RETURN_IF_ERROR(file.FillFrom(source, options.size_bytes, path));
    return Publish(std::move(file), path);
  }

  Result<std::unique_ptr<RemoteReader>> Open(const std::string& path) override {
    // Without O_NONBLOCK a pipe in the folder would wait for a writer.
    Result<io::Descriptor> file = beneath_.OpenAt(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file.ok()) {
      return file.error().code() == ErrorCode::kNotFound ? NoSuchArtifact(path) : file.error();
    }
    struct stat info = {};
    if (fstat(file->get(), &info) != 0) return io::ErrnoError(errno, "open", path);
    if (S_ISDIR(info.st_mode)) return IsDirectory(path);
    if (!S_ISREG(info.st_mode)) return NoSuchArtifact(path);
    return std::make_unique<FolderReader>(std::move(file).value(), StatOf(info));
  }

  Result<std::optional<RemoteStat>> Stat(const std::string& path) override {
    Result<io::Descriptor> file = beneath_.OpenAt(path, O_PATH);
    if (!file.ok()) {
      if (file.error().code() != ErrorCode::kNotFound) return file.error();
      return std::optional<RemoteStat>();
    }
    struct stat info = {};
    if (fstat(file->get(), &info) != 0) return io::ErrnoError(errno, "stat", path);
    if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) return std::optional<RemoteStat>();
    return std::optional<RemoteStat>(StatOf(info));
  }

  Result<std::vector<RemoteEntry>> List(const std::string& path) override {
    std::vector<RemoteEntry> entries;
    Result<io::Descriptor> folder = beneath_.OpenAt(path, O_RDONLY | O_DIRECTORY);
    if (!folder.ok()) {
      if (folder.error().code() != ErrorCode::kNotFound) return folder.error();
      return entries;
    }
    ASSIGN_OR_RETURN(std::vector<std::string> names, internal::NamesIn(*folder, path));
    std::ranges::sort(names);
    entries.reserve(names.size());
    for (std::string& name : names) {
      if (name.starts_with(kRemoteReservedName)) continue;
      struct stat info = {};
      if (fstatat(folder->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISLNK(info.st_mode)) {
        // Shown as what it leads to, if that is inside.
        const Result<io::Descriptor> target = beneath_.OpenAt(JoinRemotePath(path, name), O_PATH);
        if (!target.ok() || fstat(target->get(), &info) != 0) continue;
      }
      if (!S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode)) continue;
      entries.push_back({.name = std::move(name),
                         .is_directory = S_ISDIR(info.st_mode),
                         .size_bytes = S_ISDIR(info.st_mode) ? 0 : int64_t{info.st_size}});
    }
    return entries;
  }

  Status Delete(const std::string& path) override {
    CHECK(!path.empty());
    Result<io::Descriptor> folder =
        beneath_.OpenAt(std::string(RemoteDirName(path)), O_RDONLY | O_DIRECTORY);
    if (!folder.ok()) {
      return folder.error().code() == ErrorCode::kNotFound ? Ok() : Status(folder.error());
    }
    const std::string name(RemoteBaseName(path));
    if (faccessat(folder->get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
      return Ok();
    }
    return staging_.RemoveTree(folder->get(), name, path);
  }

  Result<std::string> CreateUpload(const std::string& path, const std::string&) override {
    return uploads_.Create(path);
  }
  Result<std::string> PutPart(const std::string& path, const std::string& upload_id,
                              int part_number, http::BodySource& source,
                              int64_t size_bytes) override {
    return uploads_.PutPart(path, upload_id, part_number, source, size_bytes);
  }
  Result<RemoteStat> CompleteUpload(const std::string& path, const std::string& upload_id,
                                    const std::vector<RemotePart>& parts) override {
    ASSIGN_OR_RETURN(internal::UploadStaging::Assembled assembled,
                     uploads_.Assemble(path, upload_id, parts));
    if (!assembled.file) {
      ASSIGN_OR_RETURN(const std::optional<RemoteStat> stat, Stat(path));
      return stat.value_or(RemoteStat());
    }
    ASSIGN_OR_RETURN(RemoteStat stat, Publish(*std::move(assembled.file), path));
    uploads_.MarkDone(assembled);
    return stat;
  }
  Status AbortUpload(const std::string& path, const std::string& upload_id) override {
    return uploads_.Abort(path, upload_id);
  }
  Result<std::vector<RemotePart>> ListParts(const std::string& path,
                                            const std::string& upload_id) override {
    return uploads_.ListParts(path, upload_id);
  }
  Status RemoveStaleUploads(int64_t age_ms) override {
    RETURN_IF_ERROR(staging_.RemoveLeftovers());
    return uploads_.RemoveStale(age_ms);
  }

 private:
  /// Content first, then the name, then the folder: what was answered is there after a power cut.
  Result<RemoteStat> Publish(StagedFile file, const std::string& path) {
    if (path.empty()) return IsDirectory(path);
    RETURN_IF_ERROR(file.Sync(path));
    ASSIGN_OR_RETURN(const io::Descriptor folder,
                     beneath_.MakeDirectory(std::string(RemoteDirName(path))));
    const std::string name(RemoteBaseName(path));
    struct stat info = {};
    if (fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(info.st_mode)) {
      // Somebody's way out is not ours to replace.
      Result<io::Descriptor> target = beneath_.OpenAt(path, O_PATH);
      if (!target.ok() && target.error().code() != ErrorCode::kNotFound) return target.error();
      if (target.ok() && fstat(target->get(), &info) == 0 && S_ISLNK(info.st_mode)) {
        return internal::LeadsOut();
      }
    }
    RETURN_IF_ERROR(file.Publish(folder.get(), name, path));
    RETURN_IF_ERROR(internal::SyncFd(folder.get(), path));
    if (fstat(file.fd(), &info) != 0) return io::ErrnoError(errno, "stat", path);
    return StatOf(info);
  }

  const Beneath beneath_;
  internal::Staging staging_;
  internal::UploadStaging uploads_;
};

}  // namespace

Result<std::unique_ptr<Remote>> OpenFolderRemote(const std::string& path,
                                                 const RemoteOptions& options) {
  ASSIGN_OR_RETURN(Beneath beneath, Beneath::Open(path, options.without_openat2));
  auto remote = std::make_unique<FolderRemote>(std::move(beneath));
  RETURN_IF_ERROR(remote->RemoveStaleUploads(options.stale_upload_age_ms));
  return std::unique_ptr<Remote>(std::move(remote));
}

}  // namespace sluice::objects
