// Remembers the digests of files by their stat, so that an unchanged file is not read again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
/// is trusted only if the file was older than kRacyWindow when it was recorded (git's "racily
/// clean" rule, by the time of recording).
class StatCache {
 public:
  /// Files touched less than this before they were hashed are hashed again next time.
  static constexpr int64_t kRacyWindowMs = 50;
  /// Saving keeps the entries used or added since Open, then the most recently saved others, up to
  /// this many.
  static constexpr size_t kMaxEntries = 1'000'000;

  /// A missing, damaged or foreign file gives an empty cache. `fs` and `clock` must outlive it.
  /// Errors: only those of reading an existing file.
  static Result<std::unique_ptr<StatCache>> Open(io::Fs& fs, std::string path,
                                                 Clock& clock = SystemClock());

  /// The digest recorded for exactly this stat, if it can be trusted.
  std::optional<Digest> Find(const std::string& absolute_path, const io::FileInfo& info);
  /// Records what was read. `info` must have been taken before reading and been equal after it.
  void Record(const std::string& absolute_path, const io::FileInfo& info, const Digest& digest);
  /// Writes the file if anything was recorded since Open or the last Save.
  Status Save();

  size_t entry_count();

 private:
  struct Entry {
    int64_t size_bytes = 0;
    int64_t mtime_ns = 0;
    int64_t ctime_ns = 0;
    uint64_t inode = 0;
    uint64_t device = 0;
    int64_t recorded_ns = 0;
    Digest digest;
    bool is_new = false;
  };
  using Entries = std::unordered_map<std::string, Entry>;
  struct State {
    Entries entries;
    bool is_dirty = false;
  };

  StatCache(io::Fs& fs, std::string path, Clock& clock)
      : fs_(fs), path_(std::move(path)), clock_(clock) {}
  static std::string Encode(const Entries& entries);
  static std::optional<Entries> Decode(std::string_view bytes);

  io::Fs& fs_;
  const std::string path_;
  Clock& clock_;
  Guarded<State> state_;
};

}  // namespace sluice::objects
