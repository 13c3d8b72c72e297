#include "app/mlflow_import/artifacts.h"

#include <algorithm>
#include <vector>

#include "objects/remote_path.h"

namespace sluice::app::mlflow_import {
namespace {

using objects::JoinRemotePath;
using objects::Remote;
using objects::RemoteEntry;
using objects::RemoteStat;

constexpr std::string_view kTrash = ".trash";
constexpr int kDepthMax = 100;

/// Where a file is and where it goes.
struct File {
  std::string from;
  std::string to;
  int64_t size_bytes = 0;
};
using Visit = std::function<Status(const File&)>;

class Walk {
 public:
  Walk(Remote& source, Notes& notes, Visit visit)
      : source_(source), notes_(notes), visit_(std::move(visit)) {}

  Status Run() {
    ASSIGN_OR_RETURN(const bool is_file_store, IsFileStore());
    if (!is_file_store) return Folder("", "", 0);
    RETURN_IF_ERROR(Experiments(""));
    return Experiments(std::string(kTrash));
  }

 private:
  Result<bool> HasMeta(const std::string& folder) {
    ASSIGN_OR_RETURN(const auto meta, source_.Stat(JoinRemotePath(folder, "meta.yaml")));
    return meta.has_value() && !meta->is_directory;
  }

  static bool IsNumber(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
  }

  Result<bool> IsFileStore() {
    ASSIGN_OR_RETURN(const std::vector<RemoteEntry> entries, source_.List(""));
    for (const RemoteEntry& entry : entries) {
      if (!entry.is_directory || !IsNumber(entry.name)) continue;
      ASSIGN_OR_RETURN(const bool has_meta, HasMeta(entry.name));
      if (has_meta) return true;
    }
    return false;
  }

  /// The experiments of a file store.
  Status Experiments(const std::string& folder) {
    ASSIGN_OR_RETURN(const std::vector<RemoteEntry> entries, source_.List(folder));
    for (const RemoteEntry& entry : entries) {
      if (!entry.is_directory || !IsNumber(entry.name)) continue;
      const std::string path = JoinRemotePath(folder, entry.name);
      RETURN_IF_ERROR(ArtifactsBelow(path, entry.name));
      RETURN_IF_ERROR(
          ArtifactsBelow(JoinRemotePath(path, "models"), JoinRemotePath(entry.name, "models")));
    }
    return Ok();
  }

  /// The folders `artifacts` of the runs, or logged models, in a folder.
  Status ArtifactsBelow(const std::string& from, const std::string& to) {
    ASSIGN_OR_RETURN(const std::vector<RemoteEntry> entries, source_.List(from));
    for (const RemoteEntry& entry : entries) {
      if (!entry.is_directory) continue;
      const std::string tail = JoinRemotePath(entry.name, "artifacts");
      RETURN_IF_ERROR(Folder(JoinRemotePath(from, tail), JoinRemotePath(to, tail), 0));
    }
    return Ok();
  }

  Status Folder(const std::string& from, const std::string& to, int depth) {
    if (depth > kDepthMax) {
      notes_.Add("folders of artifacts that are too deep, left out", from);
      return Ok();
    }
    ASSIGN_OR_RETURN(const std::vector<RemoteEntry> entries, source_.List(from));
    for (const RemoteEntry& entry : entries) {
      const std::string path = JoinRemotePath(from, entry.name);
      const std::string target = JoinRemotePath(to, entry.name);
      const Result<std::string> normal = objects::NormalRemotePath(target);
      if (!normal.ok() || *normal != target) {
        notes_.Add("artifacts with names that cannot be served, left out", path);
        continue;
      }
      if (entry.is_directory) {
        RETURN_IF_ERROR(Folder(path, target, depth + 1));
      } else {
        RETURN_IF_ERROR(visit_({.from = path, .to = target, .size_bytes = entry.size_bytes}));
      }
    }
    return Ok();
  }

  Remote& source_;
  Notes& notes_;
  const Visit visit_;
};

Result<bool> IsCopied(Remote& source, Remote& target, const File& file) {
  ASSIGN_OR_RETURN(const auto there, target.Stat(file.to));
  if (!there || there->is_directory || there->size_bytes != file.size_bytes) return false;
  ASSIGN_OR_RETURN(const auto here, source.Stat(file.from));
  return here && here->mtime_ms <= there->mtime_ms;
}

}  // namespace

Result<ArtifactReport> CopyArtifacts(Remote& source, Remote& target,
                                     const std::function<void(int64_t file_count)>& on_progress,
                                     Notes& notes) {
  ArtifactReport report;
  auto copy = [&](const File& file) -> Status {
    ++report.in_source.file_count;
    report.in_source.size_bytes += file.size_bytes;
    if (on_progress) on_progress(report.in_source.file_count);
    ASSIGN_OR_RETURN(const bool is_copied, IsCopied(source, target, file));
    if (is_copied) return Ok();
    ASSIGN_OR_RETURN(const auto reader, source.Open(file.from));
    const RemoteStat& stat = reader->stat();
    ASSIGN_OR_RETURN(const auto bytes, reader->Read(0, stat.size_bytes));
    RETURN_IF_ERROR(
        target.Put(file.to, *bytes, {.size_bytes = stat.size_bytes, .content_type = {}}));
    ++report.copied_count;
    return Ok();
  };
  RETURN_IF_ERROR(Walk(source, notes, copy).Run());
  Notes said_before;
  auto look = [&](const File& file) -> Status {
    ASSIGN_OR_RETURN(const auto there, target.Stat(file.to));
    if (!there || there->size_bytes != file.size_bytes) return Ok();
    ++report.in_target.file_count;
    report.in_target.size_bytes += there->size_bytes;
    return Ok();
  };
  RETURN_IF_ERROR(Walk(source, said_before, look).Run());
  return report;
}

std::string ServedUri(const std::string& uri, std::string_view root) {
  std::string_view path = uri;
  if (path.starts_with("file://")) path.remove_prefix(7);
  while (root.size() > 1 && root.ends_with('/')) root.remove_suffix(1);
  if (!path.starts_with(root)) return uri;
  path.remove_prefix(root.size());
  if (!path.empty() && path.front() != '/') return uri;
  while (path.starts_with('/')) path.remove_prefix(1);
  return "mlflow-artifacts:/" + std::string(path);
}

}  // namespace sluice::app::mlflow_import
