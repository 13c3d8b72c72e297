// Uploads in parts, inside a folder destination. Each is a folder below `.sluice-uploads/`, named
// by its id:
//
//   part-<32 hex>/path     the path it will have, one line; the lock of who completes it
//   part-<32 hex>/00001    a part; present means received whole
//   part-<32 hex>/done     complete: only kept so that a repeated request is answered alike
//
// Parts are not synced: most of them never reach the disc before they are part of the whole, which
// is. A part older than the machine's last start may therefore be torn, and counts as not sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "objects/internal/beneath.h"
#include "objects/internal/staging.h"
#include "objects/remote.h"

namespace sluice::objects::internal {

/// The uploads of one destination; the methods are Remote's (remote.h). Thread-safe, also among
/// servers. Must not outlive what it borrows.
class UploadStaging {
 public:
  UploadStaging(const Beneath& destination, Staging& staging)
      : destination_(destination), staging_(staging) {}

  Result<std::string> Create(const std::string& path);
  Result<std::string> PutPart(const std::string& path, const std::string& upload_id,
                              int part_number, http::BodySource& source, int64_t size_bytes);
  /// The parts one behind the other in a new file, not synced; nothing if the upload was completed
  /// before. `lock` keeps others from completing the same upload until it is destroyed.
  struct Assembled {
    std::optional<StagedFile> file;
    io::Descriptor lock, folder;
  };
  Result<Assembled> Assemble(const std::string& path, const std::string& upload_id,
                             const std::vector<RemotePart>& parts);
  /// To be called once the file has its name: drops the parts, remembers that it is done.
  void MarkDone(const Assembled& assembled);
  Status Abort(const std::string& path, const std::string& upload_id);
  Result<std::vector<RemotePart>> ListParts(const std::string& path, const std::string& upload_id);
  Status RemoveStale(int64_t age_ms);

 private:
  Result<io::Descriptor> OpenUpload(const std::string& path, const std::string& upload_id) const;

  const Beneath& destination_;
  Staging& staging_;
};

}  // namespace sluice::objects::internal
