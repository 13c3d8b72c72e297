// What strangers send and what people write: the Authorization field, password hashes, the ini.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "auth/config.h"
#include "auth/credentials.h"
#include "auth/password.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto credentials = sluice::auth::ParseAuthorization(text);
  CHECK(!credentials || credentials->secret.size() <= size);
  static_cast<void>(sluice::auth::IsKnownPasswordHash(text));
  static_cast<void>(sluice::auth::ParseConfig(text, "fuzz.ini"));
  return 0;
}
