// Where a folder destination keeps what is not yet an artifact: `.sluice-uploads/` in the
// destination, so on the same file system as what it will become.
//
//   .sluice-uploads/tmp-<16 hex>/<16 hex>    files being written by one server, which holds a lock
//                                            on the folder as long as it lives
//   .sluice-uploads/part-<32 hex>/           one upload in parts (upload_staging.h)
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/guarded.h"
#include "base/result.h"
#include "http/message.h"
#include "io/descriptor.h"
#include "objects/internal/beneath.h"

namespace sluice::objects::internal {

/// A file being written, removed at the end unless it was published. One thread at a time; the
/// folders whose descriptors it is given must stay open.
class StagedFile {
 public:
  StagedFile(int folder_fd, std::string name, io::Descriptor file)
      : folder_fd_(folder_fd), name_(std::move(name)), file_(std::move(file)) {}
  ~StagedFile();
  StagedFile(StagedFile&&) noexcept;
  StagedFile& operator=(StagedFile&&) = delete;

  /// What comes is given to the disc at once instead of when the kernel finds time: for what will
  /// be synced, not for what will soon be deleted.
  void WriteBackEarly() { writes_back_early_ = true; }
  /// Everything the source gives. Errors: the source's; kDataLoss when it is not `size_bytes` long
  /// (negative: any length will do); those of the file system, which name `shown`.
  Status FillFrom(http::BodySource& source, int64_t size_bytes, const std::string& shown);
  /// The first `size_bytes` of another file behind what is there.
  Status Append(int from_fd, int64_t size_bytes, const std::string& shown);
  /// Makes the content durable, without its name.
  Status Sync(const std::string& shown);
  /// Renames it to `name` in the folder, replacing a file of that name. Does not sync.
  Status Publish(int folder_fd, const std::string& name, const std::string& shown);
  int fd() const { return file_.get(); }

 private:
  void CountWritten(int64_t bytes);
  Status CopyAcross(int folder_fd, const std::string& name, const std::string& shown);

  int folder_fd_;
  std::string name_;  ///< empty once published
  io::Descriptor file_;
  bool writes_back_early_ = false;
  int64_t size_bytes_ = 0;
  int64_t written_back_bytes_ = 0;
};

/// Thread-safe. Must not outlive the Beneath.
class Staging {
 public:
  explicit Staging(const Beneath& destination) : destination_(destination) {}
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  Result<StagedFile> NewFile();
  /// Moves `name` of `folder` out of sight, whatever it is, and removes it then.
  Status RemoveTree(int folder_fd, const std::string& name, const std::string& shown);
  /// Removes the files of servers that are gone.
  Status RemoveLeftovers();

 private:
  /// This server's own folder, made when it is first needed, so that a destination that is only
  /// read stays untouched.
  Result<int> Folder();

  struct Own {
    std::string name;
    io::Descriptor parent, folder;
  };

  const Beneath& destination_;
  Guarded<Own> own_;
};

}  // namespace sluice::objects::internal
