#include "objects/internal/walk.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "base/thread_pool.h"
#include "objects/store.h"

namespace sluice::objects {
namespace internal {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

struct FoundFile {
  std::string path;
  io::FileInfo info;
  std::optional<Result<Digest>> digest;
};

/// A child is either a file or a folder found before.
struct Child {
  std::string name;
  bool is_folder = false;
  size_t index = 0;
};

struct FoundFolder {
  std::vector<Child> children;
  Stored stored;
};

/// Everything below a path; folders after all that is in them.
struct Found {
  std::vector<FoundFile> files;
  std::vector<FoundFolder> folders;
};

Error Refuse(const std::string& path, std::string_view why) {
  return InvalidArgument(fmt::format("'{}' cannot be stored: {}", path, why));
}

Status FindBelow(io::Fs& fs, const std::string& path, int depth, Found& found) {
  if (depth > kMaxTreeDepth)
    return Refuse(path, fmt::format("folders are nested more than {} deep", kMaxTreeDepth));
  ASSIGN_OR_RETURN(std::vector<std::string> names, fs.ListDirectory(path));
  FoundFolder folder;
  for (std::string& name : names) {
    Status name_status = CheckEntryName(name);
    if (!name_status.ok()) return std::move(name_status).error().With(fmt::format("in '{}'", path));
    std::string child_path = io::JoinPath(path, name);
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs.Stat(child_path, false));
    if (!info) return NotFound(fmt::format("'{}' went away while its folder was read", child_path));
    switch (info->kind) {
      case io::FileKind::kFile:
        folder.children.push_back({std::move(name), false, found.files.size()});
        found.files.push_back({std::move(child_path), *info, std::nullopt});
        break;
      case io::FileKind::kDirectory:
        RETURN_IF_ERROR(FindBelow(fs, child_path, depth + 1, found));
        folder.children.push_back({std::move(name), true, found.folders.size() - 1});
        break;
      case io::FileKind::kSymlink:
        return Refuse(
            child_path,
            "it is a symbolic link, whose target may change unseen; put the file itself there");
      case io::FileKind::kOther: return Refuse(child_path, "it is a socket, pipe or device");
    }
  }
  found.folders.push_back(std::move(folder));
  return Ok();
}

bool IsSameFile(const io::FileInfo& a, const io::FileInfo& b) {
  return a.size_bytes == b.size_bytes && a.mtime_ns == b.mtime_ns && a.inode == b.inode &&
         a.device == b.device;
}

}  // namespace

ObjectKind KindOfFile(const io::FileInfo& info) {
  return (info.mode & 0100) != 0 ? ObjectKind::kExecutable : ObjectKind::kFile;
}

Result<Digest> HashFile(io::Fs& fs, const std::string& absolute_path, const io::FileInfo& info,
                        StatCache* cache, const std::function<Status(std::string_view)>& on_bytes) {
  if (cache != nullptr && !on_bytes) {
    if (std::optional<Digest> known = cache->Find(absolute_path, info)) return *known;
  }
  int64_t read_start_ms = cache != nullptr ? cache->clock().NowMs() : 0;
  ASSIGN_OR_RETURN(std::unique_ptr<io::ReadableFile> file, fs.OpenForRead(absolute_path));
  Sha256 hash;
  std::string buffer;
  do {
    RETURN_IF_ERROR(file->Read(buffer, kReadBytes));
    hash.Update(buffer);
    if (on_bytes && !buffer.empty()) RETURN_IF_ERROR(on_bytes(buffer));
  } while (buffer.size() == kReadBytes);
  Digest digest = hash.Finish();
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> after, fs.Stat(absolute_path, true));
  if (!after || !IsSameFile(info, *after)) {
    return FailedPrecondition(fmt::format(
        "'{}' changed while it was read; try again when nothing writes to it", absolute_path));
  }
  if (cache != nullptr) cache->Record(absolute_path, info, digest, read_start_ms);
  return digest;
}

Result<Stored> Walk(io::Fs& fs, const std::string& path, size_t thread_count,
                    const WalkCallbacks& callbacks) {
  ASSIGN_OR_RETURN(std::string root, io::AbsolutePath(path));
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs.Stat(root, true));
  if (!info) return NotFound(fmt::format("'{}' does not exist", path));
  if (info->kind == io::FileKind::kFile) {
    ASSIGN_OR_RETURN(Digest digest, callbacks.on_file(root, *info));
    RETURN_IF_ERROR(callbacks.after_files());
    return Stored{{KindOfFile(*info), digest}, info->size_bytes};
  }
  if (info->kind != io::FileKind::kDirectory) return Refuse(path, "it is a socket, pipe or device");

  Found found;
  RETURN_IF_ERROR(FindBelow(fs, root, 1, found));
  ParallelFor(thread_count, found.files.size(), [&](size_t i) {
    found.files[i].digest = callbacks.on_file(found.files[i].path, found.files[i].info);
  });
  // The first error by name, whichever thread met it.
  for (const FoundFile& file : found.files) RETURN_IF_ERROR(*file.digest);
  RETURN_IF_ERROR(callbacks.after_files());
  for (FoundFolder& folder : found.folders) {
    Tree tree;
    tree.reserve(folder.children.size());
    for (Child& child : folder.children) {
      if (child.is_folder) {
        const Stored& stored = found.folders[child.index].stored;
        tree.push_back(
            {std::move(child.name), ObjectKind::kTree, stored.id.digest, stored.size_bytes});
      } else {
        const FoundFile& file = found.files[child.index];
        tree.push_back({std::move(child.name), KindOfFile(file.info), file.digest->value(),
                        file.info.size_bytes});
      }
    }
    ASSIGN_OR_RETURN(folder.stored, callbacks.on_tree(std::move(tree)));
  }
  return found.folders.back().stored;
}

}  // namespace internal

Result<Stored> HashPath(io::Fs& fs, const std::string& path, const HashOptions& options) {
  return internal::Walk(fs, path, options.thread_count,
                        {.on_file =
                             [&](const std::string& absolute_path, const io::FileInfo& info) {
                               return internal::HashFile(fs, absolute_path, info, options.cache);
                             },
                         .on_tree = [](Tree tree) { return IdentifyTree(std::move(tree)); }});
}

}  // namespace sluice::objects
