#include "objects/testing/remotes.h"

#include <cstdlib>

#include "base/id.h"
#include "base/testing/scratch_folder.h"
#include "objects/internal/s3_client.h"
#include "objects/remote_folder.h"

namespace sluice::objects {

RemoteUnderTest FreshFolder(bool without_openat2) {
  auto scratch = std::make_shared<ScratchFolder>();
  return {.remote = OpenFolderRemote(scratch->path(), {.without_openat2 = without_openat2}).value(),
          .lifetime = scratch};
}

RemoteUnderTest FreshBucket() {
  const char* const endpoint = std::getenv("SLUICE_TEST_S3");
  if (endpoint == nullptr) {
    return {.skipped_because = "SLUICE_TEST_S3 names no endpoint, as http://127.0.0.1:5000"};
  }
  S3Options options;
  options.endpoint_url = endpoint;
  options.part_bytes = 5 << 20;
  options.back_off_ms = 10;
  const std::string bucket = "sluice-" + NewRandomHex(16);
  internal::S3Client client(bucket, options, std::make_unique<FixedCredentials>(), SystemClock());
  CHECK(client.Send({.method = "PUT"}).ok());
  // Below a prefix, beside what must never be seen or touched.
  CHECK(client.Send({.method = "PUT", .key = "pre/fixed", .body = "not ours"}).ok());
  return {.remote = OpenS3Remote("s3://" + bucket + "/pre/fix/", options,
                                 std::make_unique<FixedCredentials>())
                        .value(),
          .part_bytes_min = 5 << 20,
          .checks_upload_ids = false};
}

}  // namespace sluice::objects
