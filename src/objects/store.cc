#include "objects/store.h"

#include <fmt/format.h>

#include <set>

#include "base/guarded.h"
#include "base/id.h"
#include "objects/internal/walk.h"

namespace sluice::objects {

/// One put, of a file or a whole folder: holds the lock, and knows which folders of the store are
/// still to be synced.
class Store::PutSession {
 public:
  PutSession(Store& store, std::unique_ptr<io::FileLock> lock)
      : store_(store), lock_(std::move(lock)) {}

  void NoteChanged(const std::string& directory) {
    changed_.With([&](std::set<std::string>& directories) { directories.insert(directory); });
  }
  /// Makes the names of all objects installed so far durable.
  Status SyncNames() {
    std::set<std::string> directories =
        changed_.With([](std::set<std::string>& all) { return std::exchange(all, {}); });
    if (store_.options_.durability == io::Durability::kFast || directories.empty()) return Ok();
    for (const std::string& directory : directories)
      RETURN_IF_ERROR(store_.fs_.SyncDirectory(directory));
    return store_.fs_.SyncDirectory(store_.directory_);
  }

 private:
  Store& store_;
  std::unique_ptr<io::FileLock> lock_;
  Guarded<std::set<std::string>> changed_;
};

Store::Store(io::Fs& fs, std::string directory, StoreOptions options, Clock& clock)
    : fs_(fs),
      directory_(std::move(directory)),
      options_(options),
      clock_(clock),
      own_cache_(options.cache == nullptr ? StatCache::InMemory(clock) : nullptr),
      cache_(options.cache == nullptr ? *own_cache_ : *options.cache) {}

Result<std::unique_ptr<Store>> Store::Open(io::Fs& fs, std::string directory, StoreOptions options,
                                           Clock& clock) {
  ASSIGN_OR_RETURN(directory, io::AbsolutePath(directory));
  std::unique_ptr<Store> store(new Store(fs, std::move(directory), options, clock));
  for (const char* name : {"tmp", "refs", "recent"}) {
    std::string path = io::JoinPath(store->directory_, name);
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs.Stat(path, true));
    if (info) continue;
    Status status = fs.MakeDirectories(path);
    if (!status.ok()) return std::move(status).error().With("open object store");
  }
  return store;
}

std::string Store::PathOf(const Digest& digest) const {
  std::string hex = digest.ToHex();
  return fmt::format("{}/{}/{}", directory_, hex.substr(0, 2), hex.substr(2));
}

std::string Store::NewTemporaryPath() const {
  return fmt::format("{}/tmp/{}", directory_, NewRandomHex(24));
}

Result<std::unique_ptr<io::FileLock>> Store::Lock(io::LockMode mode) {
  return fs_.Lock(io::JoinPath(directory_, "lock"), mode, true);
}

/// True if the object is there and safe from a collection that starts later. One of another size is
/// torn, left by a power cut under kFast, and one of other bytes is damaged: both count as absent
/// and are replaced.
Result<bool> Store::KeepExisting(const Digest& digest, int64_t size_bytes) {
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(PathOf(digest), false));
  if (!info || info->size_bytes != size_bytes) return false;
  // The caller holds the right bytes: a damaged object is replaced now rather than found too late.
  if (cache_.Find(PathOf(digest), *info) != digest) {
    ASSIGN_OR_RETURN(Digest actual, internal::HashFile(fs_, PathOf(digest), *info, nullptr));
    if (actual != digest) return false;
    cache_.RecordSettled(PathOf(digest), *info, digest);
  }
  if (info->mtime_ns / 1'000'000 + kFreshMs < clock_.NowMs()) {
    // Not by touching the object: hard links of it would seem changed.
    std::string mark = fmt::format("{}/recent/{}", directory_, digest.ToHex());
    RETURN_IF_ERROR(fs_.WriteFileAtomic(mark, "", io::Durability::kFast));
  }
  return true;
}

/// From here on the object exists under its name: `temporary` must be complete and, if wanted,
/// synced.
Status Store::Install(PutSession& session, const std::string& temporary, const Digest& digest) {
  RETURN_IF_ERROR(fs_.SetMode(temporary, 0444));
  std::string path = PathOf(digest);
  std::string folder = io::DirName(path);
  Status status = fs_.Rename(temporary, path);
  if (!status.ok() && status.error().code() == ErrorCode::kNotFound) {
    RETURN_IF_ERROR(fs_.MakeDirectories(folder));
    status = fs_.Rename(temporary, path);
  }
  RETURN_IF_ERROR(std::move(status));
  session.NoteChanged(folder);
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(path, false));
  if (info) cache_.RecordSettled(path, *info, digest);
  return Ok();
}

