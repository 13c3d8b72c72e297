#include "tracking/purge.h"

#include <gtest/gtest.h>

#include "tracking/logged_models.h"
#include "tracking/metric_history.h"
#include "tracking/testing/engine_test.h"

namespace sluice::tracking {
namespace {

using Ids = std::vector<std::string>;

class PurgeTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    if (store_ == nullptr) return;
    purger_ = std::make_unique<Purger>(*db_, clock_);
    models_ = std::make_unique<LoggedModelStore>(*db_, clock_);
  }
  /// A run with something in every table.
  std::string MakeFullRun(const std::string& experiment_id, const std::string& run_id) {
    MakeRun({.experiment_id = experiment_id, .run_id = run_id, .tags = {{"t", "v"}}});
    std::string model_id = MakeModel(experiment_id);
    Metric of_model{.key = "acc", .value = 1};
    of_model.model_id = model_id;
    Log(run_id, {{{"loss", 1, 0, 0}, {"loss", 2, 1, 1}, of_model}, {{"p", "v"}}, {{"u", "v"}}});
    DatasetLink link;
    link.dataset = {.name = "shared", .digest = "d", .source_type = "s", .source = "s"};
    link.tags = {{"mlflow.data.context", "train"}};
    EXPECT_TRUE(store_->LogInputs(run_id, {{link}}, Ids{model_id}).ok());
    EXPECT_TRUE(store_->LogModelOutputs(run_id, std::vector<ModelOutput>{{model_id, 3}}).ok());
    return run_id;
  }
  std::string MakeModel(const std::string& experiment_id) {
    NewLoggedModel model;
    model.experiment_id = experiment_id;
    model.params = {{"p", "v"}};
    model.tags = {{"t", "v"}};
    return models_->Create(model).value().model_id;
  }
  int64_t CountRows(const std::string& table) {
    std::string text = "SELECT COUNT(*) FROM " + table;
    return db_
        ->Read([&](sql::Reader& reader) {
          return reader.FindOne(sql::Query{"test.count", text}, {},
                                [](const sql::Row& row) { return row.GetInt64(0); });
        })
        .value()
        .value();
  }
  Ids ListArtifacts() {
    Ids uris;
    for (const ArtifactRemoval& removal : purger_->ListArtifactRemovals().value())
      uris.push_back(removal.artifact_uri);
    return uris;
  }

  std::unique_ptr<Purger> purger_;
  std::unique_ptr<LoggedModelStore> models_;
};
TRACKING_ON_EVERY_ENGINE(PurgeTest);

constexpr const char* kRunTables[] = {"runs",          "params",
                                      "tags",          "metric_series",
                                      "metric_points", "dataset_links",
                                      "datasets",      "dataset_link_tags",
                                      "model_links",   "logged_model_metrics"};

TEST_P(PurgeTest, TakesDeletedRunsWithAllTheirRows) {
  MakeFullRun("0", "gone");
  ASSERT_TRUE(store_->DeleteRun("gone").ok());
  EXPECT_EQ(purger_->PurgeRuns({}).value(), Ids{"gone"});
  for (const char* table : kRunTables) EXPECT_EQ(CountRows(table), 0) << table;
  EXPECT_EQ(store_->GetRun("gone").error().message(), "Run with id=gone not found");
  EXPECT_EQ(CodeOf(store_->RestoreRun("gone")), ErrorCode::kNotFound);
  EXPECT_EQ(ListArtifacts(), Ids{"root/0/gone"});
  ASSERT_TRUE(purger_->PostponeArtifactRemoval("run:gone", 1000).ok());
  EXPECT_TRUE(purger_->ListArtifactRemovals(10, true).value().empty());
  clock_.AdvanceMs(1000);
  EXPECT_EQ(purger_->ListArtifactRemovals(10, true).value().size(), 1u);
  ASSERT_TRUE(purger_->FinishArtifactRemoval("run:gone").ok());
  ASSERT_TRUE(purger_->FinishArtifactRemoval("run:gone").ok());
  EXPECT_EQ(ListArtifacts(), Ids{});
  EXPECT_EQ(CountRows("logged_models"), 1) << "its logged model stays";
  // The id is free, and nothing of the old run clings to the new one.
  MakeRun({.experiment_id = "0", .run_id = "gone"});
  EXPECT_TRUE(store_->GetRun("gone").value().params.empty());
}

