// What runs read and wrote: datasets and logged models.
#include <fmt/format.h>

#include "tracking/internal/rules.h"
#include "tracking/internal/sql_store.h"

namespace sluice::tracking::internal {
namespace {

using sql::Query;
using sql::Reader;
using sql::Row;
using sql::Tx;

constexpr Query kFindDataset{
    "tracking.find_dataset",
    "SELECT dataset_id FROM datasets WHERE experiment_id = $1 AND name = $2 AND digest = $3"};
// Nothing if another run has made the same one meanwhile.
constexpr Query kInsertDataset{
    "tracking.create_dataset",
    "INSERT INTO datasets (dataset_id, experiment_id, name, digest, source_type, source, "
    "schema_json, profile_json) VALUES ((SELECT COALESCE(MAX(dataset_id), 0) + 1 FROM datasets), "
    "$1, $2, $3, $4, $5, $6, $7) ON CONFLICT (experiment_id, name, digest) DO NOTHING",
    "INSERT INTO datasets (experiment_id, name, digest, source_type, source, schema_json, "
    "profile_json) VALUES ($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT (experiment_id, name, digest) DO NOTHING"};
constexpr Query kInsertLink{
    "tracking.link_dataset",
    "INSERT INTO dataset_links (run_id, direction, dataset_id) VALUES ($1, $2, $3) "
    "ON CONFLICT DO NOTHING"};
constexpr Query kSetLinkTag{
    "tracking.set_dataset_link_tag",
    "INSERT INTO dataset_link_tags (run_id, direction, dataset_id, key, value) "
    "VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (run_id, direction, dataset_id, key) DO UPDATE SET value = excluded.value"};
constexpr Query kLinkModel{
    "tracking.link_model",
    "INSERT INTO model_links (run_id, direction, model_id, step) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (run_id, direction, model_id) DO UPDATE SET step = excluded.step"};
/// An input tag's own limits; MLflow takes any characters.
Status CheckLinkTag(const Dataset& dataset, const Tag& tag) {
  if (tag.key.empty())
    return InvalidArgument(fmt::format("dataset '{}': a tag's key is empty", dataset.name));
  RETURN_IF_ERROR(CheckLength("key", tag.key, Limits::kDatasetTagKeyLength));
  return CheckLength("value", tag.value, Limits::kDatasetTagValueLength);
}

Status CheckLink(const DatasetLink& link) {
  const Dataset& dataset = link.dataset;
  if (dataset.name.empty()) return InvalidArgument("a dataset needs a name");
  RETURN_IF_ERROR(CheckLength("name", dataset.name, Limits::kDatasetNameLength));
  RETURN_IF_ERROR(CheckLength("digest", dataset.digest, Limits::kDatasetDigestLength));
  RETURN_IF_ERROR(CheckLength("source", dataset.source, Limits::kDatasetSourceLength));
  RETURN_IF_ERROR(CheckLength("schema", dataset.schema, Limits::kDatasetSchemaLength));
  RETURN_IF_ERROR(CheckLength("profile", dataset.profile, Limits::kDatasetProfileLength));
  for (const Tag& tag : link.tags) RETURN_IF_ERROR(CheckLinkTag(dataset, tag));
  return Ok();
}

Status CheckLinks(std::span<const DatasetLink> links) {
  if (links.size() > Limits::kDatasetsPerCall) {
    return InvalidArgument(fmt::format("{} datasets in one call; at most {} are taken",
                                       links.size(), Limits::kDatasetsPerCall));
  }
  for (const DatasetLink& link : links) RETURN_IF_ERROR(CheckLink(link));
  return Ok();
}

Status LinkDatasetsIn(Tx& tx, const RunInfo& run, std::span<const DatasetLink> links,
                      Direction direction) {
  ASSIGN_OR_RETURN(int64_t experiment_id, ParseExperimentId(run.experiment_id));
  for (const DatasetLink& link : links) {
    ASSIGN_OR_RETURN(int64_t dataset_id, FindOrCreateDatasetIn(tx, experiment_id, link.dataset));
    RETURN_IF_ERROR(tx.Execute(kInsertLink, {run.run_id, direction, dataset_id}));
    for (const Tag& tag : link.tags) {
      RETURN_IF_ERROR(
          tx.Execute(kSetLinkTag, {run.run_id, direction, dataset_id, tag.key, tag.value}));
    }
  }
  return Ok();
}

Status CheckModelId(std::string_view model_id) {
  if (!model_id.empty()) return CheckLength("model_id", model_id, Limits::kModelIdLength);
  return InvalidArgument("Missing value for required parameter 'model_id'.");
}

}  // namespace

Result<int64_t> FindOrCreateDatasetIn(Tx& tx, int64_t experiment_id, const Dataset& dataset) {
  auto find = [&] {
    return tx.FindOne(kFindDataset, {experiment_id, dataset.name, dataset.digest},
                      [](const Row& row) { return row.GetInt64(0); });
  };
  ASSIGN_OR_RETURN(std::optional<int64_t> found, find());
  if (found) return *found;
  RETURN_IF_ERROR(
      tx.Execute(kInsertDataset, {experiment_id, dataset.name, dataset.digest, dataset.source_type,
                                  dataset.source, dataset.schema, dataset.profile}));
  ASSIGN_OR_RETURN(found, find());
  if (found) return *found;
  return DataLoss(fmt::format("dataset '{}' is gone as soon as it was made", dataset.name));
}

Status SqlStore::LogInputs(std::string_view run_id, std::span<const DatasetLink> inputs,
                           std::span<const std::string> model_ids) {
  RETURN_IF_ERROR(CheckLinks(inputs));
  for (const std::string& model_id : model_ids) RETURN_IF_ERROR(CheckModelId(model_id));
  return db_.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(RunInfo run, GetActiveRunIn(tx, run_id));
        RETURN_IF_ERROR(LinkDatasetsIn(tx, run, inputs, Direction::kInput));
        for (const std::string& model_id : model_ids) {
          RETURN_IF_ERROR(tx.Execute(kLinkModel, {run_id, Direction::kInput, model_id, 0}));
        }
        return Ok();
      },
      sql::WriteOptions{.durability = io::Durability::kFast, .scope = run_id});
}