Result<Digest> Store::PutBytesIn(PutSession& session, std::string_view bytes) {
  Digest digest = ComputeSha256(bytes);
  ASSIGN_OR_RETURN(bool exists, KeepExisting(digest, static_cast<int64_t>(bytes.size())));
  if (exists) return digest;
  std::string temporary = NewTemporaryPath();
  auto write = [&]() -> Status {
    ASSIGN_OR_RETURN(std::unique_ptr<io::WritableFile> file, fs_.OpenForWrite(temporary));
    RETURN_IF_ERROR(file->Append(bytes));
    if (options_.durability == io::Durability::kDurable) RETURN_IF_ERROR(file->Sync());
    RETURN_IF_ERROR(file->Close());
    return Install(session, temporary, digest);
  };
  Status status = write();
  if (!status.ok()) {
    Status removed = fs_.Remove(temporary);  // else garbage collection does
    return std::move(status).error().With("store an object");
  }
  return digest;
}

Result<Digest> Store::PutFileIn(PutSession& session, const std::string& path,
                                const io::FileInfo& info, const PutOptions& options) {
  if (std::optional<Digest> known = cache_.Find(path, info)) {
    ASSIGN_OR_RETURN(bool exists, KeepExisting(*known, info.size_bytes));
    if (exists) return *known;
  }
  if (options.adopt && internal::KindOfFile(info) == ObjectKind::kFile) {
    Result<Digest> adopted = AdoptFileIn(session, path);
    // kUnavailable: links do not reach across file systems, and some have none.
    if (adopted.ok() || adopted.error().code() != ErrorCode::kUnavailable) return adopted;
  }
  // What is hashed is what is written: the file is read once.
  std::string temporary = NewTemporaryPath();
  auto copy = [&]() -> Result<Digest> {
    ASSIGN_OR_RETURN(std::unique_ptr<io::WritableFile> file, fs_.OpenForWrite(temporary));
    ASSIGN_OR_RETURN(Digest digest,
                     internal::HashFile(fs_, path, info, &cache_, [&](std::string_view bytes) {
                       return file->Append(bytes);
                     }));
    ASSIGN_OR_RETURN(bool exists, KeepExisting(digest, info.size_bytes));
    if (exists) {
      RETURN_IF_ERROR(fs_.Remove(temporary));
      return digest;
    }
    if (options_.durability == io::Durability::kDurable) RETURN_IF_ERROR(file->Sync());
    RETURN_IF_ERROR(file->Close());
    RETURN_IF_ERROR(Install(session, temporary, digest));
    return digest;
  };
  Result<Digest> digest = copy();
  if (!digest.ok()) {
    Status removed = fs_.Remove(temporary);  // else garbage collection does
    return std::move(digest).error().With(fmt::format("store '{}'", path));
  }
  return digest;
}

Result<Digest> Store::AdoptFileIn(PutSession& session, const std::string& path) {
  RETURN_IF_ERROR(fs_.SetMode(path, 0444));
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(path, true));
  if (!info) return NotFound(fmt::format("'{}' went away while it was stored", path));
  ASSIGN_OR_RETURN(Digest digest, internal::HashFile(fs_, path, *info, nullptr));
  cache_.RecordSettled(path, *info, digest);
  ASSIGN_OR_RETURN(bool exists, KeepExisting(digest, info->size_bytes));
  if (exists) return digest;
  if (options_.durability == io::Durability::kDurable) RETURN_IF_ERROR(fs_.SyncFile(path));
  std::string temporary = NewTemporaryPath();
  RETURN_IF_ERROR(fs_.HardLink(path, temporary));
  Status status = Install(session, temporary, digest);
  if (!status.ok()) {
    Status removed = fs_.Remove(temporary);  // else garbage collection does
    return std::move(status).error().With(fmt::format("store '{}'", path));
  }
  return digest;
}

Result<Digest> Store::PutBytes(std::string_view bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<io::FileLock> lock, Lock(io::LockMode::kShared));
  PutSession session(*this, std::move(lock));
  ASSIGN_OR_RETURN(Digest digest, PutBytesIn(session, bytes));
  RETURN_IF_ERROR(session.SyncNames());
  return digest;
}

Result<Stored> Store::PutPath(const std::string& path, const PutOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<io::FileLock> lock, Lock(io::LockMode::kShared));
  PutSession session(*this, std::move(lock));
  Result<Stored> stored =
      internal::Walk(fs_, path, options_.thread_count,
                     {.on_file =
                          [&](const std::string& file_path, const io::FileInfo& info) {
                            return PutFileIn(session, file_path, info, options);
                          },
                      // A tree is durable only after what it names.
                      .after_files = [&] { return session.SyncNames(); },
                      .on_tree = [&](Tree tree) -> Result<Stored> {
                        int64_t size_bytes = TotalSizeBytes(tree);
                        ASSIGN_OR_RETURN(std::string bytes, EncodeTree(std::move(tree)));
                        ASSIGN_OR_RETURN(Digest digest, PutBytesIn(session, bytes));
                        return Stored{{ObjectKind::kTree, digest}, size_bytes};
                      }});
  RETURN_IF_ERROR(session.SyncNames());
  return stored;
}

