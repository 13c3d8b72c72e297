// The second half of FileSource: logged models and the registry.
#include <fmt/format.h>

#include <algorithm>

#include "app/mlflow_import/file_source.h"
#include "app/mlflow_import/file_text.h"

namespace sluice::app::mlflow_import {
namespace {

using formats::YamlNode;
using io::JoinPath;
using tracking::Metric;

constexpr size_t kRowsPerPiece = 500;
constexpr std::string_view kDeletedStage = "Deleted_Internal";

/// How far into `list` a position "17" is.
size_t IndexOf(const std::string& position) {
  return static_cast<size_t>(ParseNumber(position).value_or(0));
}

}  // namespace

Result<Piece<tracking::LoggedModel>> FileSource::ReadLoggedModels(const std::string& after) {
  Piece<tracking::LoggedModel> piece{.rows = {}, .position = after, .is_last = true};
  auto next = after.empty() ? experiments_.begin()
                            : experiments_.upper_bound(ParseNumber(after).value_or(0));
  for (; next != experiments_.end() && piece.rows.size() < kRowsPerPiece; ++next) {
    const std::string folder = JoinPath(next->second, "models");
    ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(folder));
    for (const std::string& name : names) {
      const std::string path = JoinPath(folder, name);
      const std::optional<YamlNode> meta = ReadMeta(path);
      if (!meta) continue;
      tracking::LoggedModel model;
      model.model_id = name;
      model.experiment_id = std::to_string(next->first);
      model.name = TextAt(*meta, "name");
      model.artifact_uri = TextAt(*meta, "artifact_location");
      model.status = static_cast<tracking::LoggedModelStatus>(
          std::clamp(NumberAt(*meta, "status").value_or(1), int64_t{1}, int64_t{3}));
      model.status_message = TextAt(*meta, "status_message");
      model.model_type = TextAt(*meta, "model_type");
      model.source_run_id = TextAt(*meta, "source_run_id");
      model.stage = StageAt(*meta);
      model.created_ms = NumberAt(*meta, "creation_timestamp").value_or(0);
      model.updated_ms = NumberAt(*meta, "last_updated_timestamp").value_or(model.created_ms);
      ASSIGN_OR_RETURN(std::vector<Entry> params, ReadEntries(JoinPath(path, "params")));
      for (Entry& param : params) model.params.push_back({param.key, std::move(param.text)});
      ASSIGN_OR_RETURN(std::vector<Entry> tags, ReadEntries(JoinPath(path, "tags")));
      for (Entry& tag : tags) model.tags.push_back({tag.key, std::move(tag.text)});
      ASSIGN_OR_RETURN(const std::vector<Entry> metrics, ReadEntries(JoinPath(path, "metrics")));
      for (const Entry& file : metrics) {
        for (std::string_view line : Lines(file.text)) {
          std::optional<Metric> point = TakePoint(file.key, line);
          if (!point) continue;
          point->model_id = name;
          const std::string run_id(TakeWord(line));
          point->dataset_name = TakeWord(line);
          point->dataset_digest = TakeWord(line);
          model.metrics.push_back({.metric = *std::move(point), .run_id = run_id});
        }
      }
      piece.rows.push_back(std::move(model));
    }
    piece.position = std::to_string(next->first);
  }
  piece.is_last = next == experiments_.end();
  return piece;
}

Result<Piece<registry::RegisteredModel>> FileSource::ReadModels(const std::string& after) {
  Piece<registry::RegisteredModel> piece;
  size_t i = IndexOf(after);
  for (; i < models_.size() && piece.rows.size() < kRowsPerPiece; ++i) {
    const std::optional<YamlNode> meta = ReadMeta(models_[i]);
    if (!meta) continue;
    registry::RegisteredModel model;
    model.name = TextAt(*meta, "name");
    model.description = TextAt(*meta, "description");
    model.created_ms = NumberAt(*meta, "creation_timestamp").value_or(0);
    model.updated_ms = NumberAt(*meta, "last_updated_timestamp").value_or(0);
    ASSIGN_OR_RETURN(std::vector<Entry> tags, ReadEntries(JoinPath(models_[i], "tags")));
    for (Entry& tag : tags) model.tags.push_back({tag.key, std::move(tag.text)});
    piece.rows.push_back(std::move(model));
  }
  piece.position = std::to_string(i);
  piece.is_last = i >= models_.size();
  return piece;
}

Result<Piece<registry::ModelVersion>> FileSource::ReadVersions(const std::string& after) {
  Piece<registry::ModelVersion> piece;
  size_t i = IndexOf(after);
  for (; i < models_.size() && piece.rows.size() < kRowsPerPiece; ++i) {
    const std::optional<YamlNode> model = ReadMeta(models_[i]);
    ASSIGN_OR_RETURN(const std::vector<std::string> names, ListFolder(models_[i]));
    for (const std::string& name : names) {
      if (!model || !name.starts_with("version-")) continue;
      const std::string path = JoinPath(models_[i], name);
      const std::optional<YamlNode> meta = ReadMeta(path);
      if (!meta) continue;
      registry::ModelVersion version;
      version.name = TextAt(*model, "name");
      version.version = NumberAt(*meta, "version").value_or(0);
      version.source = TextAt(*meta, "source");
      version.run_id = TextAt(*meta, "run_id");
      version.run_link = TextAt(*meta, "run_link");
      version.logged_model_id = TextAt(*meta, "model_id");
      version.storage_location = TextAt(*meta, "storage_location");
      version.user_id = TextAt(*meta, "user_id");
      version.description = TextAt(*meta, "description");
      version.created_ms = NumberAt(*meta, "creation_timestamp").value_or(0);
      version.updated_ms = NumberAt(*meta, "last_updated_timestamp").value_or(version.created_ms);
      const std::string stage = TextAt(*meta, "current_stage");
      version.is_deleted = stage == kDeletedStage;
      if (Result<registry::Stage> known = registry::ParseStage(stage); known.ok())
        version.stage = *known;
      version.status = registry::FindVersionStatus(TextAt(*meta, "status"))
                           .value_or(registry::VersionStatus::kReady);
      version.status_message = TextAt(*meta, "status_message");
      ASSIGN_OR_RETURN(std::vector<Entry> tags, ReadEntries(JoinPath(path, "tags")));
      for (Entry& tag : tags) version.tags.push_back({tag.key, std::move(tag.text)});
      piece.rows.push_back(std::move(version));
    }
  }
  piece.position = std::to_string(i);
  piece.is_last = i >= models_.size();
  return piece;
}

Result<Piece<SourceAlias>> FileSource::ReadAliases(const std::string& after) {
  Piece<SourceAlias> piece{.rows = {}, .position = after, .is_last = true};
  for (const std::string& path : models_) {
    const std::optional<YamlNode> meta = ReadMeta(path);
    if (!meta) continue;
    ASSIGN_OR_RETURN(const std::vector<Entry> aliases, ReadEntries(JoinPath(path, "aliases")));
    for (const Entry& alias : aliases) {
      const std::string_view text = alias.text;
      const size_t end = std::min(text.find_first_of(" \r\n"), text.size());
      piece.rows.push_back(
          {TextAt(*meta, "name"), {alias.key, ParseNumber(text.substr(0, end)).value_or(0)}});
    }
  }
  return piece;
}

Result<Piece<registry::Webhook>> FileSource::ReadWebhooks(const std::string& after) {
  return Piece<registry::Webhook>{.rows = {}, .position = after, .is_last = true};
}

}  // namespace sluice::app::mlflow_import
