// The tree of a parsed gate rule.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/report.h"

namespace sluice::evaluate::internal {

/// Something that a report says as one number.
struct Measure {
  enum class Kind : uint8_t {
    kMetric,
    kIntervalLow,
    kIntervalHigh,
    kRows,
    kSliceMin,
    kSliceMax,
    kSliceGroup,
    kFairness,
    kFairnessMin,
    kFairnessMax,
    kImportance,
    kImportanceMax,
    kDifference,
    kDifferenceLow,
    kDifferenceHigh,
    kSignificantlyBetter,
    kNotSignificantlyWorse,
    kChampionLeft,  ///< bare `champion`: the left side, measured on the champion
  };
  Kind kind = Kind::kMetric;
  bool is_of_champion = false;
  std::string name;   ///< metric, fairness measure or column of importance; "rows" in slices
  std::string slice;  ///< slice or sensitive column; empty: all of them
  std::string group;
  std::string text;  ///< as written
};

struct RuleNode {
  enum class Kind : uint8_t {
    kNumber,
    kMeasure,
    kNegate,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kCompare
  };
  Kind kind = Kind::kNumber;
  double number = 0;
  Measure measure;
  std::string comparison;  ///< of kCompare
  std::string text;        ///< the part of the rule that the node covers
  std::vector<RuleNode> children;
};

/// One summary measure of FairnessReport, by every name that rules may use.
struct FairnessMeasure {
  std::string_view name;
  double FairnessReport::*member;
};
std::span<const FairnessMeasure> FairnessMeasures();

}  // namespace sluice::evaluate::internal
