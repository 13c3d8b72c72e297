#include "objects/internal/staging.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>
#include <vector>

#include "base/id.h"
#include "io/fs.h"
#include "objects/remote_path.h"

namespace sluice::objects::internal {
namespace {

constexpr size_t kCopyBufferBytes = 512 << 10;
/// Handing dirty pages to the disc in steps of this size while more arrive leaves little for the
/// final sync to wait for.
constexpr int64_t kWriteBackBytes = 8 << 20;

constexpr std::string_view kTemporaryPrefix = "tmp-";

Status WriteAll(int fd, std::span<const char> bytes, const std::string& shown) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io::ErrnoError(errno, "write", shown);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return Ok();
}

Error LengthError(const std::string& shown, int64_t announced_bytes) {
  return DataLoss("the body of '" + shown + "' does not have the " +
                  std::to_string(announced_bytes) + " bytes that were announced");
}

Error RenameError(int error_number, const std::string& shown) {
  switch (error_number) {
    case EISDIR:
    case EEXIST:
    case ENOTEMPTY:
      return InvalidArgument("Artifact path refers to a directory, not a file: '" + shown + "'");
    default: return io::ErrnoError(error_number, "write", shown);
  }
}

}  // namespace

StagedFile::StagedFile(StagedFile&& other) noexcept
    : folder_fd_(other.folder_fd_),
      name_(std::exchange(other.name_, {})),
      file_(std::move(other.file_)),
      writes_back_early_(other.writes_back_early_),
      size_bytes_(other.size_bytes_),
      written_back_bytes_(other.written_back_bytes_) {}

StagedFile::~StagedFile() {
  if (!name_.empty()) unlinkat(folder_fd_, name_.c_str(), 0);
}

void StagedFile::CountWritten(int64_t bytes) {
  size_bytes_ += bytes;
  if (!writes_back_early_) return;
  while (size_bytes_ - written_back_bytes_ >= kWriteBackBytes) {
    // Only a hint: what it cannot do, Sync does.
    sync_file_range(file_.get(), written_back_bytes_, kWriteBackBytes, SYNC_FILE_RANGE_WRITE);
    written_back_bytes_ += kWriteBackBytes;
  }
}

Status StagedFile::FillFrom(http::BodySource& source, int64_t size_bytes,
                            const std::string& shown) {
  const size_t buffer_bytes =
      size_bytes < 0 ? kCopyBufferBytes
                     : static_cast<size_t>(std::clamp<int64_t>(size_bytes, 1, kCopyBufferBytes));
  const std::unique_ptr<char[]> memory = std::make_unique_for_overwrite<char[]>(buffer_bytes);
  const std::span<char> buffer(memory.get(), buffer_bytes);
  int64_t received_bytes = 0;
  while (true) {
    ASSIGN_OR_RETURN(const size_t count, source.Read(buffer));
    if (count == 0) break;
    received_bytes += static_cast<int64_t>(count);
    if (size_bytes >= 0 && received_bytes > size_bytes) return LengthError(shown, size_bytes);
    RETURN_IF_ERROR(WriteAll(file_.get(), buffer.first(count), shown));
    CountWritten(static_cast<int64_t>(count));
  }
  if (size_bytes >= 0 && received_bytes != size_bytes) return LengthError(shown, size_bytes);
  return Ok();
}

