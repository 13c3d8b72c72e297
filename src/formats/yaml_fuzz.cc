// ParseYaml takes any bytes; whatever it accepts is within its limits, has positions inside the
// text, and can be read as JSON; whatever it refuses has a place.
#include "formats/yaml.h"

namespace {

void Visit(const sluice::formats::YamlNode& node, int line_count, int depth) {
  CHECK(depth <= 64);
  sluice::Source source = node.source();
  CHECK(source.line >= 1 && source.line <= line_count);
  CHECK(source.column >= 1);
  (void)node.AsBool();
  (void)node.AsInteger();
  (void)node.AsDouble();
  CHECK(!node.ErrorHere("x").ToString().empty());
  for (const auto& item : node.items()) Visit(item, line_count, depth + 1);
  for (const auto& entry : node.entries()) {
    CHECK(!entry.key.text().empty());
    Visit(entry.value, line_count, depth + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto node = sluice::formats::ParseYaml(text, {.file = "f.yaml"});
  if (!node.ok()) {
    CHECK(node.error().source().has_value());
    CHECK(node.error().source()->line >= 1);
    CHECK(!node.error().ToString().empty());
    return 0;
  }
  Visit(*node, static_cast<int>(size) + 1, 0);
  auto printed = sluice::formats::PrintJson(node->ToJson());
  auto again = sluice::formats::ParseJson(printed);
  CHECK_MSG(again.ok(), printed);
  return 0;
}
