// A file system in memory that fails on request and forgets what was not synced.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "io/fs.h"

namespace sluice::io {

/// Holds files, folders, symbolic and hard links. Thread-safe. Relative paths are below "/".
/// Permission bits are kept; only writing to a file without owner's write permission is refused.
/// The clock gives mtime and ctime; without one every change is a millisecond after the last.
class MemFs : public Fs {
 public:
  explicit MemFs(Clock* clock = nullptr);
  ~MemFs() override;

  // Faults.

  /// How many changes were asked for so far: creating, appending, syncing, renaming, linking,
  /// removing, changing modes. Some calls are several (WriteFileAtomic, CopyFile, RemoveTree).
  int64_t mutation_count();
  /// Change number `index` (from zero, counted from now) fails with `error`, and so do all after it
  /// until ClearFault: a full disk, or a process stopped at that point. A failing append leaves the
  /// first half of its bytes.
  void FailFrom(int64_t index, Error error = Unavailable("injected fault"));
  /// Only that one fails.
  void FailOnce(int64_t index, Error error = Unavailable("injected fault"));
  void ClearFault();
  /// What a power cut leaves. Content is as it was at the last sync, or, with `tear`, has half of
  /// what was appended since; names in a folder are as they were at its last SyncDirectory. Open
  /// files are dead and locks free.
  void DropUnsynced(bool tear = false);
  /// Flips one bit of a file, keeping its stat. The path must exist (CHECK).
  void FlipBit(const std::string& path, int64_t bit);
  /// May reflinks be made? Default: no.
  void AllowReflinks(bool allowed);
  void AllowHardLinks(bool allowed);  ///< default: yes

  // Fs.
  Result<std::string> ReadFile(const std::string& path, int64_t max_bytes) override;
  Status WriteFileAtomic(const std::string& path, std::string_view bytes,
                         Durability durability) override;
  Result<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> OpenForAppend(const std::string& path) override;
  Result<std::optional<FileInfo>> Stat(const std::string& path, bool follow) override;
  Result<std::vector<std::string>> ListDirectory(const std::string& path) override;
  Status MakeDirectories(const std::string& path) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Exchange(const std::string& a, const std::string& b) override;
  Status Remove(const std::string& path) override;
  Status RemoveTree(const std::string& path) override;
  Status HardLink(const std::string& existing, const std::string& link) override;
  Status Symlink(const std::string& target, const std::string& link) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Status CopyFile(const std::string& from, const std::string& to) override;
  Status Reflink(const std::string& from, const std::string& to) override;
  Status SetMode(const std::string& path, uint32_t mode) override;
  Status SyncDirectory(const std::string& path) override;
  Status SyncFile(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path, LockMode mode,
                                         bool wait) override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::io
