#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "io/fs.h"

namespace sluice::io {

Error ErrnoError(int error_number, std::string_view action, std::string_view path) {
  std::string message = fmt::format("{} '{}': {}", action, path, std::strerror(error_number));
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: return NotFound(std::move(message));
    case EEXIST:
    case ENOTEMPTY: return AlreadyExists(std::move(message));
    case EACCES:
    case EPERM:
    case EROFS: return PermissionDenied(std::move(message));
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG: return ResourceExhausted(std::move(message));
    case ENAMETOOLONG:
    case EISDIR:
    case ELOOP:
    case EINVAL: return InvalidArgument(std::move(message));
    default: return Unavailable(std::move(message));
  }
}

namespace {

constexpr size_t kWriteBufferBytes = 1 << 18;

/// Closes a descriptor at the end of its scope.
class ScopedFd {
 public:
  explicit ScopedFd(int fd) : fd_(fd) {}
  ~ScopedFd() {
    if (fd_ >= 0) close(fd_);
  }
  ScopedFd(const ScopedFd&) = delete;
  ScopedFd& operator=(const ScopedFd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return ErrnoError(errno, "write", path);
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return Ok();
}

class RealWritableFile : public WritableFile {
 public:
  RealWritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~RealWritableFile() override {
    if (fd_ >= 0) close(fd_);
  }

  Status Append(std::string_view bytes) override {
    if (buffer_.size() + bytes.size() > kWriteBufferBytes) RETURN_IF_ERROR(Flush());
    if (bytes.size() >= kWriteBufferBytes) return WriteAll(fd_, bytes, path_);
    buffer_.append(bytes);
    return Ok();
  }
  Status Sync() override {
    RETURN_IF_ERROR(Flush());
    if (fsync(fd_) != 0) return ErrnoError(errno, "sync", path_);
    return Ok();
  }
  Status Close() override {
    RETURN_IF_ERROR(Flush());
    int fd = std::exchange(fd_, -1);
    if (close(fd) != 0) return ErrnoError(errno, "close", path_);
    return Ok();
  }

  Status Flush() override {
    Status status = WriteAll(fd_, buffer_, path_);
    buffer_.clear();
    return status;
  }

 private:
  int fd_;
  const std::string path_;
  std::string buffer_;
};

class RealReadableFile : public ReadableFile {
 public:
  RealReadableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Status Read(std::string& buffer, size_t max_bytes) override {
    buffer.resize(max_bytes);
    size_t filled = 0;
    while (filled < max_bytes) {
      ssize_t count = read(fd_.get(), buffer.data() + filled, max_bytes - filled);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoError(errno, "read", path_);
      if (count == 0) break;
      filled += static_cast<size_t>(count);
    }
    buffer.resize(filled);
    return Ok();
  }

 private:
  const ScopedFd fd_;
  const std::string path_;
};

/// flock(2): belongs to the open file, so two locks of one process exclude each other as those of
/// two processes do.
class RealFileLock : public FileLock {
 public:
  explicit RealFileLock(int fd) : fd_(fd) {}

 private:
  const ScopedFd fd_;
};

class RealFileSystem : public Fs {
 public:
  Result<std::string> ReadFile(const std::string& path, int64_t max_bytes) override {
    ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoError(errno, "open", path);
    struct stat info {};
    if (fstat(fd.get(), &info) != 0) return ErrnoError(errno, "stat", path);
    if (S_ISDIR(info.st_mode))
      return InvalidArgument(fmt::format("'{}' is a directory, not a file", path));
    std::string bytes;
    if (info.st_size <= max_bytes) bytes.reserve(static_cast<size_t>(info.st_size) + 1);
    std::string buffer(static_cast<size_t>(std::clamp<int64_t>(info.st_size + 1, 4096, 1 << 20)),
                       '\0');
    for (;;) {
      ssize_t count = read(fd.get(), buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoError(errno, "read", path);
      if (count == 0) return bytes;
      if (static_cast<int64_t>(bytes.size()) + count > max_bytes) {
        return ResourceExhausted(
            fmt::format("'{}' is larger than the limit of {} bytes", path, max_bytes));
      }
      bytes.append(buffer.data(), static_cast<size_t>(count));
    }
  }

  Status WriteFileAtomic(const std::string& path, std::string_view bytes,
                         Durability durability) override {
    static std::atomic<uint64_t> counter{0};
    std::string temporary = fmt::format("{}.tmp-{}-{}", path, getpid(), counter++);
    Status status = WriteTemporary(temporary, bytes, durability);
    if (status.ok()) status = Rename(temporary, path);
    if (!status.ok()) {
      unlink(temporary.c_str());
      return status;
    }
    return durability == Durability::kDurable ? SyncDirectory(DirName(path)) : Ok();
  }

  Result<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) override {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ErrnoError(errno, "open", path);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return std::unique_ptr<ReadableFile>(std::make_unique<RealReadableFile>(fd, path));
  }
  Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path) override {
    return OpenFile(path, O_TRUNC);
  }
  Result<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override {
    return OpenFile(path, O_APPEND);
  }

