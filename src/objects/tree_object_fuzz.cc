// Trees come from stores that others wrote: whatever the bytes, decoding ends, and what it accepts
// it would have written.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "objects/object.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  sluice::Result<sluice::objects::Tree> tree = sluice::objects::DecodeTree(bytes);
  if (tree.ok()) {
    CHECK(sluice::objects::EncodeTree(*tree).value() == bytes);
    CHECK(sluice::objects::TotalSizeBytes(*tree) >= 0);
  }
  sluice::Result<sluice::objects::ObjectId> id = sluice::objects::ObjectId::Parse(bytes);
  if (id.ok()) CHECK(id->ToString() == bytes);
  return 0;
}
