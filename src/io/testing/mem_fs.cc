#include "io/testing/mem_fs.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "base/check.h"

namespace sluice::io {
namespace {

constexpr int kMaxLinkDepth = 40;

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    size_t slash = std::min(path.find('/'), path.size());
    std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
      continue;
    }
    parts.emplace_back(part);
  }
  return parts;
}

struct Node;
using NodePtr = std::shared_ptr<Node>;
using Entries = std::map<std::string, NodePtr>;

/// An inode. What `synced_` fields hold is what a power cut leaves.
struct Node {
  FileKind kind = FileKind::kFile;
  uint64_t inode = 0;
  uint32_t mode = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  std::string content;  ///< of a file, or the target of a link
  std::string synced_content;
  Entries entries;  ///< of a directory
  Entries synced_entries;
  int shared_lock_count = 0;
  bool is_locked_exclusively = false;
};

}  // namespace

class MemFs::Impl : public std::enable_shared_from_this<MemFs::Impl> {
 public:
  explicit Impl(Clock* clock) : clock_(clock) { root_ = NewNode(FileKind::kDirectory, 0755); }

  std::mutex mutex;
  std::condition_variable unlocked;

  // All below: with `mutex` held.

  /// Counts a change; the injected error if this is one to fail.
  Status Change() {
    int64_t index = mutation_count++;
    if (fault_index_ < 0 || index < fault_index_) return Ok();
    if (is_fault_once_ && index > fault_index_) return Ok();
    return fault_;
  }
  void SetFault(int64_t index, bool once, Error error) {
    fault_index_ = mutation_count + index;
    is_fault_once_ = once;
    fault_ = std::move(error);
  }
  void ClearFault() { fault_index_ = -1; }

