// What is imported: another store, read in pieces of bounded size. Two implementations: MLflow's
// database (sql_source.h) and its folder of files (file_source.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/mlflow_import/tally.h"
#include "base/result.h"
#include "registry/bulk_writer.h"
#include "tracking/bulk_writer.h"

namespace sluice::app::mlflow_import {

/// Some rows in the order of their key. The next piece begins behind `position`.
template <typename T>
struct Piece {
  std::vector<T> rows;
  std::string position;
  bool is_last = false;
};

struct SourceRun {
  tracking::BulkRun bulk;
  /// Its history is not in bulk.points, it is read by ReadPoints.
  bool is_long = false;
};

enum class RunParts : uint8_t {
  kAll,
  kPoints,  ///< only ids and histories
};

struct SourceAlias {
  std::string model;
  registry::Alias alias;
};

/// One thread at a time. Reads only. A piece begins behind `after`, "" is the beginning.
class Source {
 public:
  virtual ~Source() = default;
  /// Names it for people and in the record of progress; no password.
  virtual std::string name() const = 0;

  virtual Result<Piece<tracking::Experiment>> ReadExperiments(const std::string& after) = 0;
  virtual Result<Piece<tracking::BulkDataset>> ReadDatasets(const std::string& after) = 0;
  virtual Result<Piece<SourceRun>> ReadRuns(const std::string& after, RunParts parts) = 0;
  /// The history of one run, in parts.
  virtual Status ReadPoints(
      const std::string& run_id,
      const std::function<Status(std::span<const tracking::Metric>)>& visit) = 0;
  virtual Result<Piece<tracking::LoggedModel>> ReadLoggedModels(const std::string& after) = 0;
  virtual Result<Piece<registry::RegisteredModel>> ReadModels(const std::string& after) = 0;
  virtual Result<Piece<registry::ModelVersion>> ReadVersions(const std::string& after) = 0;
  virtual Result<Piece<SourceAlias>> ReadAliases(const std::string& after) = 0;
  virtual Result<Piece<registry::Webhook>> ReadWebhooks(const std::string& after) = 0;

  /// What there is to bring, counted by the source itself and not by the functions above where that
  /// can be.
  virtual Result<Tally> Count() = 0;
};

}  // namespace sluice::app::mlflow_import
