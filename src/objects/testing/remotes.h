// Destinations for tests, and sources of bytes to put there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "objects/remote.h"
#include "objects/remote_s3.h"

namespace sluice::objects {

struct RemoteUnderTest {
  std::unique_ptr<Remote> remote;
  std::shared_ptr<void> lifetime;  ///< removes what it used when dropped
  int64_t part_bytes_min = 1;      ///< of all parts but the last
  std::string skipped_because;     ///< where `remote` is null
  /// moto\'s server takes any path for an upload, and answers 500 where S3 has NoSuchUpload.
  bool checks_upload_ids = true;
};
using RemoteFactory = std::function<RemoteUnderTest()>;

/// Bytes that differ everywhere, so that a misplaced block shows.
inline std::string PatternBytes(size_t size, uint64_t seed) {
  std::string bytes(size, '\0');
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

/// Gives `text` in pieces, then fails.
class BreakingSource final : public http::BodySource {
 public:
  explicit BreakingSource(std::string_view text) : text_(SourceOf(text)) {}
  Result<size_t> Read(std::span<char> into) override {
    ASSIGN_OR_RETURN(const size_t count, text_->Read(into));
    if (count == 0) return Unavailable("the client went away");
    return count;
  }

 private:
  std::unique_ptr<http::BodySource> text_;
};

/// A folder of its own.
RemoteUnderTest FreshFolder(bool without_openat2);

/// A bucket of its own at the endpoint in SLUICE_TEST_S3, below a prefix; skipped without one.
RemoteUnderTest FreshBucket();

/// Keys that test servers take.
class FixedCredentials final : public S3CredentialSource {
 public:
  Result<S3Credentials> Get() override {
    return S3Credentials{.access_key_id = "testing", .secret_access_key = "testing"};
  }
};

}  // namespace sluice::objects
