// Remembers the digests of files by their stat, so that an unchanged file is not read again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/result.h"
#include "base/sha256.h"
#include "io/fs.h"

namespace sluice::objects {

/// A map (absolute path, size, mtime, ctime, inode) → digest in one file, read at Open and replaced
/// by Save. Losing it costs time only. Thread-safe. Processes that save at the same time keep the
/// entries of both where paths differ.
///
/// A file changed twice within one tick of the file system's clock can keep its stat, so an entry
/// is trusted only if the file was older than kRacyWindowMs when its reading began (git's "racily
/// clean" rule). Entries of settled files, which nobody writes to any more, are trusted at once;
/// while such a file is read-only its ctime may change, since every further hard link changes it.
class StatCache {
 public:
  static constexpr int64_t kRacyWindowMs = 50;
  /// Save keeps this many entries, the most recently used, and none unused for this long: every run
  /// has folders of its own, which are never seen again.
  static constexpr size_t kMaxEntries = 200'000;
  static constexpr int64_t kMaxUnusedMs = 14LL * 24 * 3600 * 1000;

  /// A missing, damaged or foreign file gives an empty cache. `fs` must outlive it. Errors: only
  /// those of reading an existing file.
  static Result<std::unique_ptr<StatCache>> Open(io::Fs& fs, std::string path,
                                                 Clock& clock = SystemClock());
  /// One without a file: Save does nothing.
  static std::unique_ptr<StatCache> InMemory(Clock& clock = SystemClock());

  /// The digest recorded for exactly this stat, if it can be trusted.
  std::optional<Digest> Find(const std::string& absolute_path, const io::FileInfo& info);
  /// Records what was read. `info` must have been taken before reading, which began at
  /// `read_start_ms`, and have been equal after it.
  void Record(const std::string& absolute_path, const io::FileInfo& info, const Digest& digest,
              int64_t read_start_ms);
  void RecordSettled(const std::string& absolute_path, const io::FileInfo& info,
                     const Digest& digest);
  /// Writes the file if anything was recorded since Open or the last Save.
  Status Save();

  size_t entry_count();
  Clock& clock() { return clock_; }

 private:
  struct Entry {
    int64_t size_bytes = 0;
    int64_t mtime_ns = 0;
    int64_t ctime_ns = 0;
    uint64_t inode = 0;
    uint64_t device = 0;
    int64_t read_start_ms = 0;
    int64_t used_ms = 0;
    Digest digest;
    bool is_settled = false;
    bool is_new = false;  ///< not saved yet
  };
  using Entries = std::unordered_map<std::string, Entry>;
  struct State {
    Entries entries;
    bool is_dirty = false;
  };

  StatCache(io::Fs* fs, std::string path, Clock& clock)
      : fs_(fs), path_(std::move(path)), clock_(clock) {}
  void Put(const std::string& absolute_path, const io::FileInfo& info, const Digest& digest,
           int64_t read_start_ms, bool is_settled);
  static Result<std::optional<Entries>> Load(io::Fs& fs, const std::string& path);
  static std::string Encode(const Entries& entries);
  static std::optional<Entries> Decode(std::string_view bytes);
  static void DropUnused(Entries& entries, int64_t now_ms);

  io::Fs* const fs_;  ///< null: in memory
  const std::string path_;
  Clock& clock_;
  Guarded<State> state_;
};

}  // namespace sluice::objects
