#include "app/cli/gc_store.h"

#include <gtest/gtest.h>

#include "app/store_database.h"
#include "base/testing/scratch_folder.h"
#include "io/fs.h"
#include "tracking/store.h"

namespace sluice::app {
namespace {

/// A server's database with two deleted runs and an active one; each has an artifact.
class StoreGcTest : public testing::Test {
 protected:
  void SetUp() override {
    db_ = OpenStoreDatabase(uri_).value();
    store_ = tracking::OpenStore(*db_, {.artifact_root = "mlflow-artifacts:/"}).value();
    for (const char* run_id : {"one", "two", "active"}) {
      ASSERT_TRUE(store_->CreateRun({.experiment_id = "0", .run_id = run_id}).ok());
      const std::string folder = FolderOf(run_id);
      ASSERT_TRUE(io::RealFs().MakeDirectories(folder).ok());
      ASSERT_TRUE(
          io::RealFs().WriteFileAtomic(folder + "/model.bin", "bytes", io::Durability::kFast).ok());
    }
    ASSERT_TRUE(store_->DeleteRun("one").ok());
    ASSERT_TRUE(store_->DeleteRun("two").ok());
  }
  std::string FolderOf(const std::string& run_id) {
    return folder_.Join("artifacts/0/" + run_id + "/artifacts");
  }
  bool HasArtifacts(const std::string& run_id) {
    return io::RealFs().Stat(FolderOf(run_id)).value().has_value();
  }
  bool HasRun(const std::string& run_id) { return store_->GetRun(run_id).ok(); }
  int Gc(std::vector<std::string> words) {
    words.insert(words.begin(), {"gc", "--backend-store-uri", uri_, "--artifacts-destination",
                                 folder_.Join("artifacts"), "--json"});
    return RunCommandLine(words);
  }

  ScratchFolder folder_;
  const std::string uri_ = "sqlite:///" + folder_.Join("store.db");
  std::unique_ptr<sql::Db> db_;
  std::unique_ptr<tracking::Store> store_;
};

TEST_F(StoreGcTest, TakesDeletedRunsWithTheirArtifacts) {
  EXPECT_EQ(Gc({"--dry-run"}), 0);
  EXPECT_EQ(Gc({"--older-than", "30d"}), 0);
  EXPECT_TRUE(HasRun("one") && HasRun("two"));
  EXPECT_EQ(Gc({"--run-ids", "one"}), 0);
  EXPECT_FALSE(HasRun("one"));
  EXPECT_FALSE(HasArtifacts("one"));
  EXPECT_TRUE(HasRun("two") && HasArtifacts("two")) << "it was not named";
  EXPECT_EQ(Gc({}), 0);
  EXPECT_FALSE(HasRun("two") || HasArtifacts("two"));
  EXPECT_TRUE(HasRun("active") && HasArtifacts("active"));
}

TEST_F(StoreGcTest, TakesNothingWhenSomethingIsWrong) {
  EXPECT_EQ(Gc({"--run-ids", "one,active"}), 1);
  EXPECT_EQ(Gc({"--run-ids", "one,absent"}), 1);
  EXPECT_EQ(Gc({"--run-ids", ","}), 1);
  EXPECT_EQ(Gc({"--experiment-ids", "0"}), 1);
  EXPECT_EQ(Gc({"--older-than", "30 days"}), 1);
  EXPECT_TRUE(HasRun("one") && HasArtifacts("one"));
}

TEST_F(StoreGcTest, FreesTheNamesOfExperiments) {
  const tracking::NewExperiment named{.name = "e", .artifact_location = "", .tags = {}};
  const std::string id = store_->CreateExperiment(named).value();
  ASSERT_TRUE(store_->DeleteExperiment(id).ok());
  EXPECT_FALSE(store_->CreateExperiment(named).ok());
  EXPECT_EQ(Gc({"--experiment-ids", id}), 0);
  EXPECT_TRUE(store_->CreateExperiment(named).ok());
  EXPECT_TRUE(HasRun("one")) << "it was not named";
}

TEST(ParseAgeMs, ReadsWhatMlflowReads) {
  EXPECT_EQ(ParseAgeMs("30d").value(), 30LL * 86'400'000);
  EXPECT_EQ(ParseAgeMs("1d2h3m4s").value(), 93'784'000);
  EXPECT_EQ(ParseAgeMs("1.5h").value(), 5'400'000);
  EXPECT_EQ(ParseAgeMs(".5s").value(), 500);
  EXPECT_EQ(ParseAgeMs("0s").value(), 0);
  for (const char* wrong : {"", "1", "d", "1x", "1h1d", "1s1s", "-1s", "1e3s", "nand", "infd",
                            "1 d", "99999999999999999d", "1d "})
    EXPECT_FALSE(ParseAgeMs(wrong).ok()) << wrong;
}

}  // namespace
}  // namespace sluice::app
