// report.json, both ways. The shape is documented at ReportToJson.
#include <fmt/format.h>

#include <algorithm>

#include "evaluate/internal/codec.h"
#include "evaluate/report.h"

namespace sluice::evaluate {

using formats::Json;

namespace internal {

Json NumbersToJson(std::span<const double> values) {
  Json::Array array;
  array.reserve(values.size());
  for (double value : values) array.emplace_back(value);
  return Json(std::move(array));
}

Result<std::vector<double>> NumbersFromJson(const Json& json, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* array, json.GetArray(key));
  std::vector<double> values;
  values.reserve(array->size());
  for (const Json& element : array->AsArray()) {
    // GetDouble knows how NaN and infinity are written.
    Result<double> value = Json::MakeObject({{std::string(key), element}}).GetDouble(key);
    if (!value.ok()) return std::move(value).error();
    values.push_back(*value);
  }
  return values;
}

Status CheckKind(const Json& json, std::string_view kind) {
  if (!json.is_object()) {
    return InvalidArgument(fmt::format("a {} is an object, not {}", kind, json.TypeName()));
  }
  ASSIGN_OR_RETURN(int64_t version, json.GetInteger("version"));
  ASSIGN_OR_RETURN(std::string found, json.GetString("kind"));
  if (found != kind) {
    return InvalidArgument(fmt::format("this is a '{}', not a {}", found, kind));
  }
  if (version != 1) {
    return InvalidArgument(fmt::format("{} version {} is newer than this program", kind, version));
  }
  return Ok();
}

Json ValueToJson(double value, const std::optional<Interval>& interval) {
  Json json = Json::MakeObject({{"value", value}});
  if (interval) {
    json["low"] = interval->low;
    json["high"] = interval->high;
  }
  return json;
}

Result<std::optional<Interval>> IntervalFromJson(const Json& json) {
  if (json.Find("low") == nullptr && json.Find("high") == nullptr) return std::optional<Interval>();
  ASSIGN_OR_RETURN(double low, json.GetDouble("low"));
  ASSIGN_OR_RETURN(double high, json.GetDouble("high"));
  return std::optional<Interval>(Interval{low, high});
}

}  // namespace internal

using internal::NumbersFromJson;
using internal::NumbersToJson;

