#include <fmt/format.h>

#include <charconv>
#include <set>

#include "model/model.h"

namespace sluice::model {
namespace {

constexpr int64_t kVersion = 1;

/// The label encoder keeps classes as text; here they get their type back.
Result<formats::Json> TypedClass(const std::string& text, ColumnType type) {
  const char* end = text.data() + text.size();
  const auto fail = [&] {
    return DataLoss(
        fmt::format("the label's class '{}' is no {}", text, table::ColumnTypeName(type)));
  };
  switch (type) {
    case ColumnType::kBool:
      if (text != "true" && text != "false") return fail();
      return formats::Json(text == "true");
    case ColumnType::kInt64: {
      int64_t value = 0;
      const auto [stop, error] = std::from_chars(text.data(), end, value);
      if (error != std::errc() || stop != end) return fail();
      return formats::Json(value);
    }
    case ColumnType::kDouble: {
      double value = 0;
      const auto [stop, error] = std::from_chars(text.data(), end, value);
      if (error != std::errc() || stop != end) return fail();
      return formats::Json(value);
    }
    default: return formats::Json(text);
  }
}

Result<InputColumn> ReadInput(const formats::Json& json, size_t index) {
  const std::string where = fmt::format("inputs[{}]", index);
  if (!json.is_object()) return InvalidArgument(where + " is not an object");
  InputColumn input;
  ASSIGN_OR_RETURN(input.name, json.GetString("name"));
  ASSIGN_OR_RETURN(const std::string type_name, json.GetString("type"));
  ASSIGN_OR_RETURN(input.is_required, json.GetBool("required"));
  const std::optional<ColumnType> type = table::FindColumnType(type_name);
  if (!type) return InvalidArgument(where + ".type: '" + type_name + "' is no column type");
  input.type = *type;
  if (input.name.empty()) return InvalidArgument(where + ".name is empty");
  return input;
}

Status CheckClasses(const Description& description) {
  const size_t count = description.classes.size();
  const bool fits = description.task == Task::kRegression ? count == 0
                    : description.task == Task::kBinary   ? count == 2
                                                          : count >= 2;
  if (!fits) {
    return InvalidArgument(fmt::format("classes: {} of them do not fit the task '{}'", count,
                                       learn::TaskName(description.task)));
  }
  for (const formats::Json& one : description.classes) {
    if (!(one.is_string() || one.is_number() || one.is_bool()) ||
        one.TypeName() != description.classes.front().TypeName()) {
      return InvalidArgument("classes: they must be all texts, all numbers or all booleans");
    }
  }
  return Ok();
}

}  // namespace

formats::Json Description::ToJson() const {
  formats::Json inputs = formats::Json::MakeArray();
  for (const InputColumn& input : signature.inputs) {
    inputs.Append(formats::Json::MakeObject({{"name", input.name},
                                             {"type", table::ColumnTypeName(input.type)},
                                             {"required", input.is_required}}));
  }
  return formats::Json::MakeObject({{"version", kVersion},
                                    {"kind", "model"},
                                    {"task", learn::TaskName(task)},
                                    {"label", label},
                                    {"classes", formats::Json(classes)},
                                    {"threshold", threshold},
                                    {"learner", learner},
                                    {"params", params},
                                    {"seed", seed},
                                    {"inputs", std::move(inputs)}});
}

Result<Description> Description::FromJson(const formats::Json& json) {
  if (!json.is_object()) return InvalidArgument("not a JSON object");
  ASSIGN_OR_RETURN(const std::string kind, json.GetString("kind"));
  if (kind != "model") return InvalidArgument("kind: '" + kind + "', not 'model'");
  ASSIGN_OR_RETURN(const int64_t version, json.GetInteger("version"));
  if (version != kVersion) {
    return InvalidArgument(fmt::format(
        "version: {} is not known here, only {}; a newer Sluice may read it", version, kVersion));
  }
  Description out;
  ASSIGN_OR_RETURN(const std::string task_name, json.GetString("task"));
  const std::optional<Task> found_task = learn::TaskFromName(task_name);
  if (!found_task) return InvalidArgument("task: '" + task_name + "' is not known");
  out.task = *found_task;
  ASSIGN_OR_RETURN(out.label, json.GetString("label"));
  ASSIGN_OR_RETURN(const formats::Json* class_list, json.GetArray("classes"));
  out.classes = class_list->AsArray();
  RETURN_IF_ERROR(CheckClasses(out));
  ASSIGN_OR_RETURN(out.threshold, json.GetDouble("threshold"));
  if (!(out.threshold >= 0 && out.threshold <= 1)) {
    return InvalidArgument(fmt::format("threshold: {} is not within 0 and 1", out.threshold));
  }
  ASSIGN_OR_RETURN(out.learner, json.GetString("learner"));
  ASSIGN_OR_RETURN(const formats::Json* found_params, json.GetObject("params"));
  out.params = *found_params;
  ASSIGN_OR_RETURN(out.seed, json.GetInteger("seed"));
  ASSIGN_OR_RETURN(const formats::Json* inputs, json.GetArray("inputs"));
  std::set<std::string> names;
  for (size_t i = 0; i < inputs->size(); ++i) {
    ASSIGN_OR_RETURN(InputColumn input, ReadInput(inputs->At(i), i));
    if (!names.insert(input.name).second) {
      return InvalidArgument("inputs: '" + input.name + "' is there twice");
    }
    out.signature.inputs.push_back(std::move(input));
  }
  return out;
}

Result<Description> Description::Of(const features::FeatureGraph& graph,
                                    const learn::Model& learner) {
  const features::LabelEncoder* encoder = graph.label();
  if (!encoder) {
    return FailedPrecondition("the feature graph has no label; name one in the features step");
  }
  if (features::TaskName(encoder->task()) != learn::TaskName(learner.task())) {
    return FailedPrecondition(
        fmt::format("the label makes it a {} task, the learner was trained "
                    "for {}",
                    features::TaskName(encoder->task()), learn::TaskName(learner.task())));
  }
  if (learner.task() != Task::kRegression &&
      learner.class_count() != static_cast<int64_t>(encoder->classes().size())) {
    return FailedPrecondition(fmt::format("the label has {} classes, the learner {}",
                                          encoder->classes().size(), learner.class_count()));
  }
  if (graph.feature_names() != learner.feature_names()) {
    return FailedPrecondition(
        fmt::format("the feature graph gives {} features, the learner was trained on {} others",
                    graph.feature_names().size(), learner.feature_names().size()));
  }
  Description out;
  out.task = learner.task();
  out.label = encoder->name();
  out.learner = learner.learner();
  out.params = learner.params();
  out.signature = Signature::FromGraph(graph);
  if (out.is_classifier()) {
    for (const std::string& text : encoder->classes()) {
      ASSIGN_OR_RETURN(formats::Json one, TypedClass(text, encoder->type()));
      out.classes.push_back(std::move(one));
    }
  }
  return out;
}

}  // namespace sluice::model
