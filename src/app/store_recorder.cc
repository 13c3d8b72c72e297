#include "app/run_recorder.h"

namespace sluice::app {

namespace {

class StoreRecorder : public RunRecorder {
 public:
  explicit StoreRecorder(tracking::Store& store) : store_(store) {}

  Result<std::string> EnsureExperiment(const std::string& name) override {
    ASSIGN_OR_RETURN(std::optional<tracking::Experiment> experiment,
                     store_.FindExperimentByName(name));
    if (!experiment) return store_.CreateExperiment({.name = name});
    if (experiment->stage == tracking::LifecycleStage::kDeleted) {
      RETURN_IF_ERROR(store_.RestoreExperiment(experiment->id));
    }
    return experiment->id;
  }

  Result<std::string> CreateRun(const tracking::NewRun& run) override {
    ASSIGN_OR_RETURN(tracking::Run created, store_.CreateRun(run));
    return created.info.run_id;
  }

  Status LogBatch(const std::string& run_id, const tracking::Batch& batch) override {
    return store_.LogBatch(run_id, batch);
  }
  Status LogInputs(const std::string& run_id,
                   std::span<const tracking::DatasetLink> inputs) override {
    return store_.LogInputs(run_id, inputs);
  }
  Status LogOutputs(const std::string& run_id,
                    std::span<const tracking::DatasetLink> outputs) override {
    return store_.LogOutputs(run_id, outputs);
  }

  Status EndRun(const std::string& run_id, tracking::RunStatus status, int64_t end_ms) override {
    Result<tracking::RunInfo> ended =
        store_.UpdateRun(run_id, {.status = status, .end_ms = end_ms, .name = {}});
    return ended.ok() ? Ok() : Status(ended.error());
  }

 private:
  tracking::Store& store_;
};

}  // namespace

std::unique_ptr<RunRecorder> MakeStoreRecorder(tracking::Store& store) {
  return std::make_unique<StoreRecorder>(store);
}

}  // namespace sluice::app
