// A file as read-only memory.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice::io {

/// Maps a regular file; an empty file gives an empty view. The file must not be truncated while
/// mapped (the store's objects never are). Thread-safe once opened.
class MappedFile {
 public:
  /// Errors: as Fs.
  static Result<MappedFile> Open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  std::string_view bytes() const { return {data_, size_bytes_}; }

 private:
  MappedFile(const char* data, size_t size_bytes) : data_(data), size_bytes_(size_bytes) {}
  const char* data_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace sluice::io
