// The loader of feature graphs takes files from strangers: it must refuse or give a graph that
// applies without fault.
#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <string_view>

#include "features/graph.h"

using namespace sluice;  // NOLINT: a program of its own

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<features::FeatureGraph> graph = features::FeatureGraph::FromText(text);
  if (!graph.ok()) return 0;
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const features::InputColumn& input : graph->inputs()) {
    fields.push_back(arrow::field(input.name, table::ArrowType(input.type)));
    arrays.push_back(arrow::MakeEmptyArray(fields.back()->type()).ValueOrDie());
    arrow::Result<std::shared_ptr<arrow::Array>> nulls =
        arrow::MakeArrayOfNull(fields.back()->type(), 2);
    if (nulls.ok()) arrays.back() = *nulls;
  }
  Result<features::Matrix> matrix =
      graph->Apply(*arrow::RecordBatch::Make(arrow::schema(fields), 2, arrays));
  if (!matrix.ok()) return 0;
  Result<features::FeatureGraph> again = features::FeatureGraph::FromJson(graph->ToJson());
  CHECK(again.ok());
  return 0;
}
