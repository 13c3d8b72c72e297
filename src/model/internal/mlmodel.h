// The text of an MLmodel file. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "model/model.h"

namespace sluice::model::internal {

struct MlmodelParts {
  const Description& description;
  std::string model_uuid;  ///< 32 hexadecimal digits
  std::string run_id;      ///< left out when empty
  int64_t model_size_bytes = 0;
};

/// YAML as `mlflow.models.Model.load` reads it: one flavor "sluice", the signature as JSON texts,
/// the example's place. No time of creation: two packagings of one model give the same bytes.
std::string PrintMlmodel(const MlmodelParts& parts);

/// A YAML double-quoted scalar, ASCII only, whatever is in `text` (valid UTF-8).
std::string QuoteYaml(std::string_view text);

}  // namespace sluice::model::internal
