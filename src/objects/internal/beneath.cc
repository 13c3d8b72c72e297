#include "objects/internal/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "io/fs.h"
#include "objects/remote_path.h"

namespace sluice::objects::internal {
namespace {

/// The kernel gives up with EAGAIN when names change under its walk; more than this many in a row
/// is somebody playing.
constexpr int kOpenTriesMax = 16;

int OpenBeneath(int root, const char* path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int i = 0; i < kOpenTriesMax; ++i) {
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
  return -1;
}

/// The way without openat2: one component after the other, no links at all.
int OpenByComponents(int root, const std::string& path, int flags) {
  io::Descriptor folder;
  int at = root;
  size_t begin = 0;
  for (size_t slash; (slash = path.find('/', begin)) != std::string::npos; begin = slash + 1) {
    const std::string name = path.substr(begin, slash - begin);
    io::Descriptor next(openat(at, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.is_open()) return -1;
    folder = std::move(next);
    at = folder.get();
  }
  return openat(at, path.c_str() + begin, flags | O_NOFOLLOW);
}

Error OpenError(int error_number, const std::string& path) {
  switch (error_number) {
    case EXDEV:
    case ELOOP: return LeadsOut();
    case ENAMETOOLONG: return InvalidArgument("Invalid path");
    default: return io::ErrnoError(error_number, "open", path);
  }
}

}  // namespace

Error LeadsOut() {
  return InvalidArgument("Invalid path: resolved path is outside the artifact directory");
}

Result<Beneath> Beneath::Open(const std::string& path, bool without_openat2) {
  RETURN_IF_ERROR(io::RealFs().MakeDirectories(path));
  io::Descriptor root(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root.is_open()) return io::ErrnoError(errno, "open the artifact destination", path);
  bool has_openat2 = false;
  if (!without_openat2) {
    const io::Descriptor probe(OpenBeneath(root.get(), ".", O_PATH | O_CLOEXEC));
    has_openat2 = probe.is_open();
  }
  return Beneath(std::move(root), has_openat2);
}

int Beneath::TryOpen(const std::string& path, int flags) const {
  const std::string walked = path.empty() ? "." : path;
  return has_openat2_ ? OpenBeneath(root_.get(), walked.c_str(), flags | O_CLOEXEC)
                      : OpenByComponents(root_.get(), walked, flags | O_CLOEXEC);
}

Result<io::Descriptor> Beneath::OpenAt(const std::string& path, int flags) const {
  io::Descriptor fd(TryOpen(path, flags));
  if (!fd.is_open()) return OpenError(errno, path);
  return fd;
}

Result<io::Descriptor> Beneath::MakeDirectory(const std::string& path) const {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY;
  io::Descriptor found(TryOpen(path, kFlags));
  if (found.is_open()) return found;
  if (errno == ENOTDIR) {
    return InvalidArgument("Invalid path: '" + path +
                           "' is a file, not a directory, or lies in one");
  }
  if (errno != ENOENT || path.empty()) return OpenError(errno, path);
  ASSIGN_OR_RETURN(const io::Descriptor parent, MakeDirectory(std::string(RemoteDirName(path))));
  const std::string name(RemoteBaseName(path));
  if (mkdirat(parent.get(), name.c_str(), 0777) != 0 && errno != EEXIST) {
    return io::ErrnoError(errno, "create the directory", path);
  }
  RETURN_IF_ERROR(SyncFd(parent.get(), path));
  return OpenAt(path, kFlags);
}

Status SyncFd(int fd, const std::string& shown) {
  if (fsync(fd) != 0) return io::ErrnoError(errno, "sync", shown);
  return Ok();
}

Result<std::vector<std::string>> NamesIn(const io::Descriptor& folder, const std::string& shown) {
  // A descriptor of its own: fdopendir takes over what it is given, and its place in the folder.
  const int fd = openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io::ErrnoError(errno, "list", shown);
  const auto close_folder = [](DIR* dir) { closedir(dir); };
  const std::unique_ptr<DIR, decltype(close_folder)> dir(fdopendir(fd), close_folder);
  if (dir == nullptr) {
    close(fd);
    return io::ErrnoError(errno, "list", shown);
  }
  std::vector<std::string> names;
  for (errno = 0; const dirent* entry = readdir(dir.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return io::ErrnoError(errno, "list", shown);
  return names;
}

Status RemoveTreeAt(int folder_fd, const std::string& name, const std::string& shown) {
  if (unlinkat(folder_fd, name.c_str(), 0) == 0 || errno == ENOENT) return Ok();
  if (errno != EISDIR && errno != EPERM) return io::ErrnoError(errno, "delete", shown);
  {
    const io::Descriptor folder(
        openat(folder_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.is_open()) {
      return errno == ENOENT ? Ok() : Status(io::ErrnoError(errno, "delete", shown));
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(folder, shown));
    for (const std::string& inner : names) {
      RETURN_IF_ERROR(RemoveTreeAt(folder.get(), inner, shown));
    }
  }
  if (unlinkat(folder_fd, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return io::ErrnoError(errno, "delete", shown);
  }
  return Ok();
}

}  // namespace sluice::objects::internal