  int64_t NowNs() {
    if (clock_ != nullptr) return clock_->NowMs() * 1'000'000;
    return 1'700'000'000'000'000'000 + ++tick_ * 1'000'000;
  }
  NodePtr NewNode(FileKind kind, uint32_t mode) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->inode = ++last_inode_;
    node->mode = mode;
    node->mtime_ns = node->ctime_ns = NowNs();
    return node;
  }
  void Touch(Node& node) { node.mtime_ns = node.ctime_ns = NowNs(); }

  /// Where a name is or would be: its directory and last component ("" for the root itself).
  struct Place {
    NodePtr directory;
    std::string name;
    NodePtr node;  ///< null if absent
  };
  Result<Place> Walk(const std::string& path, bool follow, std::string_view action) {
    std::vector<std::string> parts = SplitPath(path);
    int links = 0;
    for (;;) {
      NodePtr node = root_;
      size_t i = 0;
      bool restarted = false;
      Place place{root_, "", root_};
      for (; i < parts.size(); ++i) {
        if (node->kind != FileKind::kDirectory) return ErrnoError(ENOTDIR, action, path);
        auto found = node->entries.find(parts[i]);
        bool is_last = i + 1 == parts.size();
        if (found == node->entries.end()) {
          if (!is_last) return ErrnoError(ENOENT, action, path);
          return Place{node, parts[i], nullptr};
        }
        if (found->second->kind == FileKind::kSymlink && (follow || !is_last)) {
          if (++links > kMaxLinkDepth) return ErrnoError(ELOOP, action, path);
          std::vector<std::string> target = SplitPath(found->second->content);
          std::vector<std::string> resolved;
          if (!found->second->content.starts_with('/')) {
            // "..", which SplitPath has cut off at the start of a relative target, is not needed
            // here.
            resolved.assign(parts.begin(), parts.begin() + static_cast<ptrdiff_t>(i));
          }
          resolved.insert(resolved.end(), target.begin(), target.end());
          resolved.insert(resolved.end(), parts.begin() + static_cast<ptrdiff_t>(i) + 1,
                          parts.end());
          parts = std::move(resolved);
          restarted = true;
          break;
        }
        place = {node, parts[i], found->second};
        node = found->second;
      }
      if (!restarted) return place;
    }
  }
  Result<NodePtr> Existing(const std::string& path, bool follow, std::string_view action) {
    ASSIGN_OR_RETURN(Place place, Walk(path, follow, action));
    if (place.node == nullptr) return ErrnoError(ENOENT, action, path);
    return place.node;
  }
  Result<NodePtr> ExistingDirectory(const std::string& path, std::string_view action) {
    ASSIGN_OR_RETURN(NodePtr node, Existing(path, true, action));
    if (node->kind != FileKind::kDirectory) return ErrnoError(ENOTDIR, action, path);
    return node;
  }
  /// The regular file at `path`, made if absent.
  Result<NodePtr> OpenFile(const std::string& path, bool truncate, bool exclusive) {
    RETURN_IF_ERROR(Change());
    ASSIGN_OR_RETURN(Place place, Walk(path, true, "create"));
    if (place.node == nullptr) {
      place.node = NewNode(FileKind::kFile, 0644);
      place.directory->entries[place.name] = place.node;
      Touch(*place.directory);
      return place.node;
    }
    if (exclusive) return ErrnoError(EEXIST, "create", path);
    if (place.node->kind == FileKind::kDirectory) return ErrnoError(EISDIR, "create", path);
    if ((place.node->mode & 0200) == 0) return ErrnoError(EACCES, "create", path);
    if (truncate) {
      place.node->content.clear();
      Touch(*place.node);
    }
    return place.node;
  }
  Status Append(Node& node, std::string_view bytes) {
    Status status = Change();
    node.content.append(status.ok() ? bytes : bytes.substr(0, bytes.size() / 2));
    Touch(node);
    return status;
  }
  Status Sync(Node& node) {
    RETURN_IF_ERROR(Change());
    node.synced_content = node.content;
    return Ok();
  }
  Status SyncDirectory(const std::string& path) {
    RETURN_IF_ERROR(Change());
    ASSIGN_OR_RETURN(NodePtr node, ExistingDirectory(path, "sync"));
    node->synced_entries = node->entries;
    return Ok();
  }
  Status Rename(const std::string& from, const std::string& to) {
    RETURN_IF_ERROR(Change());
    ASSIGN_OR_RETURN(Place source, Walk(from, false, "rename to"));
    if (source.node == nullptr) return ErrnoError(ENOENT, "rename to", to);
    ASSIGN_OR_RETURN(Place target, Walk(to, false, "rename to"));
    if (target.node == source.node) return Ok();
    if (target.node != nullptr) {
      bool source_is_directory = source.node->kind == FileKind::kDirectory;
      bool target_is_directory = target.node->kind == FileKind::kDirectory;
      if (target_is_directory && !source_is_directory) return ErrnoError(EISDIR, "rename to", to);
      if (!target_is_directory && source_is_directory) return ErrnoError(ENOTDIR, "rename to", to);
      if (target_is_directory && !target.node->entries.empty())
        return ErrnoError(ENOTEMPTY, "rename to", to);
    }
    source.directory->entries.erase(source.name);
    target.directory->entries[target.name] = source.node;
    source.node->ctime_ns = NowNs();
    return Ok();
  }
  Status Remove(const std::string& path) {
    RETURN_IF_ERROR(Change());
    Result<Place> place = Walk(path, false, "remove");
    if (!place.ok())
      return place.error().code() == ErrorCode::kNotFound ? Ok() : Status(place.error());
    if (place->node == nullptr) return Ok();
    if (!place->node->entries.empty()) return ErrnoError(ENOTEMPTY, "remove", path);
    if (place->name.empty()) return ErrnoError(EBUSY, "remove", path);
    place->directory->entries.erase(place->name);
    Touch(*place->directory);
    return Ok();
  }
  Status RemoveTree(const std::string& path) {
    Result<Place> place = Walk(path, false, "remove");
    if (place.ok() && place->node != nullptr) {
      Entries children = place->node->entries;
      for (const auto& [name, child] : children) RETURN_IF_ERROR(RemoveTree(JoinPath(path, name)));
    }
    return Remove(path);
  }
  Status AddName(const std::string& path, NodePtr node, std::string_view action) {
    ASSIGN_OR_RETURN(Place place, Walk(path, false, action));
    if (place.node != nullptr) return ErrnoError(EEXIST, action, path);
    place.directory->entries[place.name] = std::move(node);
    Touch(*place.directory);
    return Ok();
  }

  void DropUnsynced(bool tear) {
    ++generation;
    Drop(*root_, tear);
    unlocked.notify_all();
  }

  int64_t mutation_count = 0;
  int64_t generation = 0;
  bool allows_reflinks = false;
  bool allows_hard_links = true;

 private:
  void Drop(Node& node, bool tear) {
    node.shared_lock_count = 0;
    node.is_locked_exclusively = false;
    if (node.kind == FileKind::kDirectory) {
      node.entries = node.synced_entries;
      for (auto& [name, child] : node.entries) Drop(*child, tear);
      return;
    }
    if (node.kind != FileKind::kFile) return;
    if (tear && node.content.starts_with(node.synced_content)) {
      size_t rest = node.content.size() - node.synced_content.size();
      node.content.resize(node.synced_content.size() + rest / 2);
      node.synced_content = node.content;
    } else {
      node.content = node.synced_content;
    }
  }

  Clock* const clock_;
  int64_t tick_ = 0;
  uint64_t last_inode_ = 0;
  NodePtr root_;
  int64_t fault_index_ = -1;
  bool is_fault_once_ = false;
  Error fault_ = Unavailable("injected fault");
};

