// The fields of any body and any query, read as every type.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/fields.h"
#include "base/check.h"

namespace {

void ReadAll(const sluice::api::Fields& fields, int depth) {
  for (std::string_view name : {"run_id", "metrics", "value", "step", "experiment_ids", "tags"}) {
    fields.FindString(name);
    fields.FindInt64(name);
    fields.FindDouble(name);
    fields.FindBool(name);
    fields.FindEnum(name, sluice::api::kViewTypeNames);
    fields.Strings(name);
    fields.RequireString(name);
    fields.Refuse(name, "because");
    if (depth == 0) continue;
    if (const auto message = fields.FindMessage(name)) ReadAll(*message, depth - 1);
    for (const sluice::api::Fields& message : fields.Messages(name)) ReadAll(message, depth - 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  sluice::api::RequestFields body;
  if (body.ParseBody(text, 16).ok()) {
    ReadAll(body.fields(), 2);
    // Something required is always missing.
    CHECK(!body.fields().status().ok() || body.fields().Has("run_id"));
  }
  sluice::api::RequestFields query;
  if (query.ParseQueryString(text).ok()) ReadAll(query.fields(), 1);
  return 0;
}