namespace {

/// Every element of the array at `key`, decoded; an absent array is empty.
template <typename T, typename Decode>
Result<std::vector<T>> ListFromJson(const Json& json, std::string_view key, Decode decode) {
  std::vector<T> list;
  if (json.Find(key) == nullptr) return list;
  ASSIGN_OR_RETURN(const Json* array, json.GetArray(key));
  for (const Json& element : array->AsArray()) {
    Result<T> one = decode(element);
    if (!one.ok()) return std::move(one).error().With(key);
    list.push_back(std::move(one).value());
  }
  return list;
}

template <typename T, typename Encode>
Json ListToJson(const std::vector<T>& list, Encode encode) {
  Json::Array array;
  for (const T& one : list) array.push_back(encode(one));
  return Json(std::move(array));
}

Json MetricsToJson(const std::vector<MetricValue>& metrics) {
  Json json = Json::MakeObject();
  for (const MetricValue& metric : metrics) {
    Json value = internal::ValueToJson(metric.value, metric.interval);
    const MetricInfo* info = FindMetric(metric.name);
    value["higher_is_better"] = info == nullptr || info->higher_is_better;
    json[metric.name] = std::move(value);
  }
  return json;
}

Result<std::vector<MetricValue>> MetricsFromJson(const Json& json) {
  ASSIGN_OR_RETURN(const Json* object, json.GetObject("metrics"));
  std::vector<MetricValue> metrics;
  for (const auto& [name, value] : object->AsObject()) {
    if (!value.is_object()) {
      return InvalidArgument(fmt::format("metric '{}' must be an object", name));
    }
    MetricValue metric{.name = name, .value = 0, .interval = std::nullopt};
    ASSIGN_OR_RETURN(metric.value, value.GetDouble("value"));
    ASSIGN_OR_RETURN(metric.interval, internal::IntervalFromJson(value));
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

Json CalibrationToJson(const CalibrationCurve& curve) {
  return Json::MakeObject({{"mean_score", NumbersToJson(curve.mean_score)},
                           {"mean_label", NumbersToJson(curve.mean_label)},
                           {"weight", NumbersToJson(curve.weight)}});
}

Result<CalibrationCurve> CalibrationFromJson(const Json& json, std::string_view key) {
  ASSIGN_OR_RETURN(const Json* object, json.GetObject(key));
  CalibrationCurve curve;
  ASSIGN_OR_RETURN(curve.mean_score, NumbersFromJson(*object, "mean_score"));
  ASSIGN_OR_RETURN(curve.mean_label, NumbersFromJson(*object, "mean_label"));
  ASSIGN_OR_RETURN(curve.weight, NumbersFromJson(*object, "weight"));
  return curve;
}

Json CurvesToJson(const ClassCurves& curves) {
  return Json::MakeObject(
      {{"class", curves.class_name},
       {"roc", Json::MakeObject({{"fpr", NumbersToJson(curves.roc.fpr)},
                                 {"tpr", NumbersToJson(curves.roc.tpr)},
                                 {"thresholds", NumbersToJson(curves.roc.thresholds)}})},
       {"pr", Json::MakeObject({{"precision", NumbersToJson(curves.pr.precision)},
                                {"recall", NumbersToJson(curves.pr.recall)},
                                {"thresholds", NumbersToJson(curves.pr.thresholds)}})},
       {"calibration", CalibrationToJson(curves.calibration)},
       {"calibration_quantile", CalibrationToJson(curves.calibration_quantile)},
       {"scores",
        Json::MakeObject({{"edges", NumbersToJson(curves.positive_scores.edges)},
                          {"positive", NumbersToJson(curves.positive_scores.weights)},
                          {"negative", NumbersToJson(curves.negative_scores.weights)}})}});
}

Result<ClassCurves> CurvesFromJson(const Json& json) {
  ClassCurves curves;
  ASSIGN_OR_RETURN(curves.class_name, json.GetString("class"));
  ASSIGN_OR_RETURN(const Json* roc, json.GetObject("roc"));
  ASSIGN_OR_RETURN(curves.roc.fpr, NumbersFromJson(*roc, "fpr"));
  ASSIGN_OR_RETURN(curves.roc.tpr, NumbersFromJson(*roc, "tpr"));
  ASSIGN_OR_RETURN(curves.roc.thresholds, NumbersFromJson(*roc, "thresholds"));
  ASSIGN_OR_RETURN(const Json* pr, json.GetObject("pr"));
  ASSIGN_OR_RETURN(curves.pr.precision, NumbersFromJson(*pr, "precision"));
  ASSIGN_OR_RETURN(curves.pr.recall, NumbersFromJson(*pr, "recall"));
  ASSIGN_OR_RETURN(curves.pr.thresholds, NumbersFromJson(*pr, "thresholds"));
  ASSIGN_OR_RETURN(curves.calibration, CalibrationFromJson(json, "calibration"));
  ASSIGN_OR_RETURN(curves.calibration_quantile, CalibrationFromJson(json, "calibration_quantile"));
  ASSIGN_OR_RETURN(const Json* scores, json.GetObject("scores"));
  ASSIGN_OR_RETURN(curves.positive_scores.edges, NumbersFromJson(*scores, "edges"));
  curves.negative_scores.edges = curves.positive_scores.edges;
  ASSIGN_OR_RETURN(curves.positive_scores.weights, NumbersFromJson(*scores, "positive"));
  ASSIGN_OR_RETURN(curves.negative_scores.weights, NumbersFromJson(*scores, "negative"));
  return curves;
}

Json SliceToJson(const SliceReport& slice) {
  return Json::MakeObject({{"name", slice.name},
                           {"groups", ListToJson(slice.groups, [](const SliceGroup& group) {
                              return Json::MakeObject({{"value", group.value},
                                                       {"rows", group.row_count},
                                                       {"weight", group.weight},
                                                       {"mean_label", group.mean_label},
                                                       {"mean_prediction", group.mean_prediction},
                                                       {"small", group.is_small},
                                                       {"metrics", MetricsToJson(group.metrics)}});
                            })}});
}

Result<SliceReport> SliceFromJson(const Json& json) {
  SliceReport slice;
  ASSIGN_OR_RETURN(slice.name, json.GetString("name"));
  ASSIGN_OR_RETURN(
      slice.groups,
      ListFromJson<SliceGroup>(json, "groups", [](const Json& one) -> Result<SliceGroup> {
        SliceGroup group;
        ASSIGN_OR_RETURN(group.value, one.GetString("value"));
        ASSIGN_OR_RETURN(group.row_count, one.GetInteger("rows"));
        ASSIGN_OR_RETURN(group.weight, one.GetDouble("weight"));
        ASSIGN_OR_RETURN(group.mean_label, one.GetDouble("mean_label"));
        ASSIGN_OR_RETURN(group.mean_prediction, one.GetDouble("mean_prediction"));
        ASSIGN_OR_RETURN(group.is_small, one.GetBool("small"));
        ASSIGN_OR_RETURN(group.metrics, MetricsFromJson(one));
        return group;
      }));
  return slice;
}

struct FairnessField {
  std::string_view name;
  double FairnessReport::*member;
};
constexpr FairnessField kFairnessFields[] = {
    {"demographic_parity_ratio", &FairnessReport::demographic_parity_ratio},
    {"demographic_parity_difference", &FairnessReport::demographic_parity_difference},
    {"equal_opportunity_difference", &FairnessReport::equal_opportunity_difference},
    {"equalized_odds_difference", &FairnessReport::equalized_odds_difference},
    {"equalized_odds_ratio", &FairnessReport::equalized_odds_ratio},
};

Json FairnessToJson(const FairnessReport& fairness) {
  Json json = Json::MakeObject({{"name", fairness.name}});
  for (const FairnessField& field : kFairnessFields) json[field.name] = fairness.*field.member;
  json["groups"] = ListToJson(fairness.groups, [](const FairnessGroup& group) {
    return Json::MakeObject({{"value", group.value},
                             {"rows", group.row_count},
                             {"small", group.is_small},
                             {"selection_rate", group.selection_rate},
                             {"base_rate", group.base_rate},
                             {"tpr", group.tpr},
                             {"fpr", group.fpr}});
  });
  return json;
}

Result<FairnessReport> FairnessFromJson(const Json& json) {
  FairnessReport fairness;
  ASSIGN_OR_RETURN(fairness.name, json.GetString("name"));
  for (const FairnessField& field : kFairnessFields) {
    ASSIGN_OR_RETURN(fairness.*field.member, json.GetDouble(field.name));
  }
  ASSIGN_OR_RETURN(
      fairness.groups,
      ListFromJson<FairnessGroup>(json, "groups", [](const Json& one) -> Result<FairnessGroup> {
        FairnessGroup group;
        ASSIGN_OR_RETURN(group.value, one.GetString("value"));
        ASSIGN_OR_RETURN(group.row_count, one.GetInteger("rows"));
        ASSIGN_OR_RETURN(group.is_small, one.GetBool("small"));
        ASSIGN_OR_RETURN(group.selection_rate, one.GetDouble("selection_rate"));
        ASSIGN_OR_RETURN(group.base_rate, one.GetDouble("base_rate"));
        ASSIGN_OR_RETURN(group.tpr, one.GetDouble("tpr"));
        ASSIGN_OR_RETURN(group.fpr, one.GetDouble("fpr"));
        return group;
      }));
  return fairness;
}

Json ResidualsToJson(const ResidualReport& residuals) {
  Json quantiles = Json::MakeArray();
  for (size_t i = 0; i < residuals.quantiles.size(); ++i) {
    quantiles.Append(Json::MakeObject(
        {{"share", residuals.quantile_shares[i]}, {"value", residuals.quantiles[i]}}));
  }
  return Json::MakeObject(
      {{"mean", residuals.mean},
       {"standard_deviation", residuals.standard_deviation},
       {"quantiles", std::move(quantiles)},
       {"histogram", Json::MakeObject({{"edges", NumbersToJson(residuals.histogram.edges)},
                                       {"weights", NumbersToJson(residuals.histogram.weights)}})},
       {"bins", ListToJson(residuals.bins,
                           [](const ResidualBin& bin) {
                             return Json::MakeObject({{"rows", bin.row_count},
                                                      {"mean_prediction", bin.mean_prediction},
                                                      {"mean_label", bin.mean_label},
                                                      {"p10", bin.p10},
                                                      {"p50", bin.p50},
                                                      {"p90", bin.p90}});
                           })},
       {"sample",
        Json::MakeObject({{"labels", NumbersToJson(residuals.sample_labels)},
                          {"predictions", NumbersToJson(residuals.sample_predictions)}})}});
}

Result<ResidualReport> ResidualsFromJson(const Json& json) {
  ResidualReport residuals;
  ASSIGN_OR_RETURN(residuals.mean, json.GetDouble("mean"));
  ASSIGN_OR_RETURN(residuals.standard_deviation, json.GetDouble("standard_deviation"));
  ASSIGN_OR_RETURN(const Json* quantiles, json.GetArray("quantiles"));
  for (const Json& one : quantiles->AsArray()) {
    ASSIGN_OR_RETURN(double share, one.GetDouble("share"));
    ASSIGN_OR_RETURN(double value, one.GetDouble("value"));
    residuals.quantile_shares.push_back(share);
    residuals.quantiles.push_back(value);
  }
  ASSIGN_OR_RETURN(const Json* histogram, json.GetObject("histogram"));
  ASSIGN_OR_RETURN(residuals.histogram.edges, NumbersFromJson(*histogram, "edges"));
  ASSIGN_OR_RETURN(residuals.histogram.weights, NumbersFromJson(*histogram, "weights"));
  ASSIGN_OR_RETURN(
      residuals.bins,
      ListFromJson<ResidualBin>(json, "bins", [](const Json& one) -> Result<ResidualBin> {
        ResidualBin bin;
        ASSIGN_OR_RETURN(bin.row_count, one.GetInteger("rows"));
        ASSIGN_OR_RETURN(bin.mean_prediction, one.GetDouble("mean_prediction"));
        ASSIGN_OR_RETURN(bin.mean_label, one.GetDouble("mean_label"));
        ASSIGN_OR_RETURN(bin.p10, one.GetDouble("p10"));
        ASSIGN_OR_RETURN(bin.p50, one.GetDouble("p50"));
        ASSIGN_OR_RETURN(bin.p90, one.GetDouble("p90"));
        return bin;
      }));
  ASSIGN_OR_RETURN(const Json* sample, json.GetObject("sample"));
  ASSIGN_OR_RETURN(residuals.sample_labels, NumbersFromJson(*sample, "labels"));
  ASSIGN_OR_RETURN(residuals.sample_predictions, NumbersFromJson(*sample, "predictions"));
  return residuals;
}

Json ConfusionToJson(const ConfusionMatrix& matrix) {
  Json rows = Json::MakeArray();
  for (int64_t label = 0; label < matrix.class_count(); ++label) {
    Json row = Json::MakeArray();
    for (int64_t prediction = 0; prediction < matrix.class_count(); ++prediction) {
      row.Append(matrix.At(label, prediction));
    }
    rows.Append(std::move(row));
  }
  return rows;
}

Result<ConfusionMatrix> ConfusionFromJson(const Json& json, size_t class_count) {
  ASSIGN_OR_RETURN(const Json* rows, json.GetArray("confusion"));
  bool is_square = rows->size() == class_count;
  for (size_t label = 0; is_square && label < class_count; ++label) {
    const Json& row = rows->At(label);
    is_square = row.is_array() && row.size() == class_count &&
                std::all_of(row.AsArray().begin(), row.AsArray().end(),
                            [](const Json& cell) { return cell.is_number(); });
  }
  if (!is_square) {
    return InvalidArgument(fmt::format("'confusion' must be {0} rows of {0} numbers", class_count));
  }
  ConfusionMatrix matrix(static_cast<int64_t>(class_count));
  for (size_t label = 0; label < class_count; ++label) {
    for (size_t prediction = 0; prediction < class_count; ++prediction) {
      double weight = rows->At(label).At(prediction).AsDouble();
      if (weight == 0) continue;
      matrix.Add(static_cast<int64_t>(label), static_cast<int64_t>(prediction), weight);
    }
  }
  return matrix;
}

Status ClassificationFromJson(const Json& json, Report& report) {
  ASSIGN_OR_RETURN(const Json* classes, json.GetArray("classes"));
  for (const Json& one : classes->AsArray()) {
    ASSIGN_OR_RETURN(std::string name, one.GetString("name"));
    ASSIGN_OR_RETURN(int64_t row_count, one.GetInteger("rows"));
    report.class_names.push_back(std::move(name));
    report.class_row_counts.push_back(row_count);
  }
  if (report.task == Task::kBinary) {
    ASSIGN_OR_RETURN(report.threshold, json.GetDouble("threshold"));
  }
  ASSIGN_OR_RETURN(report.confusion, ConfusionFromJson(json, report.class_names.size()));
  ASSIGN_OR_RETURN(report.curves, ListFromJson<ClassCurves>(json, "curves", CurvesFromJson));
  return Ok();
}

}  // namespace

Json ReportToJson(const Report& report) {
  Json json = Json::MakeObject({{"version", 1},
                                {"kind", "report"},
                                {"task", TaskName(report.task)},
                                {"rows", report.row_count},
                                {"weighted", report.is_weighted},
                                {"rows_digest", report.rows_digest}});
  if (report.task != Task::kRegression) {
    Json classes = Json::MakeArray();
    for (size_t i = 0; i < report.class_names.size(); ++i) {
      classes.Append(Json::MakeObject(
          {{"name", report.class_names[i]}, {"rows", report.class_row_counts[i]}}));
    }
    json["classes"] = std::move(classes);
  }
  if (report.task == Task::kBinary) json["threshold"] = report.threshold;
  json["main_metric"] = report.main_metric;
  json["bootstrap"] =
      Json::MakeObject({{"resamples", report.resample_count}, {"confidence", report.confidence}});
  json["metrics"] = MetricsToJson(report.metrics);
  if (report.confusion) json["confusion"] = ConfusionToJson(*report.confusion);
  if (!report.curves.empty()) json["curves"] = ListToJson(report.curves, CurvesToJson);
  json["slices"] = ListToJson(report.slices, SliceToJson);
  if (!report.fairness.empty()) json["fairness"] = ListToJson(report.fairness, FairnessToJson);
  json["importances"] = ListToJson(report.importances, [](const ImportanceReport& importance) {
    return Json::MakeObject({{"column", importance.column},
                             {"mean", importance.mean},
                             {"standard_deviation", importance.standard_deviation}});
  });
  if (report.residuals) json["residuals"] = ResidualsToJson(*report.residuals);
  return json;
}

Result<Report> ReportFromJson(const Json& json) {
  RETURN_IF_ERROR(internal::CheckKind(json, "report"));
  Report report;
  ASSIGN_OR_RETURN(std::string task_name, json.GetString("task"));
  std::optional<Task> task = TaskFromName(task_name);
  if (!task) return InvalidArgument(fmt::format("'task' is '{}'", task_name));
  report.task = *task;
  ASSIGN_OR_RETURN(report.row_count, json.GetInteger("rows"));
  ASSIGN_OR_RETURN(report.is_weighted, json.GetBool("weighted"));
  ASSIGN_OR_RETURN(report.rows_digest, json.GetString("rows_digest"));
  ASSIGN_OR_RETURN(report.main_metric, json.GetString("main_metric"));
  ASSIGN_OR_RETURN(const Json* bootstrap, json.GetObject("bootstrap"));
  ASSIGN_OR_RETURN(report.resample_count, bootstrap->GetInteger("resamples"));
  ASSIGN_OR_RETURN(report.confidence, bootstrap->GetDouble("confidence"));
  ASSIGN_OR_RETURN(report.metrics, MetricsFromJson(json));
  if (report.task != Task::kRegression) RETURN_IF_ERROR(ClassificationFromJson(json, report));
  ASSIGN_OR_RETURN(report.slices, ListFromJson<SliceReport>(json, "slices", SliceFromJson));
  ASSIGN_OR_RETURN(report.fairness,
                   ListFromJson<FairnessReport>(json, "fairness", FairnessFromJson));
  ASSIGN_OR_RETURN(report.importances,
                   ListFromJson<ImportanceReport>(
                       json, "importances", [](const Json& one) -> Result<ImportanceReport> {
                         ImportanceReport importance;
                         ASSIGN_OR_RETURN(importance.column, one.GetString("column"));
                         ASSIGN_OR_RETURN(importance.mean, one.GetDouble("mean"));
                         ASSIGN_OR_RETURN(importance.standard_deviation,
                                          one.GetDouble("standard_deviation"));
                         return importance;
                       }));
  if (json.Find("residuals") != nullptr) {
    ASSIGN_OR_RETURN(const Json* residuals, json.GetObject("residuals"));
    ASSIGN_OR_RETURN(report.residuals, ResidualsFromJson(*residuals));
  }
  return report;
}

}  // namespace sluice::evaluate