TEST_P(PurgeTest, LeavesOthersAlone) {
  MakeFullRun("0", "kept");
  MakeFullRun("0", "gone");
  ASSERT_TRUE(store_->DeleteRun("gone").ok());
  EXPECT_EQ(purger_->PurgeRuns({}).value(), Ids{"gone"});
  tracking::Run kept = store_->GetRun("kept").value();
  EXPECT_EQ(kept.params.size(), 1u);
  EXPECT_EQ(kept.metrics.size(), 2u);
  ASSERT_EQ(kept.inputs.size(), 1u) << "a dataset that another run reads";
  EXPECT_EQ(kept.inputs[0].tags.size(), 1u);
  EXPECT_EQ(kept.model_outputs.size(), 1u);
  EXPECT_EQ(store_->GetMetricHistory("kept", "loss").value().metrics.size(), 2u);
  EXPECT_EQ(purger_->PurgeRuns({}).value(), Ids{});
}

TEST_P(PurgeTest, TakesOnlyWhatWasAskedForAndIsOldEnough) {
  MakeRun({.experiment_id = "0", .run_id = "old"});
  MakeRun({.experiment_id = "0", .run_id = "young"});
  MakeRun({.experiment_id = "0", .run_id = "active"});
  ASSERT_TRUE(store_->DeleteRun("old").ok());
  clock_.AdvanceMs(1000);
  int64_t threshold_ms = clock_.NowMs() - 500;
  ASSERT_TRUE(store_->DeleteRun("young").ok());
  EXPECT_EQ(CodeOf(purger_->PurgeRuns({{"old", "active"}, {}})), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(purger_->PurgeRuns({{"old", "absent"}, {}})), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(purger_->PurgeRuns({{"old", "young"}, threshold_ms})),
            ErrorCode::kFailedPrecondition);
  EXPECT_EQ(CountRows("runs"), 3) << "nothing goes if anything is wrong";
  EXPECT_EQ(purger_->PurgeRuns({{}, threshold_ms, true}).value(), Ids{"old"});
  EXPECT_EQ(purger_->PurgeRuns({{"young", "young"}, {}, true}).value(), Ids{"young"});
  EXPECT_EQ(CountRows("runs"), 3) << "a dry run takes nothing";
  EXPECT_EQ(purger_->PurgeRuns({{}, threshold_ms}).value(), Ids{"old"});
  EXPECT_EQ(purger_->PurgeRuns({{"young"}, {}}).value(), Ids{"young"});
  EXPECT_EQ(CountRows("runs"), 1);
}

