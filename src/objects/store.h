// The content-addressed store: bytes named by their SHA-256, folders as trees.
//
// On disk, below the store's folder:
//   ab/cdef...    an object: the 64 hex digits of its digest, split after two; mode 0444, never
//   changed refs/NAME     a named root: one line with an ObjectId recent/       empty files named
//   by digest: objects put again after they had become old (see CollectGarbage) tmp/          files
//   being written; leftovers of killed processes are removed by CollectGarbage lock          taken
//   shared by every put and exclusively by garbage collection
//
// The invariant: a file under an object's name is complete. It is written elsewhere, synced and
// then linked to its name.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/fs.h"
#include "objects/object.h"
#include "objects/stat_cache.h"

namespace sluice::objects {

struct StoreOptions {
  /// kDurable: an object put survives the crash of the machine; kFast: only that of the process (an
  /// object torn by a power cut is then found by verification, not used).
  io::Durability durability = io::Durability::kDurable;
  size_t thread_count = 2;  ///< for hashing and copying many files
  /// Remembers which files and objects were read and found good; must outlive the store. Null: the
  /// store keeps its own, in memory.
  StatCache* cache = nullptr;
};

struct HashOptions {
  StatCache* cache = nullptr;  ///< may be null
  size_t thread_count = 2;
};

/// The id a file or folder would have in a store, without storing anything. Links inside a folder
/// are refused (the digest would depend on what is elsewhere); `path` itself may be one. Sockets,
/// devices and names that CheckEntryName refuses are errors too. Empty folders count. Reads only
/// files that `cache` does not know.
/// Errors: kNotFound; kInvalidArgument; kFailedPrecondition if a file changed while it was read;
/// those of Fs.
Result<Stored> HashPath(io::Fs& fs, const std::string& path, const HashOptions& options = {});

struct PutOptions {
  /// The file itself becomes the object, by a hard link, and turns read-only: no copy. Only for
  /// files nobody writes to any more and that may become immutable. Executables and files on
  /// another file system are copied all the same.
  bool adopt = false;
};

enum class LinkMode : uint8_t {
  kAuto,  ///< read-only: by reflink, else by hard link with the object, else by copy
  kCopy,  ///< writable, nobody else's
};

struct GarbageOptions {
  /// Objects put, or put again, more recently are kept: their writer may not have recorded them
  /// yet.
  int64_t grace_ms = 24LL * 3600 * 1000;
  bool dry_run = false;
};

struct GarbageReport {
  int64_t kept_count = 0;
  int64_t kept_bytes = 0;
  int64_t removed_count = 0;  ///< or would be, in a dry run
  int64_t removed_bytes = 0;
  int64_t removed_temporary_count = 0;
};

struct Problem {
  Digest digest;        ///< the object concerned
  std::string message;  ///< what is wrong, naming it
};

struct FsckReport {
  int64_t object_count = 0;
  int64_t size_bytes = 0;
  std::vector<Problem> problems;  ///< sorted by digest; empty is healthy
};

/// Thread-safe, and safe for any number of processes on one machine.
///
/// Errors, all methods: those of Fs; kNotFound for an object that is not there, kDataLoss naming
/// the object whose bytes are not what was stored.
class Store {
 public:
  /// Objects younger than this need no mark when they are put again.
  static constexpr int64_t kFreshMs = 10 * 60 * 1000;

  /// Creates the folder if needed. `fs` and `clock` must outlive the store.
  static Result<std::unique_ptr<Store>> Open(io::Fs& fs, std::string directory,
                                             StoreOptions options = {},
                                             Clock& clock = SystemClock());

  // Putting. An object that exists is not written again.

  Result<Digest> PutBytes(std::string_view bytes);
  /// A regular file or a folder; see HashPath for what is refused.
  Result<Stored> PutPath(const std::string& path, const PutOptions& options = {});
  /// A tree whose entries are in the store already (kFailedPrecondition naming the first that is
  /// not).
  Result<Stored> PutTree(Tree tree);

  // Getting.

