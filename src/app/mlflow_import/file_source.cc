#include "app/mlflow_import/file_source.h"

#include "app/mlflow_import/file_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

namespace sluice::app::mlflow_import {
namespace {

using formats::YamlNode;
using io::JoinPath;
using tracking::Metric;

constexpr size_t kExperimentsPerPiece = 500;
constexpr size_t kRunsPerPiece = 200;
constexpr size_t kPointsPerPiece = 100'000;
constexpr int64_t kTextBytesMax = int64_t{64} << 20;

auto PointOrder(const Metric& metric) {
  const bool is_nan = std::isnan(metric.value);
  return std::tuple(metric.timestamp_ms, metric.step, is_nan, is_nan ? 0.0 : metric.value);
}

}  // namespace

Result<std::unique_ptr<FileSource>> FileSource::Open(io::Fs& fs, std::string root, Notes& notes) {
  std::unique_ptr<FileSource> source(new FileSource(fs, std::move(root), notes));
  RETURN_IF_ERROR(source->List());
  if (source->experiments_.empty() && source->models_.empty()) {
    return InvalidArgument(
        fmt::format("'{}' is no file store of MLflow: there is no folder with a meta.yaml in it",
                    source->root_));
  }
  return source;
}

Result<std::vector<std::string>> FileSource::ListFolder(const std::string& path) {
  ASSIGN_OR_RETURN(const auto found, fs_.Stat(path));
  if (!found || found->kind != io::FileKind::kDirectory) return std::vector<std::string>();
  return fs_.ListDirectory(path);
}

Status FileSource::List() {
  for (const std::string& folder : {root_, JoinPath(root_, ".trash")}) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
    for (const std::string& name : names) {
      const auto id = ParseNumber(name);
      if (!id) continue;
      const std::string path = JoinPath(folder, name);
      ASSIGN_OR_RETURN(const auto meta, fs_.Stat(JoinPath(path, "meta.yaml")));
      if (!meta) {
        notes_.Add("experiments without meta.yaml, left out", path);
        continue;
      }
      experiments_[*id] = path;
    }
  }
  for (const auto& [id, path] : experiments_) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(path));
    for (const std::string& name : names) {
      if (name == "tags" || name == "datasets" || name == "models" || name == "traces" ||
          name == "meta.yaml") {
        continue;
      }
      const std::string run = JoinPath(path, name);
      ASSIGN_OR_RETURN(const auto meta, fs_.Stat(JoinPath(run, "meta.yaml")));
      if (meta) {
        runs_.push_back({std::to_string(id), name, run});
      } else {
        notes_.Add("folders in experiments that are no runs (without meta.yaml), left out", run);
      }
    }
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> models, ListFolder(JoinPath(root_, "models")));
  for (const std::string& name : models) {
    const std::string path = JoinPath(JoinPath(root_, "models"), name);
    ASSIGN_OR_RETURN(const auto meta, fs_.Stat(JoinPath(path, "meta.yaml")));
    if (meta) models_.push_back(path);
  }
  return Ok();
}

std::optional<YamlNode> FileSource::ReadMeta(const std::string& folder) {
  const std::string path = JoinPath(folder, "meta.yaml");
  const Result<std::string> text = fs_.ReadFile(path, kTextBytesMax);
  if (!text.ok()) {
    notes_.Add("meta.yaml that cannot be read, left out", text.error().message());
    return std::nullopt;
  }
  Result<YamlNode> node =
      formats::ParseYaml(*text, {.file = path, .max_size_bytes = kTextBytesMax});
  if (!node.ok() || !node->is_mapping()) {
    notes_.Add("meta.yaml that cannot be read, left out",
               node.ok() ? path : node.error().message());
    return std::nullopt;
  }
  return *std::move(node);
}

Result<std::vector<FileSource::Entry>> FileSource::ReadEntries(const std::string& folder,
                                                               const std::string& prefix) {
  std::vector<Entry> entries;
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
  for (const std::string& name : names) {
    const std::string path = JoinPath(folder, name);
    ASSIGN_OR_RETURN(const auto info, fs_.Stat(path));
    if (!info) continue;
    if (info->kind == io::FileKind::kDirectory) {
      ASSIGN_OR_RETURN(std::vector<Entry> inner, ReadEntries(path, prefix + name + "/"));
      std::move(inner.begin(), inner.end(), std::back_inserter(entries));
      continue;
    }
    ASSIGN_OR_RETURN(std::string text, fs_.ReadFile(path));
    entries.push_back({prefix + name, std::move(text)});
  }
  return entries;
}

