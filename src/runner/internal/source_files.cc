#include "runner/internal/source_files.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <atomic>

#include "base/thread_pool.h"
#include "objects/store.h"

namespace sluice::runner {
namespace {

constexpr size_t kHashThreadCount = 2;

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    size_t end = std::min(path.find('/'), path.size());
    if (end > 0 && path.substr(0, end) != ".") parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

std::string JoinParts(std::span<const std::string> parts) {
  std::string path;
  for (const std::string& part : parts) {
    if (!path.empty()) path.push_back('/');
    path += part;
  }
  return path;
}

Error LeavesProject(const std::string& relative, const std::string& target) {
  return PermissionDenied(
      fmt::format("'{}' leads out of the project, to '{}'; copy the file into the project or make "
                  "a dataset of it "
                  "where it is",
                  relative, target));
}

/// Goes through the folders that a glob's components name.
class GlobWalk {
 public:
  GlobWalk(io::Fs& fs, const std::string& project, const std::string& pattern)
      : fs_(fs), project_(project), pattern_(pattern), parts_(SplitPath(pattern)) {}

  Result<std::vector<std::string>> Run() {
    RETURN_IF_ERROR(Enter("", 0, 0));
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  /// `folder` (relative, "" is the project) matched the parts before `part`.
  Status Enter(const std::string& folder, size_t part, int depth) {
    if (depth > kMaxGlobDepth) {
      return ResourceExhausted(
          fmt::format("'{}': '{}' is more than {} folders deep", pattern_, folder, kMaxGlobDepth));
    }
    const std::string& wanted = parts_[part];
    bool is_last = part + 1 == parts_.size();
    if (wanted == "**" && !is_last) RETURN_IF_ERROR(Enter(folder, part + 1, depth));
    Result<std::vector<std::string>> names = fs_.ListDirectory(io::JoinPath(project_, folder));
    if (!names.ok() && names.error().code() == ErrorCode::kNotFound) return Ok();
    if (!names.ok()) return std::move(names).error().With(fmt::format("look for '{}'", pattern_));
    for (const std::string& name : *names) {
      if (folder.empty() && (name == ".sluice" || name == ".git")) continue;
      bool is_match =
          wanted == "**" ? name[0] != '.' : fnmatch(wanted.c_str(), name.c_str(), FNM_PERIOD) == 0;
      if (!is_match) continue;
      std::string path = folder.empty() ? name : folder + "/" + name;
      RETURN_IF_ERROR(Visit(path, part, is_last, depth));
    }
    return Ok();
  }

  Status Visit(const std::string& path, size_t part, bool is_last, int depth) {
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info,
                     fs_.Stat(io::JoinPath(project_, path), false));
    if (info && info->kind == io::FileKind::kSymlink) {
      // A link to a file is a file; a link to a folder is not followed, or a circle would be
      // walked.
      ASSIGN_OR_RETURN(std::optional<std::string> real, ResolveInProject(fs_, project_, path));
      if (!real) return Ok();
      ASSIGN_OR_RETURN(info, fs_.Stat(io::JoinPath(project_, *real), false));
      if (info && info->kind == io::FileKind::kDirectory) return Ok();
    }
    if (!info) return Ok();
    bool is_any_depth = parts_[part] == "**";
    if (info->kind == io::FileKind::kDirectory) {
      if (is_any_depth) return Enter(path, part, depth + 1);
      return is_last ? Ok() : Enter(path, part + 1, depth + 1);
    }
    if (info->kind != io::FileKind::kFile || !is_last) return Ok();
    if (found_.size() >= kMaxMatchCount) {
      return ResourceExhausted(
          fmt::format("'{}' matches more than {} files", pattern_, kMaxMatchCount));
    }
    found_.push_back(path);
    return Ok();
  }

