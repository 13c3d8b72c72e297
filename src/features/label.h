// The label column: from text, bool or numbers to what a learner is given, and back.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "features/spec.h"
#include "formats/json.h"
#include "table/canonical.h"

namespace arrow {
class ChunkedArray;
}

namespace sluice::features {

using table::ColumnType;

enum class Task : uint8_t { kBinary, kMulticlass, kRegression };
/// "binary", "multiclass", "regression".
std::string_view TaskName(Task task);

/// Label values as doubles: class index, or the value for regression; NaN where the label is
/// missing.
struct EncodedLabels {
  std::vector<double> values;
  int64_t missing_count = 0;
};

/// A fitted label column. Immutable once made; thread-safe.
///
/// Classification labels are sorted as scikit-learn's LabelEncoder does (text bytewise, numbers by
/// value, false before true), and a class index is the position in that order; a binary `positive`
/// class is always index 1. With task auto: text and bool are classes; numbers are classes if
/// exactly two whole values occur, else a regression target.
class LabelEncoder {
 public:
  /// Errors: kInvalidArgument for no rows with a label, a single class, more than kMaxClasses
  /// classes, missing labels (unless the spec drops such rows; the count is named), an infinite
  /// regression label, an unsuitable type, an unknown `positive` class or one of more than two.
  static Result<LabelEncoder> Fit(const arrow::ChunkedArray& column, const FeatureSpec& spec);
  static Result<LabelEncoder> FromJson(const formats::Json& json);
  formats::Json ToJson() const;

  const std::string& name() const { return name_; }
  ColumnType type() const { return type_; }
  Task task() const { return task_; }
  bool drops_missing() const { return drops_missing_; }
  /// Text of each class, by class index; "false" and "true" for bool, whole numbers without a
  /// point. Empty for regression.
  const std::vector<std::string>& classes() const { return classes_; }

  /// Errors: kInvalidArgument for a type unlike the fitted one or a class never seen in training
  /// (named).
  Result<EncodedLabels> Encode(const arrow::ChunkedArray& column) const;

  /// Most classes of a classification label.
  static constexpr size_t kMaxClasses = 1'000;

 private:
  std::string name_;
  ColumnType type_ = ColumnType::kString;
  Task task_ = Task::kRegression;
  bool drops_missing_ = false;
  std::vector<std::string> classes_;
};

}  // namespace sluice::features
