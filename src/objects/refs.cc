// Named roots: small files under refs/.
#include <fmt/format.h>

#include <algorithm>

#include "objects/store.h"

namespace sluice::objects {
namespace {

constexpr int kMaxRefParts = 8;
constexpr int64_t kMaxRefBytes = 128;

Result<ObjectId> ParseRef(std::string_view name, std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  Result<ObjectId> id = ObjectId::Parse(text);
  if (!id.ok()) return DataLoss(fmt::format("ref '{}' is damaged: {}", name, id.error().message()));
  return id;
}

}  // namespace

Result<std::string> Store::RefPath(std::string_view name) const {
  std::string_view rest = name;
  for (int parts = 1;; ++parts) {
    std::string_view part = rest.substr(0, rest.find('/'));
    Status status = CheckEntryName(part);
    if (!status.ok() || parts > kMaxRefParts) {
      return InvalidArgument(fmt::format(
          "'{}' is no name for a ref; use 1 to {} names joined by '/'", name, kMaxRefParts));
    }
    if (part.size() == rest.size()) break;
    rest.remove_prefix(part.size() + 1);
  }
  return fmt::format("{}/refs/{}", directory_, name);
}

Status Store::SetRef(std::string_view name, const ObjectId& id) {
  ASSIGN_OR_RETURN(std::string path, RefPath(name));
  // Written among the temporaries: a leftover under refs/ would look like a ref.
  std::string temporary = NewTemporaryPath();
  ASSIGN_OR_RETURN(std::unique_ptr<io::FileLock> lock, Lock(io::LockMode::kShared));
  auto write = [&]() -> Status {
    RETURN_IF_ERROR(fs_.MakeDirectories(io::DirName(path)));
    ASSIGN_OR_RETURN(std::unique_ptr<io::WritableFile> file, fs_.OpenForWrite(temporary));
    RETURN_IF_ERROR(file->Append(id.ToString() + "\n"));
    if (options_.durability == io::Durability::kDurable) RETURN_IF_ERROR(file->Sync());
    RETURN_IF_ERROR(file->Close());
    RETURN_IF_ERROR(fs_.Rename(temporary, path));
    if (options_.durability == io::Durability::kFast) return Ok();
    // Up to refs/ itself, since any folder on the way may be new.
    std::string root = io::JoinPath(directory_, "refs");
    for (std::string folder = io::DirName(path); folder.size() >= root.size();
         folder = io::DirName(folder)) {
      RETURN_IF_ERROR(fs_.SyncDirectory(folder));
    }
    return Ok();
  };
  Status status = write();
  if (!status.ok()) {
    Status removed = fs_.Remove(temporary);  // else garbage collection does
    return std::move(status).error().With(fmt::format("set ref '{}'", name));
  }
  return Ok();
}

Result<std::optional<ObjectId>> Store::FindRef(std::string_view name) {
  ASSIGN_OR_RETURN(std::string path, RefPath(name));
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(path, false));
  if (!info || info->kind != io::FileKind::kFile) return std::optional<ObjectId>();
  ASSIGN_OR_RETURN(std::string text, fs_.ReadFile(path, kMaxRefBytes));
  ASSIGN_OR_RETURN(ObjectId id, ParseRef(name, text));
  return std::optional(id);
}

Status Store::RemoveRef(std::string_view name) {
  ASSIGN_OR_RETURN(std::string path, RefPath(name));
  ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(path, false));
  if (!info || info->kind != io::FileKind::kFile) return Ok();
  RETURN_IF_ERROR(fs_.Remove(path));
  return options_.durability == io::Durability::kDurable ? fs_.SyncDirectory(io::DirName(path))
                                                         : Ok();
}

Status Store::ListRefsBelow(const std::string& prefix,
                            std::vector<std::pair<std::string, ObjectId>>& refs) {
  ASSIGN_OR_RETURN(std::vector<std::string> names,
                   fs_.ListDirectory(fmt::format("{}/refs/{}", directory_, prefix)));
  for (const std::string& name : names) {
    std::string ref = prefix.empty() ? name : prefix + "/" + name;
    std::string path = fmt::format("{}/refs/{}", directory_, ref);
    ASSIGN_OR_RETURN(std::optional<io::FileInfo> info, fs_.Stat(path, false));
    if (!info) continue;
    if (info->kind == io::FileKind::kDirectory) {
      RETURN_IF_ERROR(ListRefsBelow(ref, refs));
    } else {
      ASSIGN_OR_RETURN(std::string text, fs_.ReadFile(path, kMaxRefBytes));
      ASSIGN_OR_RETURN(ObjectId id, ParseRef(ref, text));
      refs.emplace_back(std::move(ref), id);
    }
  }
  return Ok();
}

Result<std::vector<std::pair<std::string, ObjectId>>> Store::ListRefs() {
  std::vector<std::pair<std::string, ObjectId>> refs;
  RETURN_IF_ERROR(ListRefsBelow("", refs));
  std::sort(refs.begin(), refs.end());
  return refs;
}

}  // namespace sluice::objects
