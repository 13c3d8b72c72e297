// CSV of any bytes: the reader must not crash, and must say the same whatever the chunks and
// threads.
#include <arrow/table.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "io/fs.h"
#include "table/read.h"
#include "table/testing/fuzz_file.h"

namespace {

using sluice::Result;
using sluice::table::BadRowPolicy;
using sluice::table::ReadOptions;
using sluice::table::ReadOutcome;
using sluice::table::ReadTable;

/// The first byte chooses options, so that dialects are met too.
ReadOptions OptionsOf(uint8_t choice) {
  ReadOptions options;
  options.bad_rows = (choice & 1) != 0 ? BadRowPolicy::kSkip : BadRowPolicy::kFail;
  options.csv.trim_blanks = (choice & 2) != 0;
  if ((choice & 4) != 0) options.csv.escape = '\\';
  if ((choice & 8) != 0) options.csv.comment_prefix = "#";
  options.csv.has_header = (choice & 16) == 0;
  if ((choice & 32) != 0) options.csv.decimal_point = ',';
  if ((choice & 64) != 0) options.csv.date_formats = {"%d.%m.%Y"};
  if ((choice & 128) != 0)
    options.limits = {.max_field_bytes = 40, .max_row_bytes = 100, .max_column_count = 20};
  options.thread_count = 1;
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const sluice::table::testing::FuzzFile file("input.csv");
  file.Write({reinterpret_cast<const char*>(data) + 1, size - 1});
  ReadOptions options = OptionsOf(data[0]);
  Result<ReadOutcome> whole = ReadTable({file.path()}, options);
  if (whole.ok()) CHECK(whole->table->ValidateFull().ok());
  options.chunk_size_bytes = 1 + data[size - 1] % 64;
  Result<ReadOutcome> in_chunks = ReadTable({file.path()}, options);
  CHECK(whole.ok() == in_chunks.ok());
  if (!whole.ok()) {
    CHECK_MSG(whole.error().ToString() == in_chunks.error().ToString(),
              whole.error().ToString() + "\n--- in chunks: " + in_chunks.error().ToString());
    return 0;
  }
  CHECK(whole->table->Equals(*in_chunks->table, arrow::EqualOptions::Defaults().nans_equal(true)));
  CHECK(whole->facts.bad_row_count == in_chunks->facts.bad_row_count);
  return 0;
}
