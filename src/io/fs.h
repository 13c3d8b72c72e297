// The one door to the file system. The real one is below; tests use testing/mem_fs.h, which can
// fail the n-th write and forget what was not synced.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sluice::io {

enum class FileKind : uint8_t { kFile, kDirectory, kSymlink, kOther };

struct FileInfo {
  FileKind kind = FileKind::kFile;
  int64_t size_bytes = 0;
  int64_t mtime_ns = 0;  ///< nanoseconds since epoch, as the file system keeps them
  int64_t ctime_ns = 0;
  uint64_t inode = 0;
  uint64_t device = 0;
  uint32_t mode = 0;  ///< permission bits
};

/// A file being written. One thread at a time. Destroying it without Close drops buffered bytes
/// silently.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Errors: kResourceExhausted (disk full), kUnavailable (any other I/O error).
  virtual Status Append(std::string_view bytes) = 0;
  /// Hands buffered bytes to the system, so that other processes see them. No buffer: nothing to
  /// do.
  virtual Status Flush() { return Ok(); }
  /// Flushes and makes the content durable (fsync).
  virtual Status Sync() = 0;
  virtual Status Close() = 0;
};

/// A file being read from its start. One thread at a time.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  /// Replaces `buffer` by up to `max_bytes` of what follows; empty at the end of the file.
  virtual Status Read(std::string& buffer, size_t max_bytes) = 0;
};

/// A lock on a file, held until this is destroyed or the process ends, however it ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class LockMode : uint8_t { kShared, kExclusive };

enum class Durability : uint8_t {
  kFast,     ///< survives a crash of the process, perhaps not one of the machine
  kDurable,  ///< synced, directory entry included, before the call returns
};

/// Paths are UTF-8 bytes, absolute or relative to the working directory. Thread-safe.
///
/// Errors, all methods: kNotFound, kAlreadyExists, kPermissionDenied, kResourceExhausted (disk
/// full, too many open files), kUnavailable (other I/O errors). Messages name the path and the
/// system's reason.
class Fs {
 public:
  virtual ~Fs() = default;

  /// The whole file. Errors: also kResourceExhausted if it is larger than `max_bytes`.
  virtual Result<std::string> ReadFile(const std::string& path,
                                       int64_t max_bytes = int64_t{1} << 40) = 0;
  /// Replaces or creates `path` so that a reader sees the old or the new content, never a mixture.
  virtual Status WriteFileAtomic(const std::string& path, std::string_view bytes,
                                 Durability durability) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) = 0;
  /// Creates or truncates.
  virtual Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path) = 0;
  /// Creates or appends.
  virtual Result<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) = 0;

  /// Nothing if the path does not exist. Does not follow a final symbolic link unless `follow`.
  virtual Result<std::optional<FileInfo>> Stat(const std::string& path, bool follow = true) = 0;
  /// Names in a directory, sorted bytewise, without "." and "..".
  virtual Result<std::vector<std::string>> ListDirectory(const std::string& path) = 0;
  /// Creates the directory and its parents; fine if it exists.
  virtual Status MakeDirectories(const std::string& path) = 0;
  /// Atomically replaces `to`.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  /// Atomically swaps two existing paths of any kinds. Errors: kFailedPrecondition where the file
  /// system cannot.
  virtual Status Exchange(const std::string& a, const std::string& b) = 0;
  /// One file, link or empty directory. A path that does not exist is fine.
  virtual Status Remove(const std::string& path) = 0;
  /// Whatever is there, never following links. A path that does not exist is fine.
  virtual Status RemoveTree(const std::string& path) = 0;
  virtual Status HardLink(const std::string& existing, const std::string& link) = 0;
  virtual Status Symlink(const std::string& target, const std::string& link) = 0;
  virtual Result<std::string> ReadLink(const std::string& path) = 0;
  /// Copies content; uses a reflink where the file system has them.
  virtual Status CopyFile(const std::string& from, const std::string& to) = 0;
  /// A new file `to` that shares its blocks with `from` until one is written to. Errors:
  /// kFailedPrecondition where the file system cannot (nothing is left at `to`).
  virtual Status Reflink(const std::string& from, const std::string& to) = 0;
  virtual Status SetMode(const std::string& path, uint32_t mode) = 0;
  /// Makes the entries of a directory durable.
  virtual Status SyncDirectory(const std::string& path) = 0;
  /// Makes the content of an existing file durable.
  virtual Status SyncFile(const std::string& path) = 0;
  /// Locks `path` (created empty if absent) among threads and processes that ask too; the content
  /// does not matter. Waits, unless `wait` is false: then kUnavailable if somebody holds it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path, LockMode mode,
                                                 bool wait) = 0;
};

/// The machine's file system. Lives as long as the program.
Fs& RealFs();

/// An error for a failed system call: the code from `error_number`, the message "<action> '<path>':
/// <reason>".
Error ErrnoError(int error_number, std::string_view action, std::string_view path);

// Paths as text; pure.

/// "a/b" + "c" = "a/b/c"; an absolute `tail` replaces `base`; an empty `base` gives `tail`.
std::string JoinPath(std::string_view base, std::string_view tail);
/// Without the last component: "a/b" → "a", "b" → ".", "/b" → "/".
std::string DirName(std::string_view path);
/// The last component.
std::string BaseName(std::string_view path);
/// Cleans "." and ".." and doubled slashes textually; nothing if the path is absolute, empty, holds
/// a NUL or leaves its base.
std::optional<std::string> NormalRelativePath(std::string_view path);
/// The absolute, normalised path, against the current directory; links are not resolved.
Result<std::string> AbsolutePath(std::string_view path);

}  // namespace sluice::io