namespace {

/// Both kinds of open files: dead after DropUnsynced.
template <typename Impl>
class MemReadableFile : public ReadableFile {
 public:
  MemReadableFile(std::shared_ptr<Impl> impl, NodePtr node)
      : impl_(std::move(impl)), node_(std::move(node)), generation_(impl_->generation) {}
  Status Read(std::string& buffer, size_t max_bytes) override {
    std::lock_guard lock(impl_->mutex);
    if (generation_ != impl_->generation)
      return Unavailable("the machine went down while the file was open");
    size_t at = std::min(at_, node_->content.size());
    buffer = node_->content.substr(at, max_bytes);
    at_ = at + buffer.size();
    return Ok();
  }

 private:
  const std::shared_ptr<Impl> impl_;
  const NodePtr node_;
  const int64_t generation_;
  size_t at_ = 0;
};

template <typename Impl>
class MemWritableFile : public WritableFile {
 public:
  MemWritableFile(std::shared_ptr<Impl> impl, NodePtr node)
      : impl_(std::move(impl)), node_(std::move(node)), generation_(impl_->generation) {}
  Status Append(std::string_view bytes) override {
    std::lock_guard lock(impl_->mutex);
    RETURN_IF_ERROR(CheckAlive());
    return impl_->Append(*node_, bytes);
  }
  Status Sync() override {
    std::lock_guard lock(impl_->mutex);
    RETURN_IF_ERROR(CheckAlive());
    return impl_->Sync(*node_);
  }
  Status Close() override {
    std::lock_guard lock(impl_->mutex);
    return CheckAlive();
  }

 private:
  Status CheckAlive() const {
    if (generation_ == impl_->generation) return Ok();
    return Unavailable("the machine went down while the file was open");
  }

  const std::shared_ptr<Impl> impl_;
  const NodePtr node_;
  const int64_t generation_;
};

template <typename Impl>
class MemFileLock : public FileLock {
 public:
  MemFileLock(std::shared_ptr<Impl> impl, NodePtr node, LockMode mode)
      : impl_(std::move(impl)),
        node_(std::move(node)),
        mode_(mode),
        generation_(impl_->generation) {}
  ~MemFileLock() override {
    std::lock_guard lock(impl_->mutex);
    if (generation_ != impl_->generation) return;
    if (mode_ == LockMode::kShared) {
      --node_->shared_lock_count;
    } else {
      node_->is_locked_exclusively = false;
    }
    impl_->unlocked.notify_all();
  }

 private:
  const std::shared_ptr<Impl> impl_;
  const NodePtr node_;
  const LockMode mode_;
  const int64_t generation_;
};

}  // namespace

MemFs::MemFs(Clock* clock) : impl_(std::make_shared<Impl>(clock)) {}
MemFs::~MemFs() = default;

int64_t MemFs::mutation_count() {
  std::lock_guard lock(impl_->mutex);
  return impl_->mutation_count;
}
void MemFs::FailFrom(int64_t index, Error error) {
  std::lock_guard lock(impl_->mutex);
  impl_->SetFault(index, false, std::move(error));
}
void MemFs::FailOnce(int64_t index, Error error) {
  std::lock_guard lock(impl_->mutex);
  impl_->SetFault(index, true, std::move(error));
}
void MemFs::ClearFault() {
  std::lock_guard lock(impl_->mutex);
  impl_->ClearFault();
}
void MemFs::DropUnsynced(bool tear) {
  std::lock_guard lock(impl_->mutex);
  impl_->DropUnsynced(tear);
}
void MemFs::FlipBit(const std::string& path, int64_t bit) {
  std::lock_guard lock(impl_->mutex);
  Result<NodePtr> node = impl_->Existing(path, true, "flip a bit of");
  CHECK_MSG(node.ok(), path);
  auto at = static_cast<size_t>(bit / 8);
  CHECK(at < (*node)->content.size());
  (*node)->content[at] = static_cast<char>((*node)->content[at] ^ (1 << (bit % 8)));
}
void MemFs::AllowReflinks(bool allowed) {
  std::lock_guard lock(impl_->mutex);
  impl_->allows_reflinks = allowed;
}
void MemFs::AllowHardLinks(bool allowed) {
  std::lock_guard lock(impl_->mutex);
  impl_->allows_hard_links = allowed;
}

