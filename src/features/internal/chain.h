// One input and its fitted operations.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "features/graph.h"
#include "features/internal/op.h"

namespace arrow {
class Array;
class ChunkedArray;
}  // namespace arrow

namespace sluice::features::internal {

struct Chain {
  InputColumn input;
  std::vector<std::pair<std::string_view, std::unique_ptr<Op>>>
      ops;  ///< with the name of the operation
  std::vector<std::string> feature_names;
  size_t first_feature = 0;  ///< column of the matrix

  /// Transforms rows [offset, offset + count) of `array` into columns first_feature... of row-major
  /// `out`, whose rows have `stride` values. `block` is the caller's buffer.
  Status Apply(const arrow::Array& array, int64_t offset, int64_t count, Block& block, double* out,
               size_t stride) const;
};

/// `column` is the training part's. Errors name the column and the operation.
Result<Chain> FitChain(const InputColumn& input, const arrow::ChunkedArray& column,
                       const ChainSpec& spec, std::vector<std::string>& warnings);

formats::Json ChainToJson(const Chain& chain);
/// Untrusted input.
Result<Chain> ChainFromJson(const InputColumn& input, const formats::Json& json);

}  // namespace sluice::features::internal
