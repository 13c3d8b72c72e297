// MLflow's folder of files (mlruns), as its file store writes it:
//
//   <experiment id>/meta.yaml, tags/KEY, datasets/ID/meta.yaml, models/MODEL ID/{meta.yaml,
//   params/KEY,
//     tags/KEY, metrics/KEY}
//   <experiment id>/<run id>/meta.yaml, params/KEY, tags/KEY, metrics/KEY ("time value step" a
//   line),
//     inputs/ID/meta.yaml, outputs/ID/meta.yaml
//   .trash/<experiment id>/...           deleted experiments
//   models/<name>/meta.yaml, tags/KEY, aliases/NAME, version-N/{meta.yaml, tags/KEY}
//
// What cannot be read (a run without meta.yaml, say) is left out with a note, as MLflow does it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/mlflow_import/notes.h"
#include "app/mlflow_import/source.h"
#include "formats/yaml.h"
#include "io/fs.h"

namespace sluice::app::mlflow_import {

class FileSource : public Source {
 public:
  /// `fs` and `notes` must outlive it. Errors: kInvalidArgument if the folder is no file store.
  static Result<std::unique_ptr<FileSource>> Open(io::Fs& fs, std::string root, Notes& notes);

  std::string name() const override { return root_; }
  Result<Piece<tracking::Experiment>> ReadExperiments(const std::string& after) override;
  Result<Piece<tracking::BulkDataset>> ReadDatasets(const std::string& after) override;
  Result<Piece<SourceRun>> ReadRuns(const std::string& after, RunParts parts) override;
  Status ReadPoints(const std::string& run_id,
                    const std::function<Status(std::span<const tracking::Metric>)>& visit) override;
  Result<Piece<tracking::LoggedModel>> ReadLoggedModels(const std::string& after) override;
  Result<Piece<registry::RegisteredModel>> ReadModels(const std::string& after) override;
  Result<Piece<registry::ModelVersion>> ReadVersions(const std::string& after) override;
  Result<Piece<SourceAlias>> ReadAliases(const std::string& after) override;
  Result<Piece<registry::Webhook>> ReadWebhooks(const std::string& after) override;
  /// By reading everything.
  Result<Tally> Count() override;

 private:
  struct RunPlace {
    std::string experiment_id;
    std::string run_id;
    std::string path;
  };
  struct DatasetName {
    std::string name;
    std::string digest;
  };
  using Datasets = std::map<std::string, DatasetName>;  ///< by id
  struct Entry {
    std::string key;
    std::string text;
  };

  FileSource(io::Fs& fs, std::string root, Notes& notes)
      : fs_(fs), root_(std::move(root)), notes_(notes) {}

  Status List();
  Result<std::vector<std::string>> ListFolder(const std::string& path);
  /// Nothing, with a note, for one that cannot be read.
  std::optional<formats::YamlNode> ReadMeta(const std::string& folder);
  /// The files of a folder of keys; a key with '/' is a folder in it.
  Result<std::vector<Entry>> ReadEntries(const std::string& folder, const std::string& prefix = "");
  Result<std::vector<tracking::Metric>> ReadMetricFile(const Entry& file);
  Result<const Datasets*> DatasetsOf(const std::string& experiment_id);
  Result<std::optional<SourceRun>> ReadRun(const RunPlace& place, RunParts parts);
  Status ReadLinks(const RunPlace& place, SourceRun& run);

  io::Fs& fs_;
  const std::string root_;
  Notes& notes_;
  std::map<int64_t, std::string> experiments_;  ///< path by id
  std::vector<RunPlace> runs_;                  ///< by experiment and id
  std::vector<std::string> models_;             ///< folders of registered models
  std::string datasets_of_;
  Datasets datasets_;
};

}  // namespace sluice::app::mlflow_import