Result<std::string> MemFs::ReadFile(const std::string& path, int64_t max_bytes) {
  std::lock_guard lock(impl_->mutex);
  ASSIGN_OR_RETURN(NodePtr node, impl_->Existing(path, true, "open"));
  if (node->kind == FileKind::kDirectory) {
    return InvalidArgument("'" + path + "' is a directory, not a file");
  }
  if (static_cast<int64_t>(node->content.size()) > max_bytes) {
    return ResourceExhausted("'" + path + "' is larger than the limit of " +
                             std::to_string(max_bytes) + " bytes");
  }
  return node->content;
}

Status MemFs::WriteFileAtomic(const std::string& path, std::string_view bytes,
                              Durability durability) {
  std::lock_guard lock(impl_->mutex);
  std::string temporary = path + ".tmp-" + std::to_string(impl_->mutation_count);
  auto write = [&]() -> Status {
    ASSIGN_OR_RETURN(NodePtr node, impl_->OpenFile(temporary, true, true));
    RETURN_IF_ERROR(impl_->Append(*node, bytes));
    if (durability == Durability::kDurable) RETURN_IF_ERROR(impl_->Sync(*node));
    return impl_->Rename(temporary, path);
  };
  Status status = write();
  if (!status.ok()) {
    // The first error is the one to tell; whether the leftover could be removed changes nothing.
    Status removed = impl_->Remove(temporary);
    return status;
  }
  return durability == Durability::kDurable ? impl_->SyncDirectory(DirName(path)) : Ok();
}

Result<std::unique_ptr<ReadableFile>> MemFs::OpenForRead(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  ASSIGN_OR_RETURN(NodePtr node, impl_->Existing(path, true, "open"));
  if (node->kind == FileKind::kDirectory) return ErrnoError(EISDIR, "open", path);
  return std::unique_ptr<ReadableFile>(
      std::make_unique<MemReadableFile<Impl>>(impl_, std::move(node)));
}

Result<std::unique_ptr<WritableFile>> MemFs::OpenForWrite(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  ASSIGN_OR_RETURN(NodePtr node, impl_->OpenFile(path, true, false));
  return std::unique_ptr<WritableFile>(
      std::make_unique<MemWritableFile<Impl>>(impl_, std::move(node)));
}

Result<std::unique_ptr<WritableFile>> MemFs::OpenForAppend(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  ASSIGN_OR_RETURN(NodePtr node, impl_->OpenFile(path, false, false));
  return std::unique_ptr<WritableFile>(
      std::make_unique<MemWritableFile<Impl>>(impl_, std::move(node)));
}

Result<std::optional<FileInfo>> MemFs::Stat(const std::string& path, bool follow) {
  std::lock_guard lock(impl_->mutex);
  Result<Impl::Place> place = impl_->Walk(path, follow, "stat");
  if (!place.ok()) {
    if (place.error().code() == ErrorCode::kNotFound) return std::optional<FileInfo>();
    return std::move(place).error();
  }
  if (place->node == nullptr) return std::optional<FileInfo>();
  const Node& node = *place->node;
  FileInfo info;
  info.kind = node.kind;
  info.size_bytes = static_cast<int64_t>(node.content.size());
  info.mtime_ns = node.mtime_ns;
  info.ctime_ns = node.ctime_ns;
  info.inode = node.inode;
  info.device = 1;
  info.mode = node.mode;
  return std::optional(info);
}

Result<std::vector<std::string>> MemFs::ListDirectory(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  ASSIGN_OR_RETURN(NodePtr node, impl_->ExistingDirectory(path, "list"));
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

Status MemFs::MakeDirectories(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  RETURN_IF_ERROR(impl_->Change());
  std::string so_far;
  for (const std::string& part : SplitPath(path)) {
    so_far += "/" + part;
    ASSIGN_OR_RETURN(Impl::Place place, impl_->Walk(so_far, true, "create directory"));
    if (place.node == nullptr) {
      place.directory->entries[place.name] = impl_->NewNode(FileKind::kDirectory, 0755);
    } else if (place.node->kind != FileKind::kDirectory) {
      return ErrnoError(EEXIST, "create directory", path);
    }
  }
  return Ok();
}

Status MemFs::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(impl_->mutex);
  return impl_->Rename(from, to);
}