TEST_P(PurgeTest, TakesExperimentsWithAllThatIsInThem) {
  std::string id = MakeExperiment("e");
  ASSERT_TRUE(store_->SetExperimentTag(id, {"k", "v"}).ok());
  MakeFullRun(id, "run");
  EXPECT_EQ(CodeOf(purger_->PurgeExperiments({{id}, {}})), ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(store_->DeleteExperiment(id).ok());
  EXPECT_EQ(CodeOf(purger_->PurgeExperiments({{id}, clock_.NowMs() - 1})),
            ErrorCode::kFailedPrecondition);
  EXPECT_EQ(purger_->PurgeExperiments({{}, {}, true}).value(), Ids{id});
  EXPECT_EQ(purger_->PurgeExperiments({{id}, {}}).value(), Ids{id});
  for (const char* table : kRunTables) EXPECT_EQ(CountRows(table), 0) << table;
  for (const char* table : {"experiment_tags", "logged_models", "logged_model_params"})
    EXPECT_EQ(CountRows(table), 0) << table;
  EXPECT_EQ(CodeOf(store_->GetExperiment(id)), ErrorCode::kNotFound);
  EXPECT_EQ(ListArtifacts().size(), 2u);
  std::string again = MakeExperiment("e");
  EXPECT_NE(again, id) << "an id is never given twice";
  EXPECT_EQ(purger_->PurgeExperiments({}).value(), Ids{});
}

TEST_P(PurgeTest, TakesLoggedModels) {
  std::string kept = MakeModel("0");
  std::string gone = MakeModel("0");
  EXPECT_EQ(CodeOf(purger_->PurgeLoggedModels({{gone}, {}})), ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(models_->Delete(gone).ok());
  EXPECT_EQ(purger_->PurgeLoggedModels({}).value(), Ids{gone});
  EXPECT_EQ(CountRows("logged_models"), 1);
  EXPECT_EQ(CountRows("logged_model_tags"), 1);
  EXPECT_EQ(CodeOf(models_->Restore(gone)), ErrorCode::kNotFound);
  EXPECT_EQ(ListArtifacts(), Ids{"root/0/models/" + gone});
}

// A purge that died behind its first step.
TEST_P(PurgeTest, IsFinishedByWhoeverComesNext) {
  std::string id = MakeExperiment("e");
  MakeFullRun(id, "one");
  MakeFullRun("0", "two");
  ASSERT_TRUE(store_->DeleteExperiment(id).ok());
  ASSERT_TRUE(store_->DeleteRun("two").ok());
  ASSERT_TRUE(db_->Write([&](sql::Tx& tx) -> Status {
                   constexpr sql::Query kMarkExperiment{
                       "test.mark_experiment", "UPDATE experiments SET stage = 2 WHERE name = 'e'"};
                   constexpr sql::Query kMarkRun{"test.mark_run",
                                                 "UPDATE runs SET stage = 2 WHERE run_id = 'two'"};
                   RETURN_IF_ERROR(tx.Execute(kMarkExperiment));
                   RETURN_IF_ERROR(tx.Execute(kMarkRun));
                   return Ok();
                 })
                  .ok());
  EXPECT_EQ(CodeOf(store_->GetRun("two")), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(store_->GetExperiment(id)), ErrorCode::kNotFound);
  ASSERT_TRUE(purger_->Resume().ok());
  for (const char* table : kRunTables) EXPECT_EQ(CountRows(table), 0) << table;
  EXPECT_EQ(CountRows("experiments"), 1);
}

TEST_P(PurgeTest, TakesLongHistoriesInParts) {
  MakeRun({.experiment_id = "0", .run_id = "long"});
  for (int64_t start = 0; start < 45'000; start += 9'000) {
    Batch batch;
    for (int64_t i = start; i < start + 9'000; ++i) batch.metrics.push_back({"m", 1, i, i});
    Log("long", batch);
  }
  ASSERT_TRUE(store_->DeleteRun("long").ok());
  EXPECT_EQ(purger_->PurgeRuns({}).value(), Ids{"long"});
  EXPECT_EQ(CountRows("metric_points"), 0);
}

TEST_P(PurgeTest, RunsMoveBetweenExperimentsWithWhatTheyLogged) {
  std::string to = MakeExperiment("to");
  MakeFullRun("0", "moved");
  MakeFullRun("0", "kept");
  std::string artifact_uri = store_->GetRun("moved").value().info.artifact_uri;
  ASSERT_TRUE(store_->MoveRuns(Ids{"moved"}, to).ok());
  ASSERT_TRUE(store_->MoveRuns(Ids{"moved"}, to).ok());
  tracking::Run run = store_->GetRun("moved").value();
  EXPECT_EQ(run.info.experiment_id, to);
  EXPECT_EQ(run.info.artifact_uri, artifact_uri);
  ASSERT_EQ(run.inputs.size(), 1u);
  EXPECT_EQ(run.inputs[0].tags.size(), 1u);
  EXPECT_EQ(store_->SearchDatasets(Ids{to}).value(),
            (std::vector<DatasetSummary>{{to, "shared", "d", "train"}}));
  EXPECT_EQ(store_->SearchDatasets(Ids{"0", to}).value().size(), 2u);
  ASSERT_TRUE(store_->DeleteRun("kept").ok());
  EXPECT_EQ(CodeOf(store_->MoveRuns(Ids{"moved", "kept"}, "0")), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(CodeOf(store_->MoveRuns(Ids{"moved"}, "77")), ErrorCode::kNotFound);
  EXPECT_EQ(store_->GetRun("moved").value().info.experiment_id, to);
}

TEST_P(PurgeTest, RunsOfACertainAgeAreDeletedTogether) {
  for (int64_t i = 0; i < 5; ++i)
    MakeRun({.experiment_id = "0", .run_id = "r" + std::to_string(i), .start_ms = i});
  EXPECT_EQ(store_->DeleteRunsBefore("0", 3, 2).value(), 2);
  EXPECT_EQ(store_->DeleteRunsBefore("0", 3, 10).value(), 2);
  EXPECT_EQ(store_->GetRun("r4").value().info.stage, LifecycleStage::kActive);
  EXPECT_EQ(store_->GetRun("r3").value().info.stage, LifecycleStage::kDeleted);
  EXPECT_EQ(CodeOf(store_->DeleteRunsBefore("0", 3, 0)), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace sluice::tracking
