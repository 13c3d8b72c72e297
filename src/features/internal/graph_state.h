// What a FeatureGraph holds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "features/graph.h"
#include "features/internal/chain.h"

namespace sluice::features {

struct FeatureGraph::State {
  std::vector<internal::Chain> chains;  ///< one per input, in the same order
  std::optional<LabelEncoder> label;
  std::string weight;
  std::vector<std::string> warnings;

  // Derived by Assemble.
  std::vector<InputColumn> inputs;
  std::vector<std::string> feature_names;
  std::vector<int> feature_inputs;

  /// Gives each chain its columns of the matrix and each feature a name of its own. Errors:
  /// kResourceExhausted above kMaxFeatureCount, kInvalidArgument for no feature at all.
  Status Assemble();
};

}  // namespace sluice::features
