// Model files come from strangers: the loader must refuse them or give trees that predict without
// fault.
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "learn/internal/tree_ensemble.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sluice::learn::internal::TreeEnsemble;
  sluice::Result<TreeEnsemble> ensemble =
      TreeEnsemble::Parse({reinterpret_cast<const char*>(data), size});
  if (!ensemble.ok() || ensemble->feature_count() > 1000 || ensemble->class_count() > 1000)
    return 0;
  int64_t columns = ensemble->feature_count();
  std::vector<double> rows(static_cast<size_t>(2 * columns), 0.5);
  for (size_t i = 0; i < rows.size(); i += 2) rows[i] = std::numeric_limits<double>::quiet_NaN();
  bool is_multiclass = ensemble->task() == sluice::learn::Task::kMulticlass;
  std::vector<double> out(2 * static_cast<size_t>(is_multiclass ? ensemble->class_count() : 1));
  ensemble->Predict({rows.data(), 2, columns}, out, 1);
  return 0;
}
