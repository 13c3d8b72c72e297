// Bodies of /invocations through all three parsers. Beside not crashing: rows that come out are
// valid Arrow, the short way agrees with the full parser, and rows printed as dataframe_split read
// back as the same rows.
#include <arrow/record_batch.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/rows_json.h"
#include "serve/internal/parse_rows.h"

namespace {

using sluice::table::ColumnType;

const sluice::model::Signature& TestSignature() {
  static const sluice::model::Signature signature{
      .inputs = {{.name = "d", .type = ColumnType::kDouble},
                 {.name = "l", .type = ColumnType::kInt64},
                 {.name = "s", .type = ColumnType::kString},
                 {.name = "b", .type = ColumnType::kBool},
                 {.name = "t", .type = ColumnType::kTimestamp},
                 {.name = "day", .type = ColumnType::kDate},
                 {.name = "o", .type = ColumnType::kInt64, .is_required = false}}};
  return signature;
}

constexpr int64_t kRowCountMax = 10'000;

void CheckRows(const arrow::RecordBatch& rows) {
  CHECK_MSG(rows.ValidateFull().ok(), rows.ValidateFull().ToString());
  const std::string printed = sluice::model::PrintSplitJson(rows).value();
  const auto again = sluice::serve::internal::ParseJsonRequest(
      TestSignature(), R"({"dataframe_split":)" + printed + "}", kRowCountMax);
  CHECK_MSG(again.ok(), again.error().message());
  CHECK(sluice::model::PrintSplitJson(*again->rows).value() == printed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto full = sluice::serve::internal::ParseJsonRequest(TestSignature(), body, kRowCountMax);
  const auto usual =
      sluice::serve::internal::ParseUsualJsonRequest(TestSignature(), body, kRowCountMax);
  if (full.ok()) CheckRows(*full->rows);
  if (usual) {
    CHECK(full.ok());
    CHECK(sluice::model::PrintSplitJson(*usual->rows).value() ==
          sluice::model::PrintSplitJson(*full->rows).value());
  }
  const auto csv = sluice::serve::internal::ParseCsvRequest(TestSignature(), body, kRowCountMax);
  if (csv.ok()) CheckRows(*csv->rows);
  return 0;
}
