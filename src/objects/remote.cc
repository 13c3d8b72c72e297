#include "objects/remote.h"

#include <algorithm>
#include <cstring>

namespace sluice::objects {

namespace {

class TextSource final : public http::BodySource {
 public:
  explicit TextSource(std::string_view text) : text_(text) {}
  Result<size_t> Read(std::span<char> into) override {
    const size_t size = std::min(into.size(), text_.size());
    std::memcpy(into.data(), text_.data(), size);
    text_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view text_;
};

}  // namespace

std::unique_ptr<http::BodySource> SourceOf(std::string_view text) {
  return std::make_unique<TextSource>(text);
}

Result<PresignedUrl> Remote::Presign(PresignedMethod, const std::string&, int64_t,
                                     const std::string&) {
  return FailedPrecondition("a " + std::string(kind()) + " destination has no presigned URLs");
}

Result<PresignedUrl> Remote::PresignPart(const std::string&, const std::string&, int, int64_t) {
  return FailedPrecondition("a " + std::string(kind()) + " destination has no presigned URLs");
}

}  // namespace sluice::objects