Status SqlStore::LogOutputs(std::string_view run_id, std::span<const DatasetLink> outputs) {
  RETURN_IF_ERROR(CheckLinks(outputs));
  return db_.Write(
      [&](Tx& tx) -> Status {
        ASSIGN_OR_RETURN(RunInfo run, GetActiveRunIn(tx, run_id));
        return LinkDatasetsIn(tx, run, outputs, Direction::kOutput);
      },
      sql::WriteOptions{.durability = io::Durability::kFast, .scope = run_id});
}

Status SqlStore::LogModelOutputs(std::string_view run_id, std::span<const ModelOutput> models) {
  for (const ModelOutput& model : models) RETURN_IF_ERROR(CheckModelId(model.model_id));
  return db_.Write(
      [&](Tx& tx) -> Status {
        RETURN_IF_ERROR(GetActiveRunIn(tx, run_id));
        for (const ModelOutput& model : models) {
          RETURN_IF_ERROR(
              tx.Execute(kLinkModel, {run_id, Direction::kOutput, model.model_id, model.step}));
        }
        return Ok();
      },
      sql::WriteOptions{.durability = io::Durability::kFast, .scope = run_id});
}

Result<std::vector<DatasetSummary>> SqlStore::SearchDatasets(
    std::span<const std::string> experiment_ids) {
  if (experiment_ids.empty()) {
    return InvalidArgument("SearchDatasets request must specify at least one experiment_id.");
  }
  if (experiment_ids.size() > Limits::kDatasetSearchExperimentCount) {
    return InvalidArgument(fmt::format(
        "SearchDatasets request cannot specify more than {} experiment_ids. Received {} "
        "experiment_ids.",
        Limits::kDatasetSearchExperimentCount, experiment_ids.size()));
  }
  std::vector<sql::Param> params = {kDatasetContextTag, Limits::kDatasetSummaryCount};
  std::string list;
  for (const std::string& text : experiment_ids) {
    ASSIGN_OR_RETURN(int64_t id, ParseExperimentId(text));
    params.emplace_back(id);
    list += fmt::format("{}${}", list.empty() ? "" : ", ", params.size());
  }
  std::string text = fmt::format(
      "SELECT experiment_id, name, digest, context FROM ("
      "SELECT DISTINCT d.experiment_id, d.name, d.digest, t.value AS context FROM datasets d "
      "JOIN dataset_links l ON l.dataset_id = d.dataset_id AND l.direction = 0 "
      "LEFT JOIN dataset_link_tags t ON t.run_id = l.run_id AND t.direction = l.direction "
      "AND t.dataset_id = l.dataset_id AND t.key = $1 "
      "WHERE d.experiment_id IN ({})) AS s "
      "ORDER BY experiment_id, name, digest, context IS NOT NULL, context LIMIT $2",
      list);
  return db_.Read([&](Reader& reader) {
    return reader.FindAll(Query{"tracking.search_datasets", text}, params, [](const Row& row) {
      return DatasetSummary{.experiment_id = std::to_string(row.GetInt64(0)),
                            .name = row.GetText(1),
                            .digest = row.GetText(2),
                            .context = row.FindText(3)};
    });
  });
}

}  // namespace sluice::tracking::internal
