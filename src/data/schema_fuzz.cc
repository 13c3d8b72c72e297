// Schema files come from outsiders. Whatever is read must print to text that reads back equal.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "data/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  sluice::Result<sluice::data::Schema> schema = sluice::data::ParseSchema(text);
  if (!schema.ok()) return 0;
  std::string printed = sluice::data::PrintSchema(*schema);
  sluice::Result<sluice::data::Schema> again = sluice::data::ParseSchema(printed);
  CHECK_MSG(again.ok(), again.error().ToString() + "\n" + printed);
  CHECK_MSG(*again == *schema, printed);
  return 0;
}
