// The one rule for paths that outsiders give us: where inside a destination an artifact lies. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::objects {

inline constexpr size_t kRemotePathBytesMax = 4000;
inline constexpr size_t kRemoteNameBytesMax = 255;  ///< of one component
inline constexpr size_t kRemotePathDepthMax = 100;

/// The first component of everything a folder destination keeps for itself (uploads under way).
/// Never listed, and no path of a caller begins with it.
inline constexpr std::string_view kRemoteReservedName = ".sluice-uploads";

/// The relative, normalised path that `text` means: components joined by single slashes, "." and
/// empty ones dropped, "" for the destination itself. A trailing slash does not matter here (see
/// NamesAFile).
///
/// `text` is what a path or query of a request says, after HTTP's own decoding. As MLflow does, it
/// is percent-decoded again until it no longer changes, so that what is checked is what the most
/// generous reader could make of it, and that is also what is used: "a%2520b" and "a b" are one
/// file. Control bytes become "%0a" and the like; "file:x" means "x".
///
/// Errors: kInvalidArgument "Invalid path" (MLflow's text) for absolute paths, ".." in any
/// encoding, a NUL, a backslash, a drive letter, "#", bytes that are no UTF-8, more than ten layers
/// of encoding, a reserved name, and what is over a limit above. The text never repeats the path.
Result<std::string> NormalRemotePath(std::string_view text);

/// Whether `text` can name a file to write: not empty and without a trailing slash.
bool NamesAFile(std::string_view text);

/// "a/b" + "c/d", either of which may be empty. Both are normalised already.
std::string JoinRemotePath(std::string_view base, std::string_view tail);
/// The last component: "a/b" → "b".
std::string_view RemoteBaseName(std::string_view path);
/// What precedes it: "a/b" → "a", "a" → "".
std::string_view RemoteDirName(std::string_view path);

}  // namespace sluice::objects
