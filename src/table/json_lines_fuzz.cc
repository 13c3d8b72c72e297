// JSON Lines of any bytes: no crash, and the same whatever the chunks.
#include <arrow/table.h>

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "table/read.h"
#include "table/testing/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const sluice::table::testing::FuzzFile file("input.jsonl");
  file.Write({reinterpret_cast<const char*>(data), size});
  sluice::table::ReadOptions options;
  options.thread_count = 1;
  options.bad_rows =
      data[0] % 2 == 0 ? sluice::table::BadRowPolicy::kFail : sluice::table::BadRowPolicy::kSkip;
  sluice::Result<sluice::table::ReadOutcome> whole =
      sluice::table::ReadTable({file.path()}, options);
  if (whole.ok()) CHECK(whole->table->ValidateFull().ok());
  options.chunk_size_bytes = 1 + data[size - 1] % 64;
  sluice::Result<sluice::table::ReadOutcome> in_chunks =
      sluice::table::ReadTable({file.path()}, options);
  CHECK(whole.ok() == in_chunks.ok());
  if (!whole.ok()) {
    CHECK_MSG(whole.error().ToString() == in_chunks.error().ToString(),
              whole.error().ToString() + "\n--- in chunks: " + in_chunks.error().ToString());
    return 0;
  }
  CHECK(whole->table->Equals(*in_chunks->table, arrow::EqualOptions::Defaults().nans_equal(true)));
  return 0;
}
