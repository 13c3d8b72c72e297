// A folder as a destination: plain files under plain names, as MLflow lays them out. What the
// folder holds besides them is docs/internals/data_layout.md's "An artifact destination".
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "objects/remote.h"

namespace sluice::objects {

/// `path` is created if absent. Names are resolved below the open folder, so a symbolic link in it
/// is followed as far as it stays inside, and refused (kInvalidArgument) where it leads out. Files
/// are written beside the others under a name of their own and renamed when they are durable.
/// Several servers may share the folder, also over a network file system.
///
/// ETags are made of modification time, size and inode. Errors: those of the file system.
Result<std::unique_ptr<Remote>> OpenFolderRemote(const std::string& path,
                                                 const RemoteOptions& options = {});

}  // namespace sluice::objects
