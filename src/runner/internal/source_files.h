// The project's own files that a plan reads: from patterns to paths and digests.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "io/fs.h"
#include "objects/object.h"
#include "objects/stat_cache.h"
#include "pipeline/graph.h"

namespace sluice::runner {

inline constexpr size_t kMaxMatchCount = 1'000'000;  ///< of one glob
inline constexpr int kMaxGlobDepth = 64;             ///< folders below the project
inline constexpr int kMaxLinkCount = 40;             ///< symbolic links on one path

/// What a pattern means now.
struct SourceFiles {
  std::vector<std::string> paths;  ///< relative to the project, sorted bytewise; one unless a glob
  std::optional<Digest> digest;    ///< nothing if no such file
};
using SourcesByPattern = std::map<std::string, SourceFiles, std::less<>>;

/// Looks every pattern up and hashes what the stat cache does not know. A glob's digest is that of
/// a tree with the matched files at their places in the project; a path's, that of the file or
/// folder. Errors: kPermissionDenied for a symbolic link that leaves the project, naming it;
/// kResourceExhausted for too many matches; those of HashPath.
Result<SourcesByPattern> LoadSources(io::Fs& fs, const std::string& project,
                                     std::span<const pipeline::SourcePattern> patterns,
                                     objects::StatCache& cache);

/// Files that a glob matches, relative and sorted. Per path component: `*` and `?` stop at '/', a
/// component `**` stands for any number of folders, [a-c] for a set; names that begin with a dot
/// match only a pattern that does. Folders are not matched, .sluice and .git not entered. Errors as
/// above.
Result<std::vector<std::string>> ExpandGlob(io::Fs& fs, const std::string& project,
                                            const std::string& pattern);

/// Follows the symbolic links on the way to `relative` and says where it really is, relative to the
/// project; nothing if it does not exist. Errors: kPermissionDenied if a link leaves the project.
Result<std::optional<std::string>> ResolveInProject(io::Fs& fs, const std::string& project,
                                                    const std::string& relative);

/// One file or subtree at its place below a folder.
struct PlacedObject {
  std::string path;  ///< relative, normal
  objects::Stored stored;
};
/// The tree that holds them all. `put` makes a folder's list a Stored (IdentifyTree or
/// Store::PutTree). Errors: kInvalidArgument if one path lies below another.
Result<objects::Stored> MakeNestedTree(
    std::vector<PlacedObject> objects,
    const std::function<Result<objects::Stored>(objects::Tree)>& put);

}  // namespace sluice::runner