Result<std::vector<Metric>> FileSource::ReadMetricFile(const Entry& file) {
  std::vector<Metric> points;
  for (std::string_view line : Lines(file.text)) {
    std::optional<Metric> point = TakePoint(file.key, line);
    if (point) {
      points.push_back(*std::move(point));
    } else {
      notes_.Add("lines of metrics that are no points, left out", file.key);
    }
  }
  // The same point twice is one, in every database.
  auto before = [](const Metric& a, const Metric& b) { return PointOrder(a) < PointOrder(b); };
  auto same = [](const Metric& a, const Metric& b) { return PointOrder(a) == PointOrder(b); };
  std::sort(points.begin(), points.end(), before);
  points.erase(std::unique(points.begin(), points.end(), same), points.end());
  return points;
}

Result<Piece<tracking::Experiment>> FileSource::ReadExperiments(const std::string& after) {
  Piece<tracking::Experiment> piece;
  piece.is_last = true;
  auto next = after.empty() ? experiments_.begin()
                            : experiments_.upper_bound(ParseNumber(after).value_or(0));
  for (; next != experiments_.end(); ++next) {
    if (piece.rows.size() == kExperimentsPerPiece) {
      piece.is_last = false;
      break;
    }
    const auto& [id, path] = *next;
    piece.position = std::to_string(id);
    const std::optional<YamlNode> meta = ReadMeta(path);
    if (!meta) continue;
    tracking::Experiment experiment{.id = std::to_string(id),
                                    .name = TextAt(*meta, "name"),
                                    .artifact_location = TextAt(*meta, "artifact_location"),
                                    .stage = StageAt(*meta),
                                    .created_ms = NumberAt(*meta, "creation_time").value_or(0),
                                    .updated_ms = NumberAt(*meta, "last_update_time").value_or(0),
                                    .tags = {}};
    ASSIGN_OR_RETURN(std::vector<Entry> tags, ReadEntries(JoinPath(path, "tags")));
    for (Entry& tag : tags) experiment.tags.push_back({tag.key, std::move(tag.text)});
    piece.rows.push_back(std::move(experiment));
  }
  if (piece.position.empty()) piece.position = after;
  return piece;
}

Result<Piece<tracking::BulkDataset>> FileSource::ReadDatasets(const std::string& after) {
  Piece<tracking::BulkDataset> piece{.rows = {}, .position = after, .is_last = true};
  auto next = after.empty() ? experiments_.begin()
                            : experiments_.upper_bound(ParseNumber(after).value_or(0));
  // An experiment's datasets come together.
  for (; next != experiments_.end() && piece.rows.size() < kExperimentsPerPiece; ++next) {
    const auto& [id, path] = *next;
    const std::string folder = JoinPath(path, "datasets");
    ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
    for (const std::string& name : names) {
      const std::optional<YamlNode> meta = ReadMeta(JoinPath(folder, name));
      if (!meta) continue;
      piece.rows.push_back({.experiment_id = id,
                            .dataset = {.name = TextAt(*meta, "name"),
                                        .digest = TextAt(*meta, "digest"),
                                        .source_type = TextAt(*meta, "source_type"),
                                        .source = TextAt(*meta, "source"),
                                        .schema = TextAt(*meta, "schema"),
                                        .profile = TextAt(*meta, "profile")}});
    }
    piece.position = std::to_string(id);
  }
  piece.is_last = next == experiments_.end();
  return piece;
}

Result<const FileSource::Datasets*> FileSource::DatasetsOf(const std::string& experiment_id) {
  if (datasets_of_ == experiment_id) return &datasets_;
  datasets_.clear();
  const std::string folder =
      JoinPath(experiments_.at(ParseNumber(experiment_id).value_or(0)), "datasets");
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
  for (const std::string& name : names) {
    const std::optional<YamlNode> meta = ReadMeta(JoinPath(folder, name));
    if (meta) datasets_[name] = {TextAt(*meta, "name"), TextAt(*meta, "digest")};
  }
  datasets_of_ = experiment_id;
  return &datasets_;
}

Status FileSource::ReadLinks(const RunPlace& place, SourceRun& run) {
  for (const char* direction : {"inputs", "outputs"}) {
    const std::string folder = JoinPath(place.path, direction);
    ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
    for (const std::string& name : names) {
      const std::optional<YamlNode> meta = ReadMeta(JoinPath(folder, name));
      if (!meta) continue;
      const std::string type = TextAt(*meta, "source_type");
      if (type == "MODEL" || type == "RUN_INPUT" || type == "MODEL_INPUT") {
        run.bulk.run.model_inputs.push_back(TextAt(*meta, "destination_id"));
      } else if (type == "RUN_OUTPUT" || type == "MODEL_OUTPUT") {
        run.bulk.run.model_outputs.push_back({.model_id = TextAt(*meta, "destination_id"),
                                              .step = NumberAt(*meta, "step").value_or(0)});
      } else {
        ASSIGN_OR_RETURN(const Datasets* datasets, DatasetsOf(place.experiment_id));
        auto dataset = datasets->find(TextAt(*meta, "source_id"));
        if (dataset == datasets->end()) {
          notes_.Add("inputs of runs whose dataset is gone, left out", place.run_id);
          continue;
        }
        tracking::BulkDatasetLink link{
            .run_id = place.run_id,
            .experiment_id = ParseNumber(place.experiment_id).value_or(0),
            .name = dataset->second.name,
            .digest = dataset->second.digest,
            .tags = {}};
        if (const YamlNode* tags = meta->Find("tags"); tags != nullptr && tags->is_mapping()) {
          for (const YamlNode::Entry& tag : tags->entries())
            link.tags.push_back({tag.key.text(), tag.value.text()});
        }
        run.bulk.inputs.push_back(std::move(link));
      }
    }
  }
  return Ok();
}

