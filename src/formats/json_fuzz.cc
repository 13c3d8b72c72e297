// ParseJson takes any bytes; what it accepts must print and read back as the same value.
#include "formats/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::formats;
  JsonParseOptions options{.allow_nan_and_infinity = true};
  auto value = ParseJson({reinterpret_cast<const char*>(data), size}, options);
  if (!value.ok()) {
    CHECK(!value.error().ToString().empty());
    return 0;
  }
  JsonPrintOptions print{.non_finite = JsonPrintOptions::NonFinite::kPythonLiteral};
  std::string printed = PrintJson(*value, print);
  auto again = ParseJson(printed, options);
  CHECK_MSG(again.ok(), printed);
  CHECK(PrintJson(*again, print) == printed);
  return 0;
}
