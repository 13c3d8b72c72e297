// A file for a fuzzer's inputs: readers map files, so each input is written to one.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "io/fs.h"

namespace sluice::table::testing {

/// A fresh file a process, replaced by each input and removed at the end.
class FuzzFile {
 public:
  explicit FuzzFile(std::string_view name)
      : folder_("/tmp/sluice-fuzz-" + std::to_string(getpid())),
        path_(io::JoinPath(folder_, name)) {
    CHECK(io::RealFs().MakeDirectories(folder_).ok());
  }
  ~FuzzFile() { CHECK(io::RealFs().RemoveTree(folder_).ok()); }
  FuzzFile(const FuzzFile&) = delete;
  FuzzFile& operator=(const FuzzFile&) = delete;

  const std::string& path() const { return path_; }
  void Write(std::string_view bytes) const {
    CHECK(io::RealFs().WriteFileAtomic(path_, bytes, io::Durability::kFast).ok());
  }

 private:
  const std::string folder_;
  const std::string path_;
};

}  // namespace sluice::table::testing