  io::Fs& fs_;
  const std::string& project_;
  const std::string& pattern_;
  const std::vector<std::string> parts_;
  std::vector<std::string> found_;
};

/// Tree of objects[begin, end), whose first `depth` parts agree.
struct PartedObject {
  std::vector<std::string> parts;
  objects::Stored stored;
};
Result<objects::Stored> MakeFolder(
    std::span<const PartedObject> members, size_t depth,
    const std::function<Result<objects::Stored>(objects::Tree)>& put) {
  objects::Tree tree;
  for (size_t begin = 0; begin < members.size();) {
    const std::string& name = members[begin].parts[depth];
    size_t end = begin + 1;
    while (end < members.size() && members[end].parts[depth] == name) ++end;
    objects::Stored stored = members[begin].stored;
    if (members[begin].parts.size() > depth + 1) {
      ASSIGN_OR_RETURN(stored, MakeFolder(members.subspan(begin, end - begin), depth + 1, put));
    } else if (end != begin + 1) {
      return InvalidArgument(fmt::format("'{}' is named twice, or lies in another path's way",
                                         JoinParts(members[begin].parts)));
    }
    tree.push_back({name, stored.id.kind, stored.id.digest, stored.size_bytes});
    begin = end;
  }
  return put(std::move(tree));
}

}  // namespace

Result<objects::Stored> MakeNestedTree(
    std::vector<PlacedObject> objects,
    const std::function<Result<objects::Stored>(objects::Tree)>& put) {
  std::vector<PartedObject> members;
  members.reserve(objects.size());
  for (PlacedObject& object : objects) members.push_back({SplitPath(object.path), object.stored});
  std::sort(members.begin(), members.end(),
            [](const PartedObject& a, const PartedObject& b) { return a.parts < b.parts; });
  return MakeFolder(members, 0, put);
}

Result<std::optional<std::string>> ResolveInProject(io::Fs& fs, const std::string& project,
                                                    const std::string& relative) {
  std::vector<std::string> resolved;
  std::vector<std::string> rest = SplitPath(relative);
  std::reverse(rest.begin(), rest.end());
  for (int link_count = 0; !rest.empty();) {
    std::string part = std::move(rest.back());
    rest.pop_back();
    if (part == "..") {
      if (resolved.empty()) return LeavesProject(relative, "..");
      resolved.pop_back();
      continue;
    }
    resolved.push_back(std::move(part));
    std::string path = io::JoinPath(project, JoinParts(resolved));
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs.Stat(path, false));
    if (!info) return std::optional<std::string>();
    if (info->kind != io::FileKind::kSymlink) continue;
    if (++link_count > kMaxLinkCount) {
      return InvalidArgument(
          fmt::format("'{}' goes through more than {} symbolic links", relative, kMaxLinkCount));
    }
    ASSIGN_OR_RETURN(std::string target, fs.ReadLink(path));
    resolved.pop_back();
    if (target.starts_with('/')) {
      if (target != project && !target.starts_with(project + "/")) {
        return LeavesProject(relative, target);
      }
      resolved.clear();
      target.erase(0, project.size());
    }
    std::vector<std::string> parts = SplitPath(target);
    rest.insert(rest.end(), std::make_move_iterator(parts.rbegin()),
                std::make_move_iterator(parts.rend()));
  }
  return std::optional(JoinParts(resolved));
}

Result<std::vector<std::string>> ExpandGlob(io::Fs& fs, const std::string& project,
                                            const std::string& pattern) {
  if (SplitPath(pattern).empty()) return std::vector<std::string>();
  return GlobWalk(fs, project, pattern).Run();
}

Result<SourcesByPattern> LoadSources(io::Fs& fs, const std::string& project,
                                     std::span<const pipeline::SourcePattern> patterns,
                                     objects::StatCache& cache) {
  SourcesByPattern sources;
  struct Work {
    SourceFiles* files;
    std::vector<objects::Stored> stored;
    bool is_glob;
  };
  std::vector<Work> work;
  struct Task {
    size_t work;
    size_t file;
    std::string path;
  };
  std::vector<Task> tasks;
  for (const pipeline::SourcePattern& pattern : patterns) {
    auto [place, is_new] = sources.try_emplace(pattern.pattern);
    if (!is_new) continue;
    SourceFiles& files = place->second;
    if (pattern.is_glob) {
      ASSIGN_OR_RETURN(files.paths, ExpandGlob(fs, project, pattern.pattern));
    } else {
      files.paths = {pattern.pattern};
    }
    bool is_missing = files.paths.empty();
    std::vector<std::string> real_paths;
    for (const std::string& path : files.paths) {
      ASSIGN_OR_RETURN(std::optional<std::string> real, ResolveInProject(fs, project, path));
      is_missing = is_missing || !real;
      real_paths.push_back(real.value_or(""));
    }
    if (is_missing) continue;
    for (size_t i = 0; i < real_paths.size(); ++i) {
      tasks.push_back({work.size(), i, io::JoinPath(project, real_paths[i])});
    }
    work.push_back({&files, std::vector<objects::Stored>(real_paths.size()), pattern.is_glob});
  }
  std::vector<Status> statuses(tasks.size());
  ParallelFor(std::min(kHashThreadCount, tasks.size()), tasks.size(), [&](size_t i) {
    Result<objects::Stored> stored =
        objects::HashPath(fs, tasks[i].path, {.cache = &cache, .thread_count = 1});
    if (stored.ok()) {
      work[tasks[i].work].stored[tasks[i].file] = *stored;
    } else {
      statuses[i] = std::move(stored).error().With("read the pipeline's sources");
    }
  });
  for (Status& status : statuses) RETURN_IF_ERROR(std::move(status));
  for (Work& done : work) {
    if (!done.is_glob) {
      done.files->digest = done.stored[0].id.digest;
      continue;
    }
    std::vector<PlacedObject> placed;
    for (size_t i = 0; i < done.stored.size(); ++i) {
      placed.push_back({done.files->paths[i], done.stored[i]});
    }
    ASSIGN_OR_RETURN(objects::Stored tree,
                     MakeNestedTree(std::move(placed), objects::IdentifyTree));
    done.files->digest = tree.id.digest;
  }
  return sources;
}

}  // namespace sluice::runner