Result<std::optional<SourceRun>> FileSource::ReadRun(const RunPlace& place, RunParts parts) {
  const std::optional<YamlNode> meta = ReadMeta(place.path);
  if (!meta) return std::optional<SourceRun>();
  SourceRun run;
  tracking::RunInfo& info = run.bulk.run.info;
  info.run_id = place.run_id;
  info.experiment_id = place.experiment_id;
  ASSIGN_OR_RETURN(std::vector<Entry> metrics, ReadEntries(JoinPath(place.path, "metrics")));
  std::set<std::string> keys;
  for (const Entry& file : metrics) {
    ASSIGN_OR_RETURN(std::vector<Metric> points, ReadMetricFile(file));
    if (points.empty()) continue;
    run.bulk.run.metrics.push_back(points.front());
    for (const Metric& point : points) {
      if (tracking::IsLater(point, run.bulk.run.metrics.back()))
        run.bulk.run.metrics.back() = point;
    }
    std::move(points.begin(), points.end(), std::back_inserter(run.bulk.points));
  }
  if (run.bulk.points.size() > kPointsPerPiece) {
    run.is_long = true;
    run.bulk.points.clear();
    run.bulk.points.shrink_to_fit();
  }
  if (parts == RunParts::kPoints) return std::optional(std::move(run));

  info.name = TextAt(*meta, "run_name");
  info.user_id = TextAt(*meta, "user_id");
  info.status = static_cast<tracking::RunStatus>(
      std::clamp(NumberAt(*meta, "status").value_or(1), int64_t{1}, int64_t{5}));
  info.start_ms = NumberAt(*meta, "start_time").value_or(0);
  info.end_ms = NumberAt(*meta, "end_time");
  info.artifact_uri = TextAt(*meta, "artifact_uri");
  info.stage = StageAt(*meta);
  if (info.stage == tracking::LifecycleStage::kDeleted) {
    run.bulk.deleted_ms =
        NumberAt(*meta, "deleted_time").value_or(info.end_ms.value_or(info.start_ms));
  }
  ASSIGN_OR_RETURN(std::vector<Entry> params, ReadEntries(JoinPath(place.path, "params")));
  for (Entry& param : params) run.bulk.run.params.push_back({param.key, std::move(param.text)});
  ASSIGN_OR_RETURN(std::vector<Entry> tags, ReadEntries(JoinPath(place.path, "tags")));
  for (Entry& tag : tags) run.bulk.run.tags.push_back({tag.key, std::move(tag.text)});
  if (info.name.empty()) info.name = run.bulk.run.FindTag(tracking::kRunNameTag).value_or("");
  RETURN_IF_ERROR(ReadLinks(place, run));
  return std::optional(std::move(run));
}

Result<Piece<SourceRun>> FileSource::ReadRuns(const std::string& after, RunParts parts) {
  Piece<SourceRun> piece;
  size_t point_count = 0;
  auto next = runs_.begin();
  if (const size_t slash = after.find('/'); slash != std::string::npos) {
    // Runs may have come or gone since; experiments are in the order of their numbers.
    const int64_t id = ParseNumber(after.substr(0, slash)).value_or(0);
    const std::string run_id = after.substr(slash + 1);
    next = std::upper_bound(runs_.begin(), runs_.end(), std::pair(id, run_id),
                            [](const auto& key, const RunPlace& place) {
                              return key < std::pair(ParseNumber(place.experiment_id).value_or(0),
                                                     place.run_id);
                            });
  }
  piece.position = after;
  for (; next != runs_.end(); ++next) {
    if (piece.rows.size() == kRunsPerPiece || point_count > kPointsPerPiece) break;
    piece.position = next->experiment_id + "/" + next->run_id;
    ASSIGN_OR_RETURN(std::optional<SourceRun> run, ReadRun(*next, parts));
    if (!run) continue;
    point_count += run->bulk.points.size();
    piece.rows.push_back(*std::move(run));
  }
  piece.is_last = next == runs_.end();
  return piece;
}

