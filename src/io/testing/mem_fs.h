// A file system in memory that fails on request and forgets what was not synced.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
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

  /// Operations that change something (and reads count not) so far: appends, syncs, renames, links,
  /// removals ...
  int64_t mutation_count();
  /// The mutation number `index` (from zero, counted from now) fails with `error`, and so do all
  /// after it until ClearFault: as a process sees a full disk, or a test stops one at a point.
  void FailFrom(int64_t index, Error error = Unavailable("injected fault"));
  /// Only that one fails; those after it succeed.
  void FailOnce(int64_t index, Error error = Unavailable("injected fault"));
  void ClearFault();
  /// What a power cut leaves: content not synced is cut off at its synced length (with `tear`, cut
  /// to half the unsynced rest), names not synced by SyncDirectory are gone or, removed or renamed
  /// unsynced, are back. Open files die.
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
  struct State;
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::io
