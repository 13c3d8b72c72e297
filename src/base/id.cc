#include "base/id.h"

#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace sluice {

std::string NewRandomHex(size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string bytes((digits + 1) / 2, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    ssize_t count = getrandom(bytes.data() + filled, bytes.size() - filled, 0);
    CHECK(count > 0 || errno == EINTR);
    if (count > 0) filled += static_cast<size_t>(count);
  }
  std::string hex;
  for (size_t i = 0; i < digits; ++i) {
    auto byte = static_cast<unsigned char>(bytes[i / 2]);
    hex.push_back(kDigits[i % 2 == 0 ? byte >> 4 : byte & 15]);
  }
  return hex;
}

std::string NewRunId() {
  std::string id = NewRandomHex(32);
  id[12] = '4';  // UUID version 4
  static constexpr char kVariants[] = "89ab";
  id[16] = kVariants[id[16] % 4];  // and the variant bits of RFC 4122
  return id;
}

}  // namespace sluice
