// Goes through a file or folder once and makes a Stored of it, bottom up.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "io/fs.h"
#include "objects/object.h"
#include "objects/stat_cache.h"

namespace sluice::objects::internal {

struct WalkCallbacks {
  /// Called for every regular file, on several threads.
  std::function<Result<Digest>(const std::string& absolute_path, const io::FileInfo& info)> on_file;
  /// Called once between the files and the trees.
  std::function<Status()> after_files = [] { return Ok(); };
  /// Called for every folder after all below it, on the caller's thread.
  std::function<Result<Stored>(Tree tree)> on_tree;
};

/// Errors: those of HashPath in store.h, naming the path.
Result<Stored> Walk(io::Fs& fs, const std::string& path, size_t thread_count,
                    const WalkCallbacks& callbacks);

/// Reads the file, unless `cache` (may be null) knows it. Calls `on_bytes` (may be null) for each
/// piece read; then the cache is not asked. Errors: kFailedPrecondition if the file changed
/// meanwhile.
Result<Digest> HashFile(io::Fs& fs, const std::string& absolute_path, const io::FileInfo& info,
                        StatCache* cache,
                        const std::function<Status(std::string_view)>& on_bytes = nullptr);

/// 0755 becomes kExecutable: anything its owner may execute.
ObjectKind KindOfFile(const io::FileInfo& info);

}  // namespace sluice::objects::internal
