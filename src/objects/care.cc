// Garbage collection and checking: what looks at the whole store.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/thread_pool.h"
#include "objects/internal/walk.h"
#include "objects/store.h"

namespace sluice::objects {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

}  // namespace

Status Store::ForEachObject(const std::function<Status(const Digest&, const std::string& path,
                                                       const io::FileInfo&)>& on_object) {
  for (int first = 0; first < 256; ++first) {
    std::string prefix = fmt::format("{:02x}", first);
    std::string folder = io::JoinPath(directory_, prefix);
    Result<std::vector<std::string>> names = fs_.ListDirectory(folder);
    if (!names.ok()) {
      if (names.error().code() == ErrorCode::kNotFound) continue;
      return std::move(names).error();
    }
    for (const std::string& name : *names) {
      Result<Digest> digest = Digest::FromHex(prefix + name);
      if (!digest.ok()) continue;  // not ours
      std::string path = io::JoinPath(folder, name);
      ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(path, false));
      if (info && info->kind == io::FileKind::kFile)
        RETURN_IF_ERROR(on_object(*digest, path, *info));
    }
  }
  return Ok();
}

Result<GarbageReport> Store::CollectGarbage(
    const std::function<Result<std::vector<ObjectId>>()>& roots, const GarbageOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<io::FileLock> lock, Lock(io::LockMode::kExclusive));
  // From here on nobody puts, so what is recorded now is all there will be until the end.
  ASSIGN_OR_RETURN(std::vector<ObjectId> pending, roots());
  ASSIGN_OR_RETURN(auto refs, ListRefs());
  for (const auto& [name, id] : refs) pending.push_back(id);

  std::unordered_set<Digest> reached_files;
  std::unordered_set<Digest> reached_trees;
  while (!pending.empty()) {
    ObjectId id = pending.back();
    pending.pop_back();
    if (!id.is_tree()) {
      reached_files.insert(id.digest);
      continue;
    }
    if (!reached_trees.insert(id.digest).second) continue;
    Result<Tree> tree = GetTree(id.digest);
    if (!tree.ok()) {
      if (tree.error().code() == ErrorCode::kNotFound) continue;
      return std::move(tree).error().With("collect garbage (nothing was removed)");
    }
    for (const TreeEntry& entry : *tree) pending.push_back({entry.kind, entry.digest});
  }

  int64_t oldest_kept_ms = clock_.NowMs() - options.grace_ms;
  std::unordered_set<Digest> put_again;
  std::string marks = io::JoinPath(directory_, "recent");
  ASSIGN_OR_RETURN(std::vector<std::string> mark_names, fs_.ListDirectory(marks));
  for (const std::string& name : mark_names) {
    std::string path = io::JoinPath(marks, name);
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(path, false));
    Result<Digest> digest = Digest::FromHex(name);
    if (info && digest.ok() && info->mtime_ns / kNsPerMs > oldest_kept_ms) {
      put_again.insert(*digest);
    } else if (!options.dry_run) {
      RETURN_IF_ERROR(fs_.RemoveTree(path));
    }
  }

  GarbageReport report;
  RETURN_IF_ERROR(ForEachObject(
      [&](const Digest& digest, const std::string& path, const io::FileInfo& info) -> Status {
        bool is_kept = reached_files.contains(digest) || reached_trees.contains(digest) ||
                       put_again.contains(digest) || info.mtime_ns / kNsPerMs > oldest_kept_ms;
        if (is_kept) {
          ++report.kept_count;
          report.kept_bytes += info.size_bytes;
          return Ok();
        }
        ++report.removed_count;
        report.removed_bytes += info.size_bytes;
        return options.dry_run ? Ok() : fs_.Remove(path);
      }));
  // Whoever writes a temporary holds the lock, so all of these were left by processes that died.
  std::string temporaries = io::JoinPath(directory_, "tmp");
  ASSIGN_OR_RETURN(std::vector<std::string> temporary_names, fs_.ListDirectory(temporaries));
  for (const std::string& name : temporary_names) {
    ++report.removed_temporary_count;
    if (!options.dry_run) RETURN_IF_ERROR(fs_.RemoveTree(io::JoinPath(temporaries, name)));
  }
  return report;
}

Result<FsckReport> Store::Fsck(const std::vector<ObjectId>& roots) {
  struct Found {
    Digest digest;
    std::string path;
    io::FileInfo info;
    std::string problem;
  };
  std::vector<Found> objects;
  RETURN_IF_ERROR(ForEachObject(
      [&](const Digest& digest, const std::string& path, const io::FileInfo& info) -> Status {
        objects.push_back({digest, path, info, ""});
        return Ok();
      }));
  FsckReport report;
  ParallelFor(options_.thread_count, objects.size(), [&](size_t i) {
    Found& object = objects[i];
    Result<Digest> actual = internal::HashFile(fs_, object.path, object.info, nullptr);
    if (!actual.ok()) {
      object.problem = fmt::format("object {} cannot be read: {}", object.digest.ToHex(),
                                   actual.error().message());
    } else if (*actual != object.digest) {
      object.problem = fmt::format("object {} is damaged: its bytes have digest {}",
                                   object.digest.ToHex(), actual->ToHex());
    }
  });
  std::unordered_map<Digest, bool> is_good;
  for (Found& object : objects) {
    ++report.object_count;
    report.size_bytes += object.info.size_bytes;
    is_good[object.digest] = object.problem.empty();
    if (!object.problem.empty())
      report.problems.push_back({object.digest, std::move(object.problem)});
  }

  // What names must be there; a damaged object is reported above, not again for everything that
  // names it.
  struct Wanted {
    ObjectId id;
    std::string by;
  };
  std::vector<Wanted> pending;
  for (const ObjectId& id : roots) pending.push_back({id, "a root"});
  ASSIGN_OR_RETURN(auto refs, ListRefs());
  for (auto& [name, id] : refs) pending.push_back({id, fmt::format("ref '{}'", name)});
  std::unordered_set<Digest> seen;
  while (!pending.empty()) {
    Wanted wanted = std::move(pending.back());
    pending.pop_back();
    if (!seen.insert(wanted.id.digest).second) continue;
    auto found = is_good.find(wanted.id.digest);
    if (found == is_good.end()) {
      report.problems.push_back(
          {wanted.id.digest,
           fmt::format("object {} is missing; {} names it", wanted.id.digest.ToHex(), wanted.by)});
      continue;
    }
    if (!found->second || !wanted.id.is_tree()) continue;
    Result<Tree> tree = GetTree(wanted.id.digest);
    if (!tree.ok()) {
      report.problems.push_back({wanted.id.digest, tree.error().message()});
      continue;
    }
    for (const TreeEntry& entry : *tree) {
      pending.push_back({{entry.kind, entry.digest},
                         fmt::format("tree {} as '{}'", wanted.id.digest.ToShort(), entry.name)});
    }
  }
  std::sort(report.problems.begin(), report.problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.digest, a.message) < std::tie(b.digest, b.message);
  });
  return report;
}

}  // namespace sluice::objects