Result<Stored> Store::PutTree(Tree tree) {
  ASSIGN_OR_RETURN(std::unique_ptr<io::FileLock> lock, Lock(io::LockMode::kShared));
  PutSession session(*this, std::move(lock));
  for (const TreeEntry& entry : tree) {
    ASSIGN_OR_RETURN(bool has, Has(entry.digest));
    if (!has) {
      return FailedPrecondition(
          fmt::format("a tree names object {} as '{}', which is not in the store",
                      entry.digest.ToHex(), entry.name));
    }
  }
  ASSIGN_OR_RETURN(std::string bytes, EncodeTree(tree));
  ASSIGN_OR_RETURN(Digest digest, PutBytesIn(session, bytes));
  RETURN_IF_ERROR(session.SyncNames());
  return Stored{{ObjectKind::kTree, digest}, TotalSizeBytes(tree)};
}

Result<bool> Store::Has(const Digest& digest) {
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(PathOf(digest), false));
  return info.has_value();
}

Result<bool> Store::HasAll(const ObjectId& id) {
  ASSIGN_OR_RETURN(bool has, Has(id.digest));
  if (!has || !id.is_tree()) return has;
  ASSIGN_OR_RETURN(Tree tree, GetTree(id.digest));
  for (const TreeEntry& entry : tree) {
    ASSIGN_OR_RETURN(bool has_entry, HasAll({entry.kind, entry.digest}));
    if (!has_entry) return false;
  }
  return true;
}

Result<std::string> Store::GetBytes(const Digest& digest, int64_t max_bytes) {
  Result<std::string> bytes = fs_.ReadFile(PathOf(digest), max_bytes);
  if (!bytes.ok()) {
    if (bytes.error().code() != ErrorCode::kNotFound) return bytes;
    return NotFound(fmt::format("object {} is not in the store '{}'", digest.ToHex(), directory_));
  }
  if (ComputeSha256(*bytes) != digest) {
    return DataLoss(fmt::format(
        "object {} is damaged: its bytes have another digest; restore '{}' from a copy, "
        "or remove it and run again what made it",
        digest.ToHex(), PathOf(digest)));
  }
  return bytes;
}

Result<Tree> Store::GetTree(const Digest& digest) {
  ASSIGN_OR_RETURN(std::string bytes, GetBytes(digest, kMaxTreeBytes));
  Result<Tree> tree = DecodeTree(bytes);
  if (!tree.ok()) return std::move(tree).error().With(fmt::format("object {}", digest.ToHex()));
  return tree;
}

Result<std::string> Store::GetVerifiedPath(const Digest& digest) {
  std::string path = PathOf(digest);
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(path, false));
  if (!info)
    return NotFound(fmt::format("object {} is not in the store '{}'", digest.ToHex(), directory_));
  if (cache_.Find(path, *info) == digest) return path;
  ASSIGN_OR_RETURN(Digest actual, internal::HashFile(fs_, path, *info, nullptr));
  if (actual != digest) {
    return DataLoss(
        fmt::format("object {} is damaged: its bytes have digest {}; restore '{}' from a copy, or "
                    "remove it and run again what made it",
                    digest.ToHex(), actual.ToHex(), path));
  }
  cache_.RecordSettled(path, *info, digest);
  return path;
}

Result<Stored> Store::FindInTree(const Digest& tree, std::string_view relative_path) {
  Stored at{{ObjectKind::kTree, tree}, 0};
  std::string rest = ".";
  if (!relative_path.empty()) {
    std::optional<std::string> normal = io::NormalRelativePath(relative_path);
    if (!normal)
      return InvalidArgument(fmt::format("'{}' is no path inside a folder", relative_path));
    rest = *std::move(normal);
  }
  if (rest == ".") {
    ASSIGN_OR_RETURN(Tree entries, GetTree(tree));
    at.size_bytes = TotalSizeBytes(entries);
    return at;
  }
  std::string_view path = rest;
  while (!path.empty()) {
    std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    const TreeEntry* found = nullptr;
    Tree entries;
    if (at.id.is_tree()) {
      ASSIGN_OR_RETURN(entries, GetTree(at.id.digest));
      for (const TreeEntry& entry : entries) {
        if (entry.name == name) found = &entry;
      }
    }
    if (found == nullptr) {
      return NotFound(fmt::format("tree {} has no '{}'", tree.ToShort(), relative_path));
    }
    at = {{found->kind, found->digest}, found->size_bytes};
  }
  return at;
}

}  // namespace sluice::objects