  Result<std::optional<FileInfo>> Stat(const std::string& path, bool follow) override {
    struct stat info {};
    int failed = follow ? stat(path.c_str(), &info) : lstat(path.c_str(), &info);
    if (failed != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileInfo>();
      return ErrnoError(errno, "stat", path);
    }
    FileInfo result;
    result.kind = S_ISREG(info.st_mode)   ? FileKind::kFile
                  : S_ISDIR(info.st_mode) ? FileKind::kDirectory
                  : S_ISLNK(info.st_mode) ? FileKind::kSymlink
                                          : FileKind::kOther;
    result.size_bytes = info.st_size;
    result.mtime_ns = int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
    result.ctime_ns = int64_t{info.st_ctim.tv_sec} * 1'000'000'000 + info.st_ctim.tv_nsec;
    result.inode = info.st_ino;
    result.device = info.st_dev;
    result.mode = info.st_mode & 07777;
    return std::optional(result);
  }

  Result<std::vector<std::string>> ListDirectory(const std::string& path) override {
    DIR* directory = opendir(path.c_str());
    if (directory == nullptr) return ErrnoError(errno, "list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(directory)) {
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    int error_number = errno;
    closedir(directory);
    if (error_number != 0) return ErrnoError(error_number, "list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status MakeDirectories(const std::string& path) override {
    if (mkdir(path.c_str(), 0777) == 0) return Ok();
    if (errno == EEXIST) {
      struct stat info {};
      if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return Ok();
      return ErrnoError(EEXIST, "create directory", path);
    }
    std::string parent = DirName(path);
    if (errno != ENOENT || parent == path) return ErrnoError(errno, "create directory", path);
    RETURN_IF_ERROR(MakeDirectories(parent));
    if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST)
      return ErrnoError(errno, "create directory", path);
    return Ok();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return ErrnoError(errno, "rename to", to);
    return Ok();
  }

  Status Exchange(const std::string& a, const std::string& b) override {
    if (renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0) return Ok();
    if (errno == EINVAL || errno == ENOSYS) {
      return FailedPrecondition(
          fmt::format("exchange '{}' and '{}': {}", a, b, std::strerror(errno)));
    }
    return ErrnoError(errno, "exchange", a);
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) == 0 || errno == ENOENT) return Ok();
    if (errno == EISDIR || errno == EPERM) {
      if (rmdir(path.c_str()) == 0) return Ok();
    }
    return ErrnoError(errno, "remove", path);
  }

  Status RemoveTree(const std::string& path) override {
    ASSIGN_OR_RETURN(std::optional<FileInfo> info, Stat(path, false));
    if (!info) return Ok();
    if (info->kind == FileKind::kDirectory) {
      if ((info->mode & 0700) != 0700) RETURN_IF_ERROR(SetMode(path, 0700));
      ASSIGN_OR_RETURN(std::vector<std::string> names, ListDirectory(path));
      for (const std::string& name : names) RETURN_IF_ERROR(RemoveTree(JoinPath(path, name)));
      if (rmdir(path.c_str()) != 0 && errno != ENOENT) return ErrnoError(errno, "remove", path);
      return Ok();
    }
    return Remove(path);
  }

