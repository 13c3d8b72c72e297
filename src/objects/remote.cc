#include "objects/remote.h"

#include <algorithm>
#include <cstring>

namespace sluice::objects {

PullSource PullFrom(std::string_view text) {
  return [text](std::span<char> buffer) mutable -> Result<size_t> {
    const size_t size = std::min(buffer.size(), text.size());
    std::memcpy(buffer.data(), text.data(), size);
    text.remove_prefix(size);
    return size;
  };
}

Result<PresignedUrl> Remote::Presign(PresignedMethod, const std::string&, int64_t) {
  return FailedPrecondition("a " + std::string(kind()) + " destination has no presigned URLs");
}

Result<PresignedUrl> Remote::PresignPart(const std::string&, const std::string&, int, int64_t) {
  return FailedPrecondition("a " + std::string(kind()) + " destination has no presigned URLs");
}

}  // namespace sluice::objects
