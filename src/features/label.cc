#include "features/label.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <unordered_map>

#include "base/suggest.h"
#include "features/internal/argument.h"

namespace sluice::features {
namespace {

using formats::Json;
using internal::NumberText;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Calls one of the two for each row; a missing number is NaN, a missing text has no data().
void Visit(const arrow::ChunkedArray& column, const std::function<void(double)>& on_number,
           const std::function<void(std::string_view)>& on_text) {
  for (const std::shared_ptr<arrow::Array>& chunk : column.chunks()) {
    for (int64_t i = 0; i < chunk->length(); ++i) {
      bool is_null = chunk->IsNull(i);
      switch (chunk->type_id()) {
        case arrow::Type::STRING: {
          std::string_view text =
              is_null ? std::string_view() : static_cast<arrow::StringArray&>(*chunk).GetView(i);
          if (!is_null && text.data() == nullptr) text = "";
          on_text(text);
          break;
        }
        case arrow::Type::BOOL:
          on_number(is_null ? kNaN : static_cast<arrow::BooleanArray&>(*chunk).Value(i) ? 1 : 0);
          break;
        case arrow::Type::INT64:
          on_number(is_null
                        ? kNaN
                        : static_cast<double>(static_cast<arrow::Int64Array&>(*chunk).Value(i)));
          break;
        default:  // double: callers have checked the type
          on_number(is_null ? kNaN : static_cast<arrow::DoubleArray&>(*chunk).Value(i));
      }
    }
  }
}

/// A class as text: "false" and "true" for bool.
std::string ClassText(ColumnType type, double value) {
  if (type == ColumnType::kBool) return value != 0 ? "true" : "false";
  return NumberText(value);
}

Result<ColumnType> LabelType(const std::string& name, const arrow::DataType& given) {
  std::optional<ColumnType> type = table::CanonicalType(given);
  if (!type.has_value() || *type == ColumnType::kDate || *type == ColumnType::kTimestamp) {
    return InvalidArgument(fmt::format("label '{}': has type {}; a label is text, bool or numbers",
                                       name, given.ToString()));
  }
  return *type;
}

struct Seen {
  std::set<std::string, std::less<>> texts;
  std::set<double> numbers;
  int64_t missing_count = 0;
  int64_t infinite_count = 0;
  int64_t present_count = 0;
};

Seen CollectValues(const arrow::ChunkedArray& column, size_t max_classes) {
  Seen seen;
  Visit(
      column,
      [&](double value) {
        if (std::isnan(value)) {
          ++seen.missing_count;
          return;
        }
        ++seen.present_count;
        seen.infinite_count += std::isinf(value) ? 1 : 0;
        // One more than allowed is enough to know that there are too many.
        if (seen.numbers.size() <= max_classes) seen.numbers.insert(value == 0 ? 0.0 : value);
      },
      [&](std::string_view text) {
        if (text.data() == nullptr) {
          ++seen.missing_count;
          return;
        }
        ++seen.present_count;
        if (seen.texts.size() <= max_classes && !seen.texts.contains(text))
          seen.texts.emplace(text);
      });
  return seen;
}

bool AreTwoWholeNumbers(const std::set<double>& numbers) {
  return numbers.size() == 2 && std::all_of(numbers.begin(), numbers.end(), [](double value) {
           return value == std::floor(value);
         });
}

}  // namespace

std::string_view TaskName(Task task) {
  switch (task) {
    case Task::kBinary: return "binary";
    case Task::kMulticlass: return "multiclass";
    case Task::kRegression: break;
  }
  return "regression";
}

Result<LabelEncoder> LabelEncoder::Fit(const arrow::ChunkedArray& column, const FeatureSpec& spec) {
  LabelEncoder encoder;
  encoder.name_ = spec.label;
  encoder.drops_missing_ = spec.drops_rows_without_label;
  ASSIGN_OR_RETURN(encoder.type_, LabelType(spec.label, *column.type()));
  Seen seen = CollectValues(column, kMaxClasses);
  if (seen.missing_count > 0 && !encoder.drops_missing_) {
    return InvalidArgument(
        fmt::format("label '{}': is missing in {} of {} rows; remove them or declare "
                    "`missing_label: drop`",
                    spec.label, seen.missing_count, column.length()));
  }
  if (seen.present_count == 0)
    return InvalidArgument(fmt::format("label '{}': no row has a value", spec.label));
  if (seen.infinite_count > 0) {
    return InvalidArgument(
        fmt::format("label '{}': is infinite in {} rows", spec.label, seen.infinite_count));
  }

  bool is_text = encoder.type_ == ColumnType::kString;
  bool is_numeric = encoder.type_ == ColumnType::kInt64 || encoder.type_ == ColumnType::kDouble;
  if (is_text && spec.task == TaskChoice::kRegression) {
    return InvalidArgument(
        fmt::format("label '{}': is text, and a regression needs numbers", spec.label));
  }
  bool is_regression =
      spec.task == TaskChoice::kRegression ||
      (spec.task == TaskChoice::kAuto && is_numeric && !AreTwoWholeNumbers(seen.numbers));
  if (is_regression) {
    if (!spec.positive.empty()) {
      return InvalidArgument(
          fmt::format("label '{}': `positive` is given, but the label has many numbers, which is a "
                      "regression; say `task: classification` if they are classes",
                      spec.label));
    }
    encoder.task_ = Task::kRegression;
    return encoder;
  }
  if (is_text) {
    encoder.classes_.assign(seen.texts.begin(), seen.texts.end());
  } else {
    for (double value : seen.numbers) encoder.classes_.push_back(ClassText(encoder.type_, value));
  }
  std::vector<std::string>& classes = encoder.classes_;
  if (classes.size() > kMaxClasses) {
    return ResourceExhausted(
        fmt::format("label '{}': has more than {} classes; {}", spec.label, kMaxClasses,
                    is_numeric ? "is it a regression?" : "is it the right column?"));
  }
  if (classes.size() < 2) {
    return InvalidArgument(
        fmt::format("label '{}': has the single class '{}' in {} rows; a classifier needs two",
                    spec.label, classes[0], seen.present_count));
  }
  encoder.task_ = classes.size() == 2 ? Task::kBinary : Task::kMulticlass;
  if (!spec.positive.empty()) {
    auto found = std::find(classes.begin(), classes.end(), spec.positive);
    if (found == classes.end()) {
      return InvalidArgument(fmt::format("label '{}': has no class '{}' to be positive{}",
                                         spec.label, spec.positive,
                                         DidYouMean(spec.positive, classes)));
    }
    if (encoder.task_ != Task::kBinary) {
      return InvalidArgument(fmt::format("label '{}': `positive` is for two classes, and it has {}",
                                         spec.label, classes.size()));
    }
    std::rotate(classes.begin(), found + 1, classes.end());
  }
  return encoder;
}

Result<EncodedLabels> LabelEncoder::Encode(const arrow::ChunkedArray& column) const {
  ASSIGN_OR_RETURN(ColumnType type, LabelType(name_, *column.type()));
  auto is_number = [](ColumnType t) { return t == ColumnType::kInt64 || t == ColumnType::kDouble; };
  bool is_all_null = column.null_count() == column.length();
  if (type != type_ && !(is_number(type) && is_number(type_)) && !is_all_null) {
    return InvalidArgument(fmt::format("label '{}': has type {}, but was trained as {}", name_,
                                       table::ColumnTypeName(type), table::ColumnTypeName(type_)));
  }
  std::unordered_map<std::string_view, double> index;
  for (size_t i = 0; i < classes_.size(); ++i) index.emplace(classes_[i], static_cast<double>(i));
  EncodedLabels encoded;
  encoded.values.reserve(static_cast<size_t>(column.length()));
  std::string unknown;
  int64_t unknown_count = 0;
  auto add_class = [&](std::string_view text) {
    auto found = index.find(text);
    if (found == index.end()) {
      if (unknown_count++ == 0) unknown = text;
      encoded.values.push_back(kNaN);
    } else {
      encoded.values.push_back(found->second);
    }
  };
  auto add_missing = [&] {
    ++encoded.missing_count;
    encoded.values.push_back(kNaN);
  };
  int64_t infinite_count = 0;
  // Few numbers are classes; the text of each is made once.
  std::unordered_map<double, std::string> texts;
  Visit(
      column,
      [&](double value) {
        if (std::isnan(value)) {
          add_missing();
        } else if (task_ == Task::kRegression) {
          infinite_count += std::isinf(value) ? 1 : 0;
          encoded.values.push_back(value);
        } else {
          auto [found, is_new] = texts.try_emplace(value);
          if (is_new) found->second = ClassText(type_, value);
          add_class(found->second);
        }
      },
      [&](std::string_view text) { text.data() == nullptr ? add_missing() : add_class(text); });
  if (infinite_count > 0) {
    return InvalidArgument(
        fmt::format("label '{}': is infinite in {} rows", name_, infinite_count));
  }
  if (unknown_count > 0) {
    return InvalidArgument(fmt::format(
        "label '{}': the class '{}' was never seen in training ({} rows in all have such "
        "a class); classes are {}",
        name_, unknown, unknown_count,
        fmt::join(
            classes_.begin(),
            classes_.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(classes_.size(), 10)),
            ", ")));
  }
  return encoded;
}