Status StagedFile::Append(int from_fd, int64_t size_bytes, const std::string& shown) {
  off_t offset = 0;
  while (offset < size_bytes) {
    const auto want = static_cast<size_t>(std::min<int64_t>(size_bytes - offset, kWriteBackBytes));
    // Shares the blocks where the file system can, else copies inside the kernel; sendfile does the
    // same, slower, between file systems that do not know each other.
    ssize_t count = copy_file_range(from_fd, &offset, file_.get(), nullptr, want, 0);
    if (count < 0 &&
        (errno == EXDEV || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL)) {
      count = sendfile(file_.get(), from_fd, &offset, want);
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io::ErrnoError(errno, "copy a part of", shown);
    if (count == 0) return DataLoss("a part of '" + shown + "' became shorter");
    CountWritten(count);
  }
  return Ok();
}

Status StagedFile::Sync(const std::string& shown) {
  if (fdatasync(file_.get()) != 0) return io::ErrnoError(errno, "sync", shown);
  return Ok();
}

Status StagedFile::Publish(int folder_fd, const std::string& name, const std::string& shown) {
  if (renameat(folder_fd_, name_.c_str(), folder_fd, name.c_str()) == 0) {
    name_.clear();
    return Ok();
  }
  if (errno == EXDEV) return CopyAcross(folder_fd, name, shown);
  return RenameError(errno, shown);
}

/// Something else is mounted inside the destination: no rename reaches there from the staging
/// folder, so the copy is made beside its final name.
Status StagedFile::CopyAcross(int folder_fd, const std::string& name, const std::string& shown) {
  const std::string copy_name = std::string(kRemoteReservedName) + "-" + NewRandomHex(16);
  StagedFile copy(folder_fd, copy_name,
                  io::Descriptor(openat(folder_fd, copy_name.c_str(),
                                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666)));
  if (copy.fd() < 0) return io::ErrnoError(errno, "write", shown);
  RETURN_IF_ERROR(copy.Append(file_.get(), size_bytes_, shown));
  RETURN_IF_ERROR(copy.Sync(shown));
  if (renameat(folder_fd, copy_name.c_str(), folder_fd, name.c_str()) != 0) {
    return RenameError(errno, shown);
  }
  copy.name_.clear();
  file_ = std::move(copy.file_);
  return Ok();
}

Staging::~Staging() {
  own_.With([this](Own& own) {
    if (!own.folder.is_open()) return;
    // Each only if nothing is in it; else the next server cleans up.
    unlinkat(own.parent.get(), own.name.c_str(), AT_REMOVEDIR);
    unlinkat(destination_.fd(), std::string(kRemoteReservedName).c_str(), AT_REMOVEDIR);
    own.folder.Reset();
  });
}

Result<int> Staging::Folder() {
  return own_.With([this](Own& own) -> Result<int> {
    constexpr int kTriesMax = 16;
    for (int i = 0; !own.folder.is_open(); ++i) {
      if (i == kTriesMax) return Unavailable("no folder for uploads could be made");
      ASSIGN_OR_RETURN(own.parent, destination_.MakeDirectory(std::string(kRemoteReservedName)));
      own.name = std::string(kTemporaryPrefix) + NewRandomHex(16);
      if (mkdirat(own.parent.get(), own.name.c_str(), 0700) != 0) {
        if (errno == ENOENT) continue;  // a server that ends removed the empty folder above
        return io::ErrnoError(errno, "create a folder for uploads below", kRemoteReservedName);
      }
      io::Descriptor made(openat(own.parent.get(), own.name.c_str(),
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!made.is_open()) continue;
      // A server that cleans up just now may have taken the new folder for a leftover. Where there
      // are no locks at all, nobody takes anything.
      struct stat info = {};
      if (flock(made.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) continue;
      if (fstat(made.get(), &info) != 0 || info.st_nlink == 0) continue;
      own.folder = std::move(made);
    }
    return own.folder.get();
  });
}

Result<StagedFile> Staging::NewFile() {
  ASSIGN_OR_RETURN(const int folder, Folder());
  const std::string name = NewRandomHex(16);
  io::Descriptor file(
      openat(folder, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file.is_open())
    return io::ErrnoError(errno, "create a file for an upload below", kRemoteReservedName);
  return StagedFile(folder, name, std::move(file));
}

Status Staging::RemoveTree(int folder_fd, const std::string& name, const std::string& shown) {
  ASSIGN_OR_RETURN(const int staging, Folder());
  const std::string moved = NewRandomHex(16);
  if (renameat(folder_fd, name.c_str(), staging, moved.c_str()) != 0) {
    if (errno == ENOENT) return Ok();
    // A mount point, or a folder of another owner: then where it stands.
    RETURN_IF_ERROR(RemoveTreeAt(folder_fd, name, shown));
    return SyncFd(folder_fd, shown);
  }
  RETURN_IF_ERROR(SyncFd(folder_fd, shown));
  return RemoveTreeAt(staging, moved, shown);
}

Status Staging::RemoveLeftovers() {
  Result<io::Descriptor> staging =
      destination_.OpenAt(std::string(kRemoteReservedName), O_RDONLY | O_DIRECTORY);
  if (!staging.ok()) {
    return staging.error().code() == ErrorCode::kNotFound ? Ok() : Status(staging.error());
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names,
                   NamesIn(*staging, std::string(kRemoteReservedName)));
  for (const std::string& name : names) {
    if (!name.starts_with(kTemporaryPrefix)) continue;
    const io::Descriptor folder(
        openat(staging->get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.is_open() || flock(folder.get(), LOCK_EX | LOCK_NB) != 0) continue;  // in use
    RETURN_IF_ERROR(RemoveTreeAt(staging->get(), name, std::string(kRemoteReservedName)));
  }
  return Ok();
}

}  // namespace sluice::objects::internal
