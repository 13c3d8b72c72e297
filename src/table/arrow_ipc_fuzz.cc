// Arrow IPC files of any bytes: an error or a valid table, never a crash.
#include <arrow/table.h>

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "table/open.h"
#include "table/testing/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sluice::table::testing::FuzzFile file("input.arrow");
  file.Write({reinterpret_cast<const char*>(data), size});
  sluice::Result<std::shared_ptr<arrow::Table>> table = sluice::table::OpenTable(file.path());
  if (table.ok()) CHECK((*table)->ValidateFull().ok());
  return 0;
}