Json LabelEncoder::ToJson() const {
  Json classes = Json::MakeArray();
  for (const std::string& text : classes_) classes.Append(text);
  return Json::MakeObject({{"name", name_},
                           {"type", table::ColumnTypeName(type_)},
                           {"task", TaskName(task_)},
                           {"missing", drops_missing_ ? "drop" : "error"},
                           {"classes", std::move(classes)}});
}

Result<LabelEncoder> LabelEncoder::FromJson(const Json& json) {
  LabelEncoder encoder;
  ASSIGN_OR_RETURN(encoder.name_, json.GetString("name"));
  ASSIGN_OR_RETURN(std::string type_name, json.GetString("type"));
  std::optional<ColumnType> type = table::FindColumnType(type_name);
  if (!type.has_value() || *type == ColumnType::kDate || *type == ColumnType::kTimestamp) {
    return InvalidArgument(fmt::format("label '{}': unknown type '{}'", encoder.name_, type_name));
  }
  encoder.type_ = *type;
  ASSIGN_OR_RETURN(std::string missing, json.GetString("missing"));
  encoder.drops_missing_ = missing.starts_with("drop");
  ASSIGN_OR_RETURN(const Json* classes, json.GetArray("classes"));
  std::set<std::string> seen;
  for (const Json& text : classes->AsArray()) {
    if (!text.is_string() || !seen.insert(text.AsString()).second) {
      return InvalidArgument(
          fmt::format("label '{}': classes must be different texts", encoder.name_));
    }
    encoder.classes_.push_back(text.AsString());
  }
  size_t count = encoder.classes_.size();
  if (count == 1 || count > kMaxClasses) {
    return InvalidArgument(fmt::format("label '{}': {} classes", encoder.name_, count));
  }
  encoder.task_ = count == 0 ? Task::kRegression : count == 2 ? Task::kBinary : Task::kMulticlass;
  ASSIGN_OR_RETURN(std::string task, json.GetString("task"));
  if (task != TaskName(encoder.task_)) {
    return InvalidArgument(
        fmt::format("label '{}': task '{}' does not fit {} classes", encoder.name_, task, count));
  }
  if (encoder.task_ == Task::kRegression && encoder.type_ == ColumnType::kString) {
    return InvalidArgument(fmt::format("label '{}': text without classes", encoder.name_));
  }
  return encoder;
}

}  // namespace sluice::features
