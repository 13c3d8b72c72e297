#include "app/mlflow_import/verify.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "registry/bulk_reader.h"
#include "tracking/bulk_reader.h"

namespace sluice::app::mlflow_import {
namespace {

using sql::Reader;
using Verdict = Comparison::Verdict;

constexpr int64_t kPointsPerPage = 50'000;

/// Which things of the target are the source's.
struct Names {
  std::vector<int64_t> experiment_ids;
  std::vector<std::string> models;
  std::vector<std::string> webhook_ids;
};

/// Calls `visit` with every row.
template <typename ReadPiece, typename Visit>
Status ForEachRow(ReadPiece read, Visit visit) {
  std::string position;
  for (;;) {
    ASSIGN_OR_RETURN(auto piece, read(position));
    for (const auto& row : piece.rows) visit(row);
    if (piece.is_last) return Ok();
    position = piece.position;
  }
}

Result<Names> ListNames(Source& source) {
  Names names;
  RETURN_IF_ERROR(ForEachRow(
      [&](const std::string& after) { return source.ReadExperiments(after); },
      [&](const tracking::Experiment& experiment) {
        int64_t id = 0;
        std::from_chars(experiment.id.data(), experiment.id.data() + experiment.id.size(), id);
        names.experiment_ids.push_back(id);
      }));
  RETURN_IF_ERROR(ForEachRow(
      [&](const std::string& after) { return source.ReadModels(after); },
      [&](const registry::RegisteredModel& model) { names.models.push_back(model.name); }));
  RETURN_IF_ERROR(ForEachRow(
      [&](const std::string& after) { return source.ReadWebhooks(after); },
      [&](const registry::Webhook& webhook) { names.webhook_ids.push_back(webhook.id); }));
  return names;
}

Result<std::map<int64_t, PointSums>> SumSource(Source& source) {
  std::map<int64_t, PointSums> sums;
  std::string position;
  for (;;) {
    ASSIGN_OR_RETURN(auto piece, source.ReadRuns(position, RunParts::kPoints));
    for (const SourceRun& run : piece.rows) {
      const tracking::RunInfo& info = run.bulk.run.info;
      int64_t id = 0;
      std::from_chars(info.experiment_id.data(),
                      info.experiment_id.data() + info.experiment_id.size(), id);
      auto add = [&](std::span<const tracking::Metric> points) -> Status {
        for (const tracking::Metric& point : points) sums[id].Add(info.run_id, point);
        return Ok();
      };
      RETURN_IF_ERROR(add(run.bulk.points));
      if (run.is_long) RETURN_IF_ERROR(source.ReadPoints(info.run_id, add));
    }
    if (piece.is_last) return sums;
    position = piece.position;
  }
}

Result<std::map<int64_t, PointSums>> SumTarget(sql::Db& target, const Names& names) {
  std::map<int64_t, PointSums> sums;
  for (int64_t id : names.experiment_ids) sums[id];
  tracking::PointPosition position{.series_id = std::numeric_limits<int64_t>::min()};
  for (;;) {
    ASSIGN_OR_RETURN(auto page, target.Read([&](Reader& reader) {
      return tracking::ReadPointsIn(reader, position, kPointsPerPage);
    }));
    if (page.empty()) return sums;
    for (const tracking::BulkPoint& point : page) {
      auto found = sums.find(point.experiment_id);
      if (found != sums.end()) found->second.Add(point.run_id, point.metric);
    }
  }
}

Result<std::map<Kind, int64_t>> CountTarget(sql::Db& target, const Names& names) {
  return target.Read([&](Reader& reader) -> Result<std::map<Kind, int64_t>> {
    ASSIGN_OR_RETURN(const tracking::BulkCounts t, tracking::CountIn(reader, names.experiment_ids));
    ASSIGN_OR_RETURN(const registry::BulkCounts r,
                     registry::CountIn(reader, names.models, names.webhook_ids));
    return std::map<Kind, int64_t>{{Kind::kExperiments, t.experiments},
                                   {Kind::kExperimentTags, t.experiment_tags},
                                   {Kind::kRuns, t.runs},
                                   {Kind::kDeletedRuns, t.deleted_runs},
                                   {Kind::kParams, t.params},
                                   {Kind::kTags, t.tags},
                                   {Kind::kLatestMetrics, t.latest_metrics},
                                   {Kind::kPoints, t.points},
                                   {Kind::kDatasets, t.datasets},
                                   {Kind::kDatasetLinks, t.dataset_links},
                                   {Kind::kDatasetLinkTags, t.dataset_link_tags},
                                   {Kind::kModelLinks, t.model_links},
                                   {Kind::kLoggedModels, t.logged_models},
                                   {Kind::kLoggedModelParams, t.logged_model_params},
                                   {Kind::kLoggedModelTags, t.logged_model_tags},
                                   {Kind::kLoggedModelMetrics, t.logged_model_metrics},
                                   {Kind::kModels, r.models},
                                   {Kind::kModelTags, r.model_tags},
                                   {Kind::kVersions, r.versions},
                                   {Kind::kDeletedVersions, r.deleted_versions},
                                   {Kind::kVersionTags, r.version_tags},
                                   {Kind::kAliases, r.aliases},
                                   {Kind::kWebhooks, r.webhooks}};
  });
}

Verdict Judge(int64_t in_source, int64_t in_target) {
  if (in_source == in_target) return Verdict::kEqual;
  return in_target > in_source ? Verdict::kMore : Verdict::kDifferent;
}

}  // namespace

std::string_view VerdictText(Verdict verdict) {
  switch (verdict) {
    case Verdict::kEqual: return "ok";
    case Verdict::kMore: return "more";
    case Verdict::kDifferent: return "DIFFERENT";
  }
  return "";
}

bool Comparison::is_complete() const {
  auto is_well = [](const auto& row) { return row.verdict != Verdict::kDifferent; };
  return std::all_of(counts.begin(), counts.end(), is_well) &&
         std::all_of(points.begin(), points.end(), is_well);
}

Result<Comparison> Compare(Source& source, sql::Db& target) {
  ASSIGN_OR_RETURN(const Names names, ListNames(source));
  ASSIGN_OR_RETURN(const Tally in_source, source.Count());
  ASSIGN_OR_RETURN(auto in_target, CountTarget(target, names));
  Comparison comparison;
  for (const auto& [kind, count] : in_source.counts) {
    comparison.counts.push_back({.kind = kind,
                                 .in_source = count,
                                 .in_target = in_target[kind],
                                 .verdict = Judge(count, in_target[kind])});
  }
  ASSIGN_OR_RETURN(auto source_sums, SumSource(source));
  ASSIGN_OR_RETURN(auto target_sums, SumTarget(target, names));
  for (int64_t id : names.experiment_ids) {
    const PointSums& theirs = source_sums[id];
    const PointSums& ours = target_sums[id];
    if (theirs.point_count == 0 && ours.point_count == 0) continue;
    Verdict verdict = Judge(theirs.point_count, ours.point_count);
    if (verdict == Verdict::kEqual && theirs != ours) verdict = Verdict::kDifferent;
    comparison.points.push_back(
        {.experiment_id = id, .in_source = theirs, .in_target = ours, .verdict = verdict});
  }
  return comparison;
}

}  // namespace sluice::app::mlflow_import
