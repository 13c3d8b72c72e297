// Out of the store, into the world.
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/id.h"
#include "base/thread_pool.h"
#include "objects/store.h"

namespace sluice::objects {
namespace {

struct FileJob {
  ObjectId id;
  std::string target;
};

}  // namespace

Status Store::BuildFile(const ObjectId& id, const std::string& target, LinkMode mode) {
  ASSIGN_OR_RETURN(std::string object_path, GetVerifiedPath(id.digest));
  bool is_executable = id.kind == ObjectKind::kExecutable;
  uint32_t file_mode = is_executable ? 0555 : 0444;
  if (mode == LinkMode::kCopy) {
    RETURN_IF_ERROR(fs_.CopyFile(object_path, target));
    return fs_.SetMode(target, is_executable ? 0755 : 0644);
  }
  if (has_reflinks_.load(std::memory_order_relaxed)) {
    Status status = fs_.Reflink(object_path, target);
    if (status.ok()) return fs_.SetMode(target, file_mode);
    if (status.error().code() != ErrorCode::kFailedPrecondition) return status;
    has_reflinks_.store(false, std::memory_order_relaxed);
  }
  // A hard link shares the mode too, and objects are not executable.
  if (!is_executable) {
    Status status = fs_.HardLink(object_path, target);
    if (status.ok()) return status;
    // Another file system, too many links, or links not allowed.
    ErrorCode code = status.error().code();
    if (code != ErrorCode::kUnavailable && code != ErrorCode::kPermissionDenied) return status;
  }
  RETURN_IF_ERROR(fs_.CopyFile(object_path, target));
  return fs_.SetMode(target, file_mode);
}

Status Store::BuildTree(const Digest& digest, const std::string& target, LinkMode mode) {
  // Folders first, on this thread; then the files, on several.
  std::vector<FileJob> files;
  std::vector<std::pair<Digest, std::string>> folders{{digest, target}};
  while (!folders.empty()) {
    auto [folder_digest, path] = std::move(folders.back());
    folders.pop_back();
    RETURN_IF_ERROR(fs_.MakeDirectories(path));
    ASSIGN_OR_RETURN(Tree tree, GetTree(folder_digest));
    for (TreeEntry& entry : tree) {
      std::string child = io::JoinPath(path, entry.name);
      if (child.size() > target.size() + size_t{kMaxTreeDepth} * (kMaxNameBytes + 1)) {
        return DataLoss(
            fmt::format("tree {} is nested more than {} deep", digest.ToHex(), kMaxTreeDepth));
      }
      if (entry.kind == ObjectKind::kTree) {
        folders.emplace_back(entry.digest, std::move(child));
      } else {
        files.push_back({{entry.kind, entry.digest}, std::move(child)});
      }
    }
  }
  std::vector<Status> statuses(files.size());
  ParallelFor(options_.thread_count, files.size(),
              [&](size_t i) { statuses[i] = BuildFile(files[i].id, files[i].target, mode); });
  for (Status& status : statuses) RETURN_IF_ERROR(std::move(status));
  return Ok();
}

Status Store::MoveIntoPlace(const std::string& built, const std::string& target) {
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> old, fs_.Stat(target, false));
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> fresh, fs_.Stat(built, false));
  bool is_folder_involved = (old && old->kind == io::FileKind::kDirectory) ||
                            (old && fresh && fresh->kind == io::FileKind::kDirectory);
  if (!is_folder_involved) return fs_.Rename(built, target);
  // A full folder cannot be renamed over: swap the two, and what is at `built` afterwards is
  // rubbish.
  Status status = fs_.Exchange(built, target);
  if (!status.ok() && status.error().code() == ErrorCode::kFailedPrecondition) {
    RETURN_IF_ERROR(fs_.RemoveTree(target));
    return fs_.Rename(built, target);
  }
  RETURN_IF_ERROR(std::move(status));
  return fs_.RemoveTree(built);
}

/// So that neither the next HashPath nor the next Materialise reads what was just put there.
Status Store::RememberMaterialised(const ObjectId& id, const std::string& target) {
  if (id.is_tree()) {
    ASSIGN_OR_RETURN(Tree tree, GetTree(id.digest));
    for (const TreeEntry& entry : tree) {
      RETURN_IF_ERROR(
          RememberMaterialised({entry.kind, entry.digest}, io::JoinPath(target, entry.name)));
    }
    return Ok();
  }
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(target, false));
  if (info) cache_.RecordSettled(target, *info, id.digest);
  return Ok();
}

Status Store::Materialise(const ObjectId& id, const std::string& target, LinkMode mode) {
  ASSIGN_OR_RETURN(std::string path, io::AbsolutePath(target));
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> old, fs_.Stat(path, false));
  if (old && mode == LinkMode::kAuto && old->kind != io::FileKind::kSymlink) {
    Result<Stored> present =
        HashPath(fs_, path, {.cache = &cache_, .thread_count = options_.thread_count});
    if (present.ok() && present->id == id) return Ok();
  }
  std::string parent = io::DirName(path);
  RETURN_IF_ERROR(fs_.MakeDirectories(parent));
  ASSIGN_OR_RETURN(std::unique_ptr<io::FileLock> lock, Lock(io::LockMode::kShared));
  // Beside the store's other temporaries, so that a crash leaves nothing beside the target; but a
  // rename cannot leave its file system.
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> here, fs_.Stat(directory_, true));
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> there, fs_.Stat(parent, true));
  bool is_same_device = here && there && here->device == there->device;
  std::string built = is_same_device ? NewTemporaryPath()
                                     : fmt::format("{}/.{}.sluice-{}", parent, io::BaseName(path),
                                                   NewRandomHex(12));
  auto build = [&]() -> Status {
    RETURN_IF_ERROR(id.is_tree() ? BuildTree(id.digest, built, mode) : BuildFile(id, built, mode));
    return MoveIntoPlace(built, path);
  };
  Status status = build();
  if (!status.ok()) {
    Status removed = fs_.RemoveTree(built);  // else garbage collection does
    return std::move(status).error().With(
        fmt::format("put {} at '{}'", id.ToString().substr(0, 17), target));
  }
  return mode == LinkMode::kAuto ? RememberMaterialised(id, path) : Ok();
}

}  // namespace sluice::objects