  Status HardLink(const std::string& existing, const std::string& link_path) override {
    if (link(existing.c_str(), link_path.c_str()) != 0) return ErrnoError(errno, "link", link_path);
    return Ok();
  }

  Status Symlink(const std::string& target, const std::string& link_path) override {
    if (symlink(target.c_str(), link_path.c_str()) != 0)
      return ErrnoError(errno, "link", link_path);
    return Ok();
  }

  Result<std::string> ReadLink(const std::string& path) override {
    std::string target(4096, '\0');
    ssize_t count = readlink(path.c_str(), target.data(), target.size());
    if (count < 0) return ErrnoError(errno, "read link", path);
    target.resize(static_cast<size_t>(count));
    return target;
  }

  Status CopyFile(const std::string& from, const std::string& to) override {
    ScopedFd in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (in.get() < 0) return ErrnoError(errno, "open", from);
    ScopedFd out(open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (out.get() < 0) return ErrnoError(errno, "create", to);
    if (ioctl(out.get(), FICLONE, in.get()) == 0) return Ok();
    for (;;) {
      ssize_t count = sendfile(out.get(), in.get(), nullptr, size_t{1} << 30);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return ErrnoError(errno, "copy to", to);
      if (count == 0) return Ok();
    }
  }

  Status Reflink(const std::string& from, const std::string& to) override {
    ScopedFd in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (in.get() < 0) return ErrnoError(errno, "open", from);
    ScopedFd out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (out.get() < 0) return ErrnoError(errno, "create", to);
    if (ioctl(out.get(), FICLONE, in.get()) == 0) return Ok();
    int error_number = errno;
    unlink(to.c_str());
    if (error_number == ENOSPC || error_number == EDQUOT || error_number == EIO) {
      return ErrnoError(error_number, "share blocks with", from);
    }
    return FailedPrecondition(
        fmt::format("share blocks of '{}' with '{}': {}", from, to, std::strerror(error_number)));
  }

  Status SetMode(const std::string& path, uint32_t mode) override {
    if (chmod(path.c_str(), mode) != 0) return ErrnoError(errno, "set mode of", path);
    return Ok();
  }

  Status SyncDirectory(const std::string& path) override {
    ScopedFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoError(errno, "open", path);
    if (fsync(fd.get()) != 0) return ErrnoError(errno, "sync", path);
    return Ok();
  }

  Status SyncFile(const std::string& path) override {
    ScopedFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoError(errno, "open", path);
    if (fsync(fd.get()) != 0) return ErrnoError(errno, "sync", path);
    return Ok();
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path, LockMode mode,
                                         bool wait) override {
    int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return ErrnoError(errno, "open", path);
    auto lock = std::make_unique<RealFileLock>(fd);
    int operation = (mode == LockMode::kShared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB);
    while (flock(fd, operation) != 0) {
      if (errno == EINTR) continue;
      if (errno == EWOULDBLOCK)
        return Unavailable(fmt::format("'{}' is locked by another process", path));
      return ErrnoError(errno, "lock", path);
    }
    return std::unique_ptr<FileLock>(std::move(lock));
  }

 private:
  static Status WriteTemporary(const std::string& path, std::string_view bytes,
                               Durability durability) {
    ScopedFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd.get() < 0) return ErrnoError(errno, "create", path);
    RETURN_IF_ERROR(WriteAll(fd.get(), bytes, path));
    if (durability == Durability::kDurable && fsync(fd.get()) != 0)
      return ErrnoError(errno, "sync", path);
    return Ok();
  }

  static Result<std::unique_ptr<WritableFile>> OpenFile(const std::string& path, int flags) {
    int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    if (fd < 0) return ErrnoError(errno, "create", path);
    return std::unique_ptr<WritableFile>(std::make_unique<RealWritableFile>(fd, path));
  }
};

}  // namespace

Fs& RealFs() {
  static RealFileSystem fs;
  return fs;
}

}  // namespace sluice::io