Status MemFs::Exchange(const std::string& a, const std::string& b) {
  std::lock_guard lock(impl_->mutex);
  RETURN_IF_ERROR(impl_->Change());
  ASSIGN_OR_RETURN(Impl::Place first, impl_->Walk(a, false, "exchange"));
  ASSIGN_OR_RETURN(Impl::Place second, impl_->Walk(b, false, "exchange"));
  if (first.node == nullptr) return ErrnoError(ENOENT, "exchange", a);
  if (second.node == nullptr) return ErrnoError(ENOENT, "exchange", b);
  std::swap(first.directory->entries[first.name], second.directory->entries[second.name]);
  return Ok();
}

Status MemFs::Remove(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  return impl_->Remove(path);
}

Status MemFs::RemoveTree(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  return impl_->RemoveTree(path);
}

Status MemFs::HardLink(const std::string& existing, const std::string& link) {
  std::lock_guard lock(impl_->mutex);
  RETURN_IF_ERROR(impl_->Change());
  ASSIGN_OR_RETURN(NodePtr node, impl_->Existing(existing, false, "link"));
  if (!impl_->allows_hard_links) return ErrnoError(EXDEV, "link", link);
  if (node->kind == FileKind::kDirectory) return ErrnoError(EPERM, "link", link);
  RETURN_IF_ERROR(impl_->AddName(link, node, "link"));
  node->ctime_ns = impl_->NowNs();
  return Ok();
}

Status MemFs::Symlink(const std::string& target, const std::string& link) {
  std::lock_guard lock(impl_->mutex);
  RETURN_IF_ERROR(impl_->Change());
  NodePtr node = impl_->NewNode(FileKind::kSymlink, 0777);
  node->content = target;
  return impl_->AddName(link, std::move(node), "link");
}

Result<std::string> MemFs::ReadLink(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  ASSIGN_OR_RETURN(NodePtr node, impl_->Existing(path, false, "read link"));
  if (node->kind != FileKind::kSymlink) return ErrnoError(EINVAL, "read link", path);
  return node->content;
}

Status MemFs::CopyFile(const std::string& from, const std::string& to) {
  std::lock_guard lock(impl_->mutex);
  ASSIGN_OR_RETURN(NodePtr source, impl_->Existing(from, true, "open"));
  std::string content = source->content;
  ASSIGN_OR_RETURN(NodePtr target, impl_->OpenFile(to, true, false));
  return impl_->Append(*target, content);
}

Status MemFs::Reflink(const std::string& from, const std::string& to) {
  std::lock_guard lock(impl_->mutex);
  RETURN_IF_ERROR(impl_->Change());
  ASSIGN_OR_RETURN(NodePtr source, impl_->Existing(from, true, "open"));
  if (!impl_->allows_reflinks)
    return FailedPrecondition("share blocks of '" + from + "': not supported");
  NodePtr node = impl_->NewNode(FileKind::kFile, 0644);
  node->content = source->content;
  return impl_->AddName(to, std::move(node), "create");
}

Status MemFs::SetMode(const std::string& path, uint32_t mode) {
  std::lock_guard lock(impl_->mutex);
  RETURN_IF_ERROR(impl_->Change());
  ASSIGN_OR_RETURN(NodePtr node, impl_->Existing(path, true, "set mode of"));
  node->mode = mode;
  node->ctime_ns = impl_->NowNs();
  return Ok();
}

Status MemFs::SyncDirectory(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  return impl_->SyncDirectory(path);
}

Status MemFs::SyncFile(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  ASSIGN_OR_RETURN(NodePtr node, impl_->Existing(path, true, "open"));
  return impl_->Sync(*node);
}

Result<std::unique_ptr<FileLock>> MemFs::Lock(const std::string& path, LockMode mode, bool wait) {
  std::unique_lock lock(impl_->mutex);
  ASSIGN_OR_RETURN(Impl::Place place, impl_->Walk(path, true, "open"));
  NodePtr node = place.node;
  if (node == nullptr) {
    ASSIGN_OR_RETURN(node, impl_->OpenFile(path, false, false));
  }
  auto is_free = [&] {
    return !node->is_locked_exclusively &&
           (mode == LockMode::kShared || node->shared_lock_count == 0);
  };
  if (!is_free()) {
    if (!wait) return Unavailable("'" + path + "' is locked by another process");
    impl_->unlocked.wait(lock, is_free);
  }
  if (mode == LockMode::kShared) {
    ++node->shared_lock_count;
  } else {
    node->is_locked_exclusively = true;
  }
  return std::unique_ptr<FileLock>(
      std::make_unique<MemFileLock<Impl>>(impl_, std::move(node), mode));
}

}  // namespace sluice::io
