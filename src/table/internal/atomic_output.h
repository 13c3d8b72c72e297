// A file that appears under its name only when it is complete.
#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "io/fs.h"

namespace sluice::table::internal {

/// Writes to a temporary file beside `path`; Commit renames it into place. Without Commit nothing
/// remains. One thread at a time.
class AtomicOutput {
 public:
  /// Errors: as io::Fs; kInvalidArgument if `path` is a directory.
  static Result<std::unique_ptr<AtomicOutput>> Open(const std::string& path);
  ~AtomicOutput();

  Status Append(std::string_view bytes) { return file_->Append(bytes); }
  Status Commit();
  /// For Arrow's writers: a stream into this file, which must outlive it. An I/O error comes back
  /// as Arrow's and is also kept: see `status`.
  std::shared_ptr<arrow::io::OutputStream> stream();
  const Status& status() const { return status_; }

 private:
  class Stream;
  AtomicOutput(std::string path, std::string temporary, std::unique_ptr<io::WritableFile> file);

  const std::string path_;
  const std::string temporary_;
  std::unique_ptr<io::WritableFile> file_;
  Status status_;
  bool is_committed_ = false;
};

}  // namespace sluice::table::internal
