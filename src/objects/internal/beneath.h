// Opening names below a folder so that no symbolic link, however placed and however quickly
// swapped, leads out of it. The kernel checks while it walks (openat2 with RESOLVE_BENEATH); where
// it cannot, every link on the way is refused.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/descriptor.h"

namespace sluice::objects::internal {

/// A folder and the ways to what is below it. Paths are relative and normalised (remote_path.h), ""
/// is the folder itself. Thread-safe.
///
/// Errors of all methods: those of io::ErrnoError, which name the relative path only, and
/// kInvalidArgument when a link leads out of the folder, or where a file stands in a folder's
/// place.
class Beneath {
 public:
  /// `path` is the operator's own and followed as it is. Created if absent.
  static Result<Beneath> Open(const std::string& path, bool without_openat2);

  /// `flags` as for open(2), O_CLOEXEC added; never O_CREAT.
  Result<io::Descriptor> OpenAt(const std::string& path, int flags) const;
  /// The directory, made if absent with all above it; each new name is durable when this returns.
  Result<io::Descriptor> MakeDirectory(const std::string& path) const;
  int fd() const { return root_.get(); }

 private:
  Beneath(io::Descriptor root, bool has_openat2)
      : root_(std::move(root)), has_openat2_(has_openat2) {}
  int TryOpen(const std::string& path, int flags) const;

  io::Descriptor root_;
  bool has_openat2_;
};

/// kInvalidArgument: a link leads out of the folder.
Error LeadsOut();

/// Removes `name` in the folder, whatever it is, with all that is in it, never following links.
/// Absent is fine. `shown` is the path that errors name.
Status RemoveTreeAt(int folder_fd, const std::string& name, const std::string& shown);

/// Names in the folder, unsorted, without "." and "..".
Result<std::vector<std::string>> NamesIn(const io::Descriptor& folder, const std::string& shown);

/// fsync of a folder or file.
Status SyncFd(int fd, const std::string& shown);

}  // namespace sluice::objects::internal
