#include "features/spec.h"

#include <fmt/format.h>

#include <set>

#include "base/suggest.h"
#include "features/internal/argument.h"
#include "features/internal/op.h"

namespace sluice::features {
namespace {

using formats::Json;
using internal::Shown;

Result<OpSpec> ReadOp(const Json& json) {
  OpSpec op;
  if (json.is_string()) {
    op.name = json.AsString();
  } else if (json.is_object() && json.size() == 1) {
    op.name = json.AsObject()[0].first;
    op.argument = json.AsObject()[0].second;
  } else {
    return InvalidArgument(fmt::format(
        "an operation is a name or one `name: options`, as in `impute: median`, found {}",
        Shown(json)));
  }
  ASSIGN_OR_RETURN(const internal::OpKind* kind, internal::FindOpKind(op.name));
  op.name = kind->name;
  if (Status status = kind->check(op.argument); !status.ok())
    return std::move(status).error().With(op.name);
  return op;
}

Result<ChainSpec> ReadChain(const Json& json) {
  ChainSpec chain;
  if (json.is_string() && json.AsString() == "drop") {
    chain.is_dropped = true;
    return chain;
  }
  if (!json.is_array()) {
    ASSIGN_OR_RETURN(OpSpec op, ReadOp(json));
    chain.ops.push_back(std::move(op));
    return chain;
  }
  if (json.size() > kMaxOpsPerChain) {
    return ResourceExhausted(
        fmt::format("{} operations; at most {} are allowed", json.size(), kMaxOpsPerChain));
  }
  if (json.size() == 1 && json.At(size_t{0}) == Json("drop")) {
    chain.is_dropped = true;
    return chain;
  }
  for (const Json& element : json.AsArray()) {
    ASSIGN_OR_RETURN(OpSpec op, ReadOp(element));
    chain.ops.push_back(std::move(op));
  }
  return chain;
}

Status ReadColumns(const Json& json, FeatureSpec& spec) {
  if (!json.is_object())
    return InvalidArgument(
        fmt::format("columns: must be `name: operations`, found {}", Shown(json)));
  for (const auto& [name, value] : json.AsObject()) {
    Result<ChainSpec> chain = ReadChain(value);
    if (!chain.ok()) return std::move(chain).error().With(fmt::format("column '{}'", name));
    for (const auto& [seen, seen_chain] : spec.columns) {
      if (seen == name) return InvalidArgument(fmt::format("column '{}': is declared twice", name));
    }
    spec.columns.emplace_back(name, std::move(chain).value());
  }
  return Ok();
}

Status ReadDefaults(const Json& json, FeatureSpec& spec) {
  struct Row {
    const char* key;
    ChainSpec* chain;
  };
  Row rows[] = {{"numeric", &spec.numeric_default},
                {"text", &spec.text_default},
                {"date", &spec.date_default},
                {"bool", &spec.bool_default}};
  if (json.is_string() && json.AsString() == "drop") {
    for (Row& row : rows) *row.chain = ChainSpec{.ops = {}, .is_dropped = true};
    return Ok();
  }
  if (Status status = internal::CheckKeys(json, {"numeric", "text", "date", "bool"});
      !status.ok()) {
    return std::move(status).error().With("default");
  }
  for (Row& row : rows) {
    const Json* value = json.Find(row.key);
    if (value == nullptr) continue;
    Result<ChainSpec> chain = ReadChain(*value);
    if (!chain.ok()) return std::move(chain).error().With(fmt::format("default {}", row.key));
    *row.chain = std::move(chain).value();
  }
  return Ok();
}

Result<std::string> ReadName(const Json& json, std::string_view key) {
  if (json.is_string() && !json.AsString().empty()) return json.AsString();
  return InvalidArgument(
      fmt::format("{} is {}; it must be the name of a column", key, Shown(json)));
}

Status ReadDrop(const Json& json, FeatureSpec& spec) {
  if (json.is_string()) {
    spec.drop.push_back(json.AsString());
    return Ok();
  }
  if (!json.is_array())
    return InvalidArgument(fmt::format("drop is {}; it must be a list of columns", Shown(json)));
  for (const Json& element : json.AsArray()) {
    ASSIGN_OR_RETURN(std::string name, ReadName(element, "drop"));
    spec.drop.push_back(std::move(name));
  }
  return Ok();
}

Status ReadLabel(const Json& json, FeatureSpec& spec) {
  if (const Json* label = json.Find("label"); label != nullptr && !label->is_null()) {
    ASSIGN_OR_RETURN(spec.label, ReadName(*label, "label"));
  }
  if (const Json* weight = json.Find("weight"); weight != nullptr && !weight->is_null()) {
    ASSIGN_OR_RETURN(spec.weight, ReadName(*weight, "weight"));
  }
  if (const Json* task = json.Find("task"); task != nullptr && !task->is_null()) {
    ASSIGN_OR_RETURN(std::string name,
                     internal::Choice(*task, "task", {"auto", "classification", "regression"}));
    spec.task = name == "auto"         ? TaskChoice::kAuto
                : name == "regression" ? TaskChoice::kRegression
                                       : TaskChoice::kClassification;
  }
  if (const Json* positive = json.Find("positive"); positive != nullptr && !positive->is_null()) {
    if (positive->is_string()) {
      spec.positive = positive->AsString();
    } else if (positive->is_bool()) {
      spec.positive = positive->AsBool() ? "true" : "false";
    } else if (positive->is_number()) {
      spec.positive = internal::NumberText(positive->AsDouble());
    } else {
      return InvalidArgument(
          fmt::format("positive is {}; it must be a class of the label", Shown(*positive)));
    }
  }
  if (const Json* missing = json.Find("missing_label"); missing != nullptr && !missing->is_null()) {
    ASSIGN_OR_RETURN(std::string rule,
                     internal::Choice(*missing, "missing_label", {"error", "drop"}));
    spec.drops_rows_without_label = rule.starts_with("drop");
  }
  return Ok();
}

/// What needs two keys: a column has one role.
Status CheckRoles(const FeatureSpec& spec) {
  std::set<std::string_view> dropped(spec.drop.begin(), spec.drop.end());
  for (const auto& [name, chain] : spec.columns) {
    if (dropped.contains(name))
      return InvalidArgument(fmt::format("column '{}': is both declared and dropped", name));
    if (name == spec.label)
      return InvalidArgument(
          fmt::format("column '{}': is the label, and cannot be a feature", name));
    if (name == spec.weight)
      return InvalidArgument(
          fmt::format("column '{}': is the weight, and cannot be a feature", name));
  }
  if (!spec.label.empty() && spec.label == spec.weight) {
    return InvalidArgument(fmt::format("column '{}': is both label and weight", spec.label));
  }
  if (!spec.label.empty() && dropped.contains(spec.label)) {
    return InvalidArgument(fmt::format("column '{}': is both label and dropped", spec.label));
  }
  return Ok();
}

}  // namespace

Result<FeatureSpec> FeatureSpec::FromJson(const Json& json) {
  FeatureSpec spec;
  spec.numeric_default.ops = {{"keep", {}}};
  spec.text_default.ops = {{"one_hot", {}}};
  spec.date_default.ops = {{"date", {}}};
  spec.bool_default.ops = {{"keep", {}}};
  if (json.is_null()) return spec;
  RETURN_IF_ERROR(internal::CheckKeys(json, {"label", "task", "positive", "missing_label", "weight",
                                             "drop", "columns", "default"}));
  RETURN_IF_ERROR(ReadLabel(json, spec));
  if (const Json* drop = json.Find("drop"); drop != nullptr && !drop->is_null())
    RETURN_IF_ERROR(ReadDrop(*drop, spec));
  if (const Json* columns = json.Find("columns"); columns != nullptr && !columns->is_null()) {
    RETURN_IF_ERROR(ReadColumns(*columns, spec));
  }
  if (const Json* defaults = json.Find("default"); defaults != nullptr && !defaults->is_null()) {
    RETURN_IF_ERROR(ReadDefaults(*defaults, spec));
  }
  RETURN_IF_ERROR(CheckRoles(spec));
  return spec;
}

const std::vector<OpHelp>& OpHelps() {
  static const std::vector<OpHelp> helps = [] {
    std::vector<OpHelp> all;
    for (const internal::OpKind& kind : internal::OpKinds()) all.push_back(kind.help);
    all.push_back(
        {"drop", "anything", "drop", "The column gives no feature and is no input of the model."});
    return all;
  }();
  return helps;
}

}  // namespace sluice::features
