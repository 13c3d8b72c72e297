#include "runner/internal/step_io.h"

#include <fmt/format.h>

#include "objects/store.h"

namespace sluice::runner {
namespace {

Error NotMade(const pipeline::Step& step, const pipeline::Output& output, const std::string& path) {
  return FailedPrecondition(fmt::format("it ended well but did not make its output '{}' ('{}')",
                                        output.name, step.is_native() ? io::BaseName(path) : path));
}

}  // namespace

Result<std::string> StepIo::CheckOut(const objects::ObjectId& id, std::string_view file_name) {
  // The kind is in the name, since "file" and "exec" may share a digest.
  std::string name =
      fmt::format("{}-{}", id.digest.ToHex().substr(0, 32), objects::ObjectKindName(id.kind));
  std::string relative = fmt::format("{}/{}/{}", kCheckoutsFolder, name, file_name);
  RETURN_IF_ERROR(deps_.store.Materialise(id, AbsoluteOf(relative)));
  used_checkouts_.insert(name);
  return relative;
}

Status StepIo::RemoveOldCheckouts() {
  Result<std::vector<std::string>> names = deps_.fs.ListDirectory(AbsoluteOf(kCheckoutsFolder));
  if (!names.ok()) return Ok();  // none yet
  for (const std::string& name : *names) {
    if (used_checkouts_.contains(name)) continue;
    RETURN_IF_ERROR(deps_.fs.RemoveTree(io::JoinPath(AbsoluteOf(kCheckoutsFolder), name)));
  }
  return Ok();
}

Status StepIo::ClearOutputs(const pipeline::Step& step) {
  for (const pipeline::Output& output : step.outputs) {
    for (const std::string& path : output.paths) {
      std::string folder = io::DirName(path);
      // Link by link, so that no folder is made outside.
      ASSIGN_OR_RETURN(std::optional<std::string> real,
                       ResolveInProject(deps_.fs, project_, folder));
      if (!real) RETURN_IF_ERROR(deps_.fs.MakeDirectories(AbsoluteOf(folder)));
      RETURN_IF_ERROR(deps_.fs.RemoveTree(AbsoluteOf(path)));
    }
  }
  return Ok();
}

Result<std::vector<StepOutput>> StepIo::Ingest(const pipeline::Step& step,
                                               const std::string& directory) {
  std::vector<StepOutput> outputs;
  for (const pipeline::Output& output : step.outputs) {
    std::vector<PlacedObject> placed;
    for (const std::string& path : output.paths) {
      std::string source = io::JoinPath(directory, "out/" + path);
      if (!step.is_native()) {
        ASSIGN_OR_RETURN(std::optional<std::string> real,
                         ResolveInProject(deps_.fs, project_, path));
        if (!real) return NotMade(step, output, path);
        source = AbsoluteOf(*real);
      }
      ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, deps_.fs.Stat(source, false));
      if (!info) return NotMade(step, output, path);
      // A native step's file is ours and becomes the object; a person may edit a file in the
      // project.
      Result<objects::Stored> stored = deps_.store.PutPath(source, {.adopt = step.is_native()});
      if (!stored.ok()) {
        return std::move(stored).error().With(
            fmt::format("store output '{}' ('{}')", output.name, path));
      }
      placed.push_back({path, *stored});
    }
    objects::Stored stored = placed.empty() ? objects::Stored() : placed[0].stored;
    if (placed.size() > 1) {
      ASSIGN_OR_RETURN(stored, MakeNestedTree(std::move(placed), [&](objects::Tree tree) {
                         return deps_.store.PutTree(std::move(tree));
                       }));
    }
    outputs.push_back({output.name, stored});
  }
  return outputs;
}

Status StepIo::Restore(const pipeline::Step& step, const std::vector<StepOutput>& outputs) {
  if (step.is_native()) return Ok();
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    const std::vector<std::string>& paths = step.outputs[i].paths;
    const objects::ObjectId& id = outputs[i].stored.id;
    for (const std::string& path : paths) {
      objects::ObjectId part = id;
      if (paths.size() > 1) {
        ASSIGN_OR_RETURN(objects::Stored found, deps_.store.FindInTree(id.digest, path));
        part = found.id;
      }
      RETURN_IF_ERROR(RestorePath(part, path));
    }
  }
  return Ok();
}

Status StepIo::RestorePath(const objects::ObjectId& id, const std::string& relative) {
  std::string path = AbsoluteOf(relative);
  ASSIGN_OR_RETURN(std::optional<std::string> folder,
                   ResolveInProject(deps_.fs, project_, io::DirName(relative)));
  if (folder) {
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, deps_.fs.Stat(path, false));
    if (info && info->kind != io::FileKind::kSymlink) {
      Result<objects::Stored> present =
          objects::HashPath(deps_.fs, path, {.cache = &deps_.stat_cache});
      if (present.ok() && present->id == id) return Ok();
    }
  }
  return deps_.store.Materialise(id, path, objects::LinkMode::kCopy);
}

Result<bool> StepIo::AreOutputsUntouchedSince(const pipeline::Step& step, int64_t end_ms) {
  // The record's time is cut to whole milliseconds.
  int64_t end_ns = (end_ms + 1) * 1'000'000;
  for (const pipeline::Output& output : step.outputs) {
    for (const std::string& path : output.paths) {
      ASSIGN_OR_RETURN(bool is_untouched, IsUntouchedSince(AbsoluteOf(path), end_ns));
      if (!is_untouched) return false;
    }
  }
  return true;
}

/// By ctime, which nobody can set back: writing, renaming and changing modes all move it.
Result<bool> StepIo::IsUntouchedSince(const std::string& path, int64_t end_ns) {
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, deps_.fs.Stat(path, false));
  if (!info || info->ctime_ns > end_ns) return false;
  if (info->kind != io::FileKind::kDirectory) return true;
  ASSIGN_OR_RETURN(std::vector<std::string> names, deps_.fs.ListDirectory(path));
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(bool is_untouched, IsUntouchedSince(io::JoinPath(path, name), end_ns));
    if (!is_untouched) return false;
  }
  return true;
}

Status DropDamaged(io::Fs& fs, objects::Store& store, const objects::ObjectId& id) {
  if (id.is_tree()) {
    Result<objects::Tree> tree = store.GetTree(id.digest);
    if (tree.ok()) {
      for (const objects::TreeEntry& entry : *tree) {
        RETURN_IF_ERROR(DropDamaged(fs, store, {entry.kind, entry.digest}));
      }
      return Ok();
    }
    if (tree.error().code() != ErrorCode::kDataLoss) return Ok();
    return fs.Remove(store.PathOf(id.digest));
  }
  Result<std::string> path = store.GetVerifiedPath(id.digest);
  if (path.ok() || path.error().code() != ErrorCode::kDataLoss) return Ok();
  return fs.Remove(store.PathOf(id.digest));
}

}  // namespace sluice::runner