Status FileSource::ReadPoints(
    const std::string& run_id,
    const std::function<Status(std::span<const tracking::Metric>)>& visit) {
  for (const RunPlace& place : runs_) {
    if (place.run_id != run_id) continue;
    ASSIGN_OR_RETURN(std::vector<Entry> metrics, ReadEntries(JoinPath(place.path, "metrics")));
    for (const Entry& file : metrics) {
      ASSIGN_OR_RETURN(const std::vector<Metric> points, ReadMetricFile(file));
      for (size_t i = 0; i < points.size(); i += kPointsPerPiece) {
        RETURN_IF_ERROR(
            visit(std::span(points).subspan(i, std::min(kPointsPerPiece, points.size() - i))));
      }
    }
  }
  return Ok();
}

Result<Tally> FileSource::Count() {
  Tally tally;
  for (int i = 0; i < kKindCount; ++i) {
    const Kind kind = static_cast<Kind>(i);
    if (kind < Kind::kUsers) tally.counts[kind] = 0;
  }
  auto count = [&](Kind kind, size_t more) { tally.counts[kind] += static_cast<int64_t>(more); };
  auto each = [&](auto read, auto visit) -> Status {
    for (std::string position;;) {
      ASSIGN_OR_RETURN(const auto piece, read(position));
      for (const auto& row : piece.rows) visit(row);
      if (piece.is_last) return Ok();
      position = piece.position;
    }
  };
  RETURN_IF_ERROR(each([&](const std::string& after) { return ReadExperiments(after); },
                       [&](const tracking::Experiment& experiment) {
                         count(Kind::kExperiments, 1);
                         count(Kind::kExperimentTags, experiment.tags.size());
                       }));
  RETURN_IF_ERROR(each([&](const std::string& after) { return ReadDatasets(after); },
                       [&](const tracking::BulkDataset&) { count(Kind::kDatasets, 1); }));
  std::vector<std::string> long_runs;
  RETURN_IF_ERROR(each([&](const std::string& after) { return ReadRuns(after, RunParts::kAll); },
                       [&](const SourceRun& run) {
                         const tracking::Run& r = run.bulk.run;
                         count(Kind::kRuns, 1);
                         count(Kind::kDeletedRuns,
                               r.info.stage == tracking::LifecycleStage::kDeleted ? 1 : 0);
                         count(Kind::kParams, r.params.size());
                         count(Kind::kTags, r.tags.size());
                         count(Kind::kLatestMetrics, r.metrics.size());
                         count(Kind::kPoints, run.bulk.points.size());
                         if (run.is_long) long_runs.push_back(r.info.run_id);
                         count(Kind::kDatasetLinks, run.bulk.inputs.size());
                         for (const tracking::BulkDatasetLink& link : run.bulk.inputs)
                           count(Kind::kDatasetLinkTags, link.tags.size());
                         count(Kind::kModelLinks, r.model_inputs.size() + r.model_outputs.size());
                       }));
  for (const std::string& run_id : long_runs) {
    RETURN_IF_ERROR(ReadPoints(run_id, [&](std::span<const Metric> points) -> Status {
      count(Kind::kPoints, points.size());
      return Ok();
    }));
  }
  RETURN_IF_ERROR(each([&](const std::string& after) { return ReadLoggedModels(after); },
                       [&](const tracking::LoggedModel& model) {
                         count(Kind::kLoggedModels, 1);
                         count(Kind::kLoggedModelParams, model.params.size());
                         count(Kind::kLoggedModelTags, model.tags.size());
                         count(Kind::kLoggedModelMetrics, model.metrics.size());
                       }));
  RETURN_IF_ERROR(each([&](const std::string& after) { return ReadModels(after); },
                       [&](const registry::RegisteredModel& model) {
                         count(Kind::kModels, 1);
                         count(Kind::kModelTags, model.tags.size());
                       }));
  std::set<std::pair<std::string, int64_t>> live;
  RETURN_IF_ERROR(each([&](const std::string& after) { return ReadVersions(after); },
                       [&](const registry::ModelVersion& version) {
                         if (!version.is_deleted) live.emplace(version.name, version.version);
                         count(Kind::kVersions, 1);
                         count(Kind::kDeletedVersions, version.is_deleted ? 1 : 0);
                         count(Kind::kVersionTags, version.tags.size());
                       }));
  RETURN_IF_ERROR(each([&](const std::string& after) { return ReadAliases(after); },
                       [&](const SourceAlias& one) {
                         // One of a deleted version dangles.
                         count(Kind::kAliases, live.count({one.model, one.alias.version}));
                       }));
  return tally;
}

}  // namespace sluice::app::mlflow_import
