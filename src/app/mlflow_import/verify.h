// Compares, after an import, what the source has with what is in the target.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/mlflow_import/source.h"
#include "sql/db.h"

namespace sluice::app::mlflow_import {

struct Comparison {
  enum class Verdict : uint8_t {
    kEqual,
    kMore,       ///< the target has all of it and more: it was in use before or since
    kDifferent,  ///< something is missing, or not the same
  };
  struct CountRow {
    Kind kind = Kind::kExperiments;
    int64_t in_source = 0;
    int64_t in_target = 0;
    Verdict verdict = Verdict::kEqual;
  };
  struct PointsRow {
    int64_t experiment_id = 0;
    PointSums in_source;
    PointSums in_target;
    Verdict verdict = Verdict::kEqual;
  };
  std::vector<CountRow> counts;
  std::vector<PointsRow> points;  ///< by experiment, those with any

  bool is_complete() const;
};
std::string_view VerdictText(Comparison::Verdict verdict);  ///< "ok", "more", "DIFFERENT"

/// Reads all histories of both sides; only what the source has is looked for in the target.
Result<Comparison> Compare(Source& source, sql::Db& target);

}  // namespace sluice::app::mlflow_import