  Result<bool> Has(const Digest& digest);
  /// Are the object and, for a tree, all objects below it there? Does not read file objects.
  Result<bool> HasAll(const ObjectId& id);
  /// The content, verified against its name.
  Result<std::string> GetBytes(const Digest& digest, int64_t max_bytes = int64_t{1} << 32);
  Result<Tree> GetTree(const Digest& digest);
  /// A path to read the object from (and never to write to), e.g. for mapping. The content is
  /// verified unless the cache says it was, with the same size, mtime and inode.
  Result<std::string> GetVerifiedPath(const Digest& digest);
  /// Where the object is or would be. No check at all.
  std::string PathOf(const Digest& digest) const;
  /// What is at a relative path inside a tree: "data.arrow", "model/MLmodel"; "" is the tree
  /// itself. Errors: also kInvalidArgument for a path that leaves the tree.
  Result<Stored> FindInTree(const Digest& tree, std::string_view relative_path);

  /// Puts the file or folder at `target`, whole or not at all: built elsewhere, then moved into
  /// place, making parent folders as needed. What is at `target` is replaced, whatever it is; with
  /// kAuto it is left alone if it holds exactly this content already. Objects are verified as by
  /// GetVerifiedPath. Not synced to disk: it can be done again.
  Status Materialise(const ObjectId& id, const std::string& target,
                     LinkMode mode = LinkMode::kAuto);

  // Refs: named roots. A name is 1 to 8 entry names joined by '/'.

  Status SetRef(std::string_view name, const ObjectId& id);
  Result<std::optional<ObjectId>> FindRef(std::string_view name);
  Status RemoveRef(std::string_view name);  ///< fine if absent
  /// Sorted by name.
  Result<std::vector<std::pair<std::string, ObjectId>>> ListRefs();

  // Care.

  /// Removes every object that cannot be reached from `roots` or a ref and was not put within the
  /// grace period (less kFreshMs). `roots` must be everything that runs, the run cache, datasets
  /// and models name; it is called while puts are locked out, so that it sees what they recorded,
  /// and must not use the store. A root that is missing is not an error; a damaged tree is, and
  /// then nothing is removed. Waits for puts in progress, and puts wait for it.
  Result<GarbageReport> CollectGarbage(const std::function<Result<std::vector<ObjectId>>()>& roots,
                                       const GarbageOptions& options = {});
  /// Reads everything: each object's bytes against its name, and whether all that `roots` and the
  /// refs reach is there.
  Result<FsckReport> Fsck(const std::vector<ObjectId>& roots = {});

  const std::string& directory() const { return directory_; }

 private:
  class PutSession;

  Store(io::Fs& fs, std::string directory, StoreOptions options, Clock& clock);

  Result<std::unique_ptr<io::FileLock>> Lock(io::LockMode mode);
  Result<bool> KeepExisting(const Digest& digest, int64_t size_bytes);
  Result<Digest> PutBytesIn(PutSession& session, std::string_view bytes);
  Result<Digest> PutFileIn(PutSession& session, const std::string& path, const io::FileInfo& info,
                           const PutOptions& options);
  Result<Digest> AdoptFileIn(PutSession& session, const std::string& path);
  Status Install(PutSession& session, const std::string& temporary, const Digest& digest);
  std::string NewTemporaryPath() const;

  Status BuildFile(const ObjectId& id, const std::string& target, LinkMode mode);
  Status BuildTree(const Digest& digest, const std::string& target, LinkMode mode);
  Status RememberMaterialised(const ObjectId& id, const std::string& target);
  Status MoveIntoPlace(const std::string& built, const std::string& target);

  Result<std::string> RefPath(std::string_view name) const;
  Status ListRefsBelow(const std::string& prefix,
                       std::vector<std::pair<std::string, ObjectId>>& refs);
  /// Calls `on_object` for every file with an object's name, in order of digests.
  Status ForEachObject(const std::function<Status(const Digest&, const std::string& path,
                                                  const io::FileInfo&)>& on_object);

  io::Fs& fs_;
  const std::string directory_;
  const StoreOptions options_;
  Clock& clock_;
  const std::unique_ptr<StatCache> own_cache_;
  StatCache& cache_;
  std::atomic<bool> has_reflinks_ = true;
};

}  // namespace sluice::objects
