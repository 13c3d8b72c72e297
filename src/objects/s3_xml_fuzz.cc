// Answers of a bucket, as far as they are XML: whatever the bytes, reading ends, and text that was
// read reads back.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "objects/internal/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::objects::internal;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const sluice::Result<XmlElement> root = ParseXml(bytes);
  if (root.ok() && root->text.find('\0') == std::string::npos) {
    CHECK(ParseXml("<a>" + EscapeXml(root->text) + "</a>").value().text == root->text);
  }
  return 0;
}
