// What every registry must do. Instantiate it with a function that opens an empty one.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "registry/store.h"
#include "sql/testing/test_database.h"

namespace sluice::registry {

struct StoreUnderTest {
  std::shared_ptr<void> database;  ///< what must outlive the store
  std::unique_ptr<Store> store;
};
using StoreFactory = std::function<StoreUnderTest(Clock& clock)>;

class RegistryStoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    under_test_ = GetParam()(clock_);
    if (under_test_.store == nullptr) GTEST_SKIP() << sql::kNoPostgres;
  }
  Store& store() { return *under_test_.store; }
  int64_t MakeVersion(Verdict verdict = Verdict::kPass, const std::string& name = "credit") {
    Result<ModelVersion> version =
        store().CreateVersion({.name = name, .source = "models/x", .verdict = verdict});
    EXPECT_TRUE(version.ok()) << version.error().ToString();
    return version.ok() ? version->version : -1;
  }
  Result<AliasMove> Set(int64_t version, const std::string& alias = "champion", bool force = false,
                        const std::string& reason = "") {
    return store().SetAlias({.name = "credit",
                             .alias = alias,
                             .version = version,
                             .user_id = "ada",
                             .reason = reason,
                             .force = force});
  }
  std::optional<int64_t> VersionOf(const std::string& alias = "champion") {
    std::optional<ModelVersion> version = store().FindByAlias("credit", alias).value();
    if (!version) return std::nullopt;
    return version->version;
  }
  static ErrorCode CodeOf(const Status& status) {
    return status.ok() ? ErrorCode::kInternal : status.error().code();
  }

  ManualClock clock_;
  StoreUnderTest under_test_;
};

TEST_P(RegistryStoreContract, KeepsModels) {
  RegisteredModel model = store().CreateModel("credit risk", "scores", {{"team", "a"}}).value();
  EXPECT_EQ(model.created_ms, clock_.NowMs());
  EXPECT_EQ(model.latest_version, 0);
  Result<RegisteredModel> again = store().CreateModel("credit risk", "", {});
  EXPECT_EQ(again.error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(again.error().message(), "Registered Model (name=credit risk) already exists.");
  clock_.AdvanceMs(7);
  ASSERT_TRUE(store().SetModelDescription("credit risk", "new").ok());
  ASSERT_TRUE(store().SetModelTag("credit risk", {"team", "b"}).ok());
  ASSERT_TRUE(store().SetModelTag("credit risk", {"a", "1"}).ok());
  model = store().GetModel("credit risk").value();
  EXPECT_EQ(model.description, "new");
  EXPECT_EQ(model.tags, (std::vector<Tag>{{"a", "1"}, {"team", "b"}}));
  EXPECT_EQ(model.updated_ms, clock_.NowMs());
  ASSERT_TRUE(store().DeleteModelTag("credit risk", "a").ok());
  ASSERT_TRUE(store().DeleteModelTag("credit risk", "a").ok());
  ASSERT_TRUE(store().CreateModel("adult", "", {}).ok());
  std::vector<RegisteredModel> models = store().ListModels().value();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "adult");
  Result<RegisteredModel> absent = store().GetModel("adlut");
  EXPECT_EQ(absent.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(absent.error().message(), "Registered Model with name=adlut not found");
  for (std::string name :
       {std::string(), std::string("  "), std::string("a/b"), std::string("a:b"),
        std::string("a\nb"), std::string(".."), std::string("."), std::string(257, 'a')}) {
    EXPECT_EQ(store().CreateModel(name, "", {}).error().code(), ErrorCode::kInvalidArgument)
        << name;
  }
}

TEST_P(RegistryStoreContract, NumbersVersionsFromOneAndNeverAgain) {
  NewVersion wanted{.name = "credit",
                    .source = "runs/1/model",
                    .model_id = "tree:abc",
                    .run_id = "r1",
                    .description = "first",
                    .verdict = Verdict::kPass,
                    .verdict_digest = std::string(64, 'd'),
                    .provenance = "{\"data\": \"x\"}",
                    .tags = {{"k", "v"}}};
  ModelVersion first = store().CreateVersion(wanted).value();
  EXPECT_EQ(first.version, 1);
  EXPECT_EQ(first.source, wanted.source);
  EXPECT_EQ(first.model_id, wanted.model_id);
  EXPECT_EQ(first.run_id, wanted.run_id);
  EXPECT_EQ(first.description, wanted.description);
  EXPECT_EQ(first.verdict, wanted.verdict);
  EXPECT_EQ(first.verdict_digest, wanted.verdict_digest);
  EXPECT_EQ(first.provenance, wanted.provenance);
  EXPECT_EQ(first.tags, wanted.tags);
  EXPECT_EQ(first.created_ms, clock_.NowMs());
  EXPECT_EQ(MakeVersion(), 2);
  EXPECT_EQ(MakeVersion(Verdict::kFail, "other"), 1);
  ASSERT_TRUE(store().DeleteVersion("credit", 2).ok());
  EXPECT_EQ(store().GetModel("credit").value().latest_version, 1);
  EXPECT_EQ(MakeVersion(), 3);
  EXPECT_EQ(CodeOf(store().DeleteVersion("credit", 2)), ErrorCode::kNotFound);
  // Hidden, but still on record.
  EXPECT_TRUE(store().GetVersion("credit", 2).value().is_deleted);
  EXPECT_EQ(store().ListVersions("credit").value().size(), 2u);
  std::vector<ModelVersion> all = store().ListVersions("credit", true).value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].version, 3);
  EXPECT_EQ(store().GetVersion("credit", 9).error().message(),
            "Model Version (name=credit, version=9) not found");
  EXPECT_EQ(store().ListVersions("nobody").error().code(), ErrorCode::kNotFound);
}

TEST_P(RegistryStoreContract, DescribesAndTagsVersions) {
  MakeVersion();
  ASSERT_TRUE(store().SetVersionDescription("credit", 1, "text").ok());
  ASSERT_TRUE(store().SetVersionTag("credit", 1, {"k", "1"}).ok());
  ASSERT_TRUE(store().SetVersionTag("credit", 1, {"k", "2"}).ok());
  ModelVersion version = store().GetVersion("credit", 1).value();
  EXPECT_EQ(version.description, "text");
  EXPECT_EQ(version.tags, (std::vector<Tag>{{"k", "2"}}));
  ASSERT_TRUE(store().DeleteVersionTag("credit", 1, "k").ok());
  EXPECT_TRUE(store().GetVersion("credit", 1).value().tags.empty());
  EXPECT_EQ(CodeOf(store().SetVersionTag("credit", 2, {"k", "1"})), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(store().SetVersionTag("credit", 1, {"", "1"})), ErrorCode::kInvalidArgument);
}

TEST_P(RegistryStoreContract, ChampionNeedsAPassedGate) {
  int64_t good = MakeVersion(Verdict::kPass);
  ASSERT_TRUE(Set(good).ok());
  for (Verdict verdict : {Verdict::kNone, Verdict::kFail, Verdict::kInconclusive}) {
    int64_t bad = MakeVersion(verdict);
    Result<AliasMove> refused = Set(bad);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::kFailedPrecondition);
    EXPECT_NE(refused.error().message().find(verdict == Verdict::kNone ? "no gate"
                                                                       : VerdictName(verdict)),
              std::string::npos)
        << refused.error().message();
    EXPECT_EQ(VersionOf(), good);
    // Challengers may be anything.
    EXPECT_TRUE(Set(bad, "challenger").ok());
    EXPECT_EQ(Set(bad, "champion", true, "  ").error().code(), ErrorCode::kInvalidArgument);
  }
  int64_t bad = MakeVersion(Verdict::kFail);
  AliasMove forced = Set(bad, "champion", true, "the old one is broken").value();
  EXPECT_TRUE(forced.is_forced);
  EXPECT_EQ(VersionOf(), bad);
  AliasMove logged = store().ListAliasMoves("credit", "champion").value()[0];
  EXPECT_TRUE(logged.is_forced);
  EXPECT_EQ(logged.reason, "the old one is broken");
  EXPECT_EQ(logged.user_id, "ada");
  // Force where none was needed is not marked.
  EXPECT_FALSE(Set(good, "champion", true, "back").value().is_forced);
}

TEST_P(RegistryStoreContract, LogsEveryMoveOfAnAlias) {
  for (int i = 0; i < 3; ++i) MakeVersion();
  ASSERT_TRUE(Set(1).ok());
  clock_.AdvanceMs(10);
  ASSERT_TRUE(Set(3).ok());
  EXPECT_EQ(Set(3).value().number, 0);
  ASSERT_TRUE(Set(2, "shadow").ok());
  ASSERT_TRUE(store().RemoveAlias("credit", "champion", "bob", "retired").ok());
  EXPECT_EQ(store().RemoveAlias("credit", "champion", "bob", "").error().code(),
            ErrorCode::kNotFound);
  std::vector<AliasMove> moves = store().ListAliasMoves("credit", "champion").value();
  ASSERT_EQ(moves.size(), 3u);
  EXPECT_EQ(moves[0].from_version, 3);
  EXPECT_FALSE(moves[0].to_version);
  EXPECT_EQ(moves[0].user_id, "bob");
  EXPECT_EQ(moves[1].from_version, 1);
  EXPECT_EQ(moves[1].to_version, 3);
  EXPECT_EQ(moves[1].at_ms, clock_.NowMs());
  EXPECT_FALSE(moves[2].from_version);
  EXPECT_EQ(store().ListAliasMoves("credit", "").value().size(), 4u);
  EXPECT_EQ(store().GetModel("credit").value().aliases, (std::vector<Alias>{{"shadow", 2}}));
  EXPECT_EQ(store().GetVersion("credit", 2).value().aliases, std::vector<std::string>{"shadow"});
}

TEST_P(RegistryStoreContract, UndoesMovesOneAfterAnother) {
  for (int i = 0; i < 4; ++i) MakeVersion();
  EXPECT_EQ(store().UndoAlias("credit", "champion", "", "").error().code(),
            ErrorCode::kFailedPrecondition);
  for (int64_t version : {1, 2, 3}) ASSERT_TRUE(Set(version).ok());
  auto undo = [&] { return store().UndoAlias("credit", "champion", "ada", "worse live"); };
  EXPECT_EQ(undo().value().to_version, 2);
  EXPECT_EQ(VersionOf(), 2);
  EXPECT_EQ(undo().value().to_version, 1);
  ASSERT_TRUE(Set(4).ok());
  EXPECT_EQ(undo().value().to_version, 1);
  EXPECT_FALSE(undo().value().to_version);
  EXPECT_FALSE(VersionOf());
  EXPECT_EQ(undo().error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(store().ListAliasMoves("credit", "champion").value().size(), 8u);

  // A removal is undone by setting it again; a deleted version is not gone back to.
  ASSERT_TRUE(Set(1).ok());
  ASSERT_TRUE(store().RemoveAlias("credit", "champion", "", "").ok());
  EXPECT_EQ(undo().value().to_version, 1);
  ASSERT_TRUE(Set(2).ok());
  ASSERT_TRUE(store().DeleteVersion("credit", 1).ok());
  Result<AliasMove> gone = undo();
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(VersionOf(), 2);
}

TEST_P(RegistryStoreContract, DoesNotDeleteWhatAnAliasNames) {
  MakeVersion();
  ASSERT_TRUE(Set(1).ok());
  Status refused = store().DeleteVersion("credit", 1);
  EXPECT_EQ(CodeOf(refused), ErrorCode::kFailedPrecondition);
  EXPECT_NE(refused.error().message().find("'champion'"), std::string::npos);
  MakeVersion();
  ASSERT_TRUE(store().DeleteVersion("credit", 2).ok());
  EXPECT_EQ(Set(2).error().code(), ErrorCode::kNotFound);
}

TEST_P(RegistryStoreContract, ChecksAliases) {
  MakeVersion();
  for (std::string alias : {"a", "A-b_9", "version1", "v", "v1a", "1a", "7", "größe"})
    EXPECT_TRUE(Set(1, alias).ok()) << alias;
  for (std::string alias :
       {std::string(), std::string("latest"), std::string("LATEST"), std::string("v1"),
        std::string("V22"), std::string("a b"), std::string("a.b"), std::string("a\n"),
        std::string("a@b"), std::string(256, 'a')}) {
    EXPECT_EQ(Set(1, alias).error().code(), ErrorCode::kInvalidArgument) << alias;
  }
}

TEST_P(RegistryStoreContract, ResolvesUris) {
  for (int i = 0; i < 3; ++i) MakeVersion();
  ASSERT_TRUE(Set(1).ok());
  EXPECT_EQ(store().Resolve("models:/credit/2").value().version, 2);
  EXPECT_EQ(store().Resolve("models:/credit@champion").value().version, 1);
  EXPECT_EQ(store().Resolve("models:/credit/latest").value().version, 3);
  EXPECT_EQ(store().Resolve("models:/credit/Latest").value().version, 3);
  ASSERT_TRUE(store().DeleteVersion("credit", 3).ok());
  EXPECT_EQ(store().Resolve("models:/credit/latest").value().version, 2);
  EXPECT_EQ(store().Resolve("models:/credit/3").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store().Resolve("models:/cradit/1").error().code(), ErrorCode::kNotFound);
  Result<ModelVersion> alias = store().Resolve("models:/credit@chalenger");
  EXPECT_EQ(alias.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(alias.error().message().find("champion"), std::string::npos);
  EXPECT_EQ(store().Resolve("models:/credit").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(store().FindByAlias("nobody", "champion").value());
  ASSERT_TRUE(store().CreateModel("empty", "", {}).ok());
  EXPECT_EQ(store().Resolve("models:/empty/latest").error().code(), ErrorCode::kNotFound);
}

TEST_P(RegistryStoreContract, RenamesWithAllThatHangsOnIt) {
  int64_t version = MakeVersion();
  ASSERT_TRUE(Set(version).ok());
  ASSERT_TRUE(store().SetModelTag("credit", {"team", "a"}).ok());
  ASSERT_TRUE(store().SetVersionTag("credit", 1, {"k", "v"}).ok());
  ASSERT_TRUE(store().CreateModel("taken", "", {}).ok());
  clock_.AdvanceMs(5);
  EXPECT_EQ(store().RenameModel("credit", "taken").error().message(),
            "Registered Model (name=taken) already exists.");
  EXPECT_EQ(store().RenameModel("credit", "taken").error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(store().RenameModel("credit", " ").error().message(),
            "Missing value for required parameter 'new_name'.");
  EXPECT_EQ(store().RenameModel("nobody", "x").error().code(), ErrorCode::kNotFound);
  RegisteredModel renamed = store().RenameModel("credit", "loans").value();
  EXPECT_EQ(renamed.name, "loans");
  EXPECT_EQ(renamed.updated_ms, clock_.NowMs());
  EXPECT_EQ(renamed.tags, (std::vector<Tag>{{"team", "a"}}));
  EXPECT_EQ(renamed.aliases, (std::vector<Alias>{{"champion", 1}}));
  ModelVersion moved = store().GetVersion("loans", 1).value();
  EXPECT_EQ(moved.tags, (std::vector<Tag>{{"k", "v"}}));
  EXPECT_EQ(moved.updated_ms, clock_.NowMs());
  EXPECT_EQ(store().GetModel("credit").error().code(), ErrorCode::kNotFound);
  // The log goes with the model and still says what it was called.
  EXPECT_EQ(store().ListAliasMoves("loans", "champion").value().at(0).name, "credit");
  ASSERT_TRUE(store().CreateModel("credit", "", {}).ok());
  EXPECT_TRUE(store().ListAliasMoves("credit", "").value().empty());
  EXPECT_EQ(MakeVersion(), 1);
  EXPECT_TRUE(store().RenameModel("loans", "loans").ok());
}

TEST_P(RegistryStoreContract, DeletesModelsForGood) {
  for (int i = 0; i < 2; ++i) MakeVersion();
  ASSERT_TRUE(Set(1).ok());
  ASSERT_TRUE(store().SetVersionTag("credit", 1, {"k", "v"}).ok());
  ASSERT_TRUE(store().SetModelTag("credit", {"k", "v"}).ok());
  ASSERT_TRUE(store().DeleteModel("credit").ok());
  EXPECT_EQ(store().GetModel("credit").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store().GetVersion("credit", 1).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(store().DeleteModel("credit")), ErrorCode::kNotFound);
  // A model of that name is another one.
  EXPECT_EQ(MakeVersion(), 1);
  RegisteredModel again = store().GetModel("credit").value();
  EXPECT_TRUE(again.tags.empty() && again.aliases.empty());
  EXPECT_TRUE(store().GetVersion("credit", 1).value().tags.empty());
  EXPECT_EQ(store().UndoAlias("credit", "champion", "", "").error().code(),
            ErrorCode::kFailedPrecondition);
}

TEST_P(RegistryStoreContract, DeletesAliasedVersionsAsMlflowDoes) {
  for (int i = 0; i < 2; ++i) MakeVersion();
  ASSERT_TRUE(Set(2).ok());
  ASSERT_TRUE(Set(2, "shadow").ok());
  ASSERT_TRUE(Set(1, "old").ok());
  ASSERT_TRUE(store().DeleteVersion("credit", 2, DeleteRule::kDropAliases).ok());
  EXPECT_EQ(store().GetModel("credit").value().aliases, (std::vector<Alias>{{"old", 1}}));
  EXPECT_EQ(store().GetLiveVersion("credit", 2).error().message(),
            "Model Version (name=credit, version=2) not found");
  ModelVersion deleted = store().GetVersion("credit", 2).value();
  EXPECT_TRUE(deleted.is_deleted);
  EXPECT_EQ(deleted.source, "");
  EXPECT_EQ(deleted.verdict, Verdict::kPass);
  Result<ModelVersion> gone = store().GetVersionByAlias("credit", "champion");
  EXPECT_EQ(gone.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(gone.error().message(), "Registered model alias champion not found.");
  EXPECT_EQ(store().GetVersionByAlias("nobody", "champion").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store().GetVersionByAlias("credit", "latest").value().version, 1);
  EXPECT_FALSE(store().ListAliasMoves("credit", "shadow").value().at(0).to_version);
}

TEST_P(RegistryStoreContract, KeepsWhatMlflowKnowsOfVersions) {
  ASSERT_TRUE(store().CreateModel("credit", "", {}).ok());
  ModelVersion made = store()
                          .CreateVersion({.name = "credit",
                                          .make_model_if_absent = false,
                                          .source = "models:/m-1",
                                          .model_id = "tree:a",
                                          .run_link = "http://x/r",
                                          .logged_model_id = "m-1",
                                          .storage_location = "s3://b/m",
                                          .user_id = "ada",
                                          .status = VersionStatus::kPendingRegistration})
                          .value();
  EXPECT_EQ(made.model_id, "tree:a");
  EXPECT_EQ(made.logged_model_id, "m-1");
  EXPECT_EQ(made.run_link, "http://x/r");
  EXPECT_EQ(made.user_id, "ada");
  EXPECT_EQ(made.status, VersionStatus::kPendingRegistration);
  EXPECT_EQ(store().GetDownloadUri("credit", 1).value(), "s3://b/m");
  ASSERT_TRUE(
      store().SetVersionStatus("credit", 1, VersionStatus::kFailedRegistration, "no disk").ok());
  EXPECT_EQ(store().GetVersion("credit", 1).value().status_message, "no disk");
  MakeVersion();
  EXPECT_EQ(store().GetDownloadUri("credit", 2).value(), "models/x");
  Result<ModelVersion> orphan =
      store().CreateVersion({.name = "nobody", .make_model_if_absent = false, .source = "s"});
  EXPECT_EQ(orphan.error().message(), "Registered Model with name=nobody not found");
}

TEST_P(RegistryStoreContract, MovesVersionsThroughStages) {
  for (int i = 0; i < 4; ++i) MakeVersion();
  auto move = [&](int64_t version, Stage stage, bool archive = false) {
    return store().SetStage(
        {.name = "credit", .version = version, .stage = stage, .archive_existing = archive});
  };
  auto latest = [&](std::vector<Stage> stages) {
    std::vector<int64_t> numbers;
    for (const ModelVersion& version : store().GetLatestVersions("credit", stages).value())
      numbers.push_back(version.version);
    return numbers;
  };
  EXPECT_EQ(latest({}), std::vector<int64_t>{4});
  ASSERT_TRUE(move(1, Stage::kStaging).ok());
  clock_.AdvanceMs(3);
  ModelVersion second = move(2, Stage::kStaging).value();
  EXPECT_EQ(second.stage, Stage::kStaging);
  EXPECT_EQ(second.updated_ms, clock_.NowMs());
  EXPECT_EQ(store().GetModel("credit").value().updated_ms, clock_.NowMs());
  EXPECT_EQ(latest({Stage::kStaging, Stage::kProduction}), std::vector<int64_t>{2});
  ASSERT_TRUE(move(3, Stage::kStaging, true).ok());
  EXPECT_EQ(store().GetVersion("credit", 1).value().stage, Stage::kArchived);
  EXPECT_EQ(store().GetVersion("credit", 2).value().stage, Stage::kArchived);
  EXPECT_EQ(latest({}), (std::vector<int64_t>{2, 3, 4}));
  for (Stage stage : {Stage::kNone, Stage::kArchived})
    EXPECT_EQ(move(1, stage, true).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(move(9, Stage::kStaging).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(Set(3).ok());
  EXPECT_EQ(store().GetLatestVersions("credit", {Stage::kStaging}).value().at(0).aliases,
            std::vector<std::string>{"champion"});
  EXPECT_EQ(store().Resolve("models:/credit/staging").value().version, 3);
  EXPECT_EQ(store().Resolve("models:/credit/Production").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store().GetModel("credit").value().latest_versions.size(), 3u);
}

TEST_P(RegistryStoreContract, ClientsThatKnowNoGatesMaySetAChampionWhereThereAreNone) {
  MakeVersion(Verdict::kNone, "plain");
  AliasChange change{
      .name = "plain", .alias = "champion", .version = 1, .gate_rule = GateRule::kWhereGatesAre};
  AliasMove move = store().SetAlias(change).value();
  EXPECT_EQ(move.to_version, 1);
  EXPECT_FALSE(move.is_forced);
  // From the first verdict on the model has a gate, deleted version or not.
  MakeVersion(Verdict::kFail, "plain");
  ASSERT_TRUE(store().DeleteVersion("plain", 2).ok());
  MakeVersion(Verdict::kNone, "plain");
  change.version = 3;
  EXPECT_EQ(store().SetAlias(change).error().code(), ErrorCode::kFailedPrecondition);
  change.alias = "challenger";
  EXPECT_TRUE(store().SetAlias(change).ok());
}

TEST_P(RegistryStoreContract, ThreadsNeverShareANumber) {
  std::vector<std::vector<int64_t>> numbers(4);
  std::vector<std::thread> threads;
  for (std::vector<int64_t>& mine : numbers) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) mine.push_back(MakeVersion());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<int64_t> all;
  for (const std::vector<int64_t>& mine : numbers) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), 80u);
  EXPECT_EQ(*all.rbegin(), 80);
}

TEST_P(RegistryStoreContract, ThreadsMakeVersionsWhileModelsAreRenamedAndDeleted) {
  constexpr int kVersions = 15;
  ASSERT_TRUE(store().CreateModel("roving", "", {}).ok());
  std::vector<std::thread> threads;
  for (const char* name : {"a", "b"}) {
    threads.emplace_back([&, name] {
      for (int i = 1; i <= kVersions; ++i) {
        EXPECT_EQ(MakeVersion(Verdict::kNone, name), i);
        EXPECT_TRUE(store().SetVersionTag(name, i, {"k", "v"}).ok());
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < kVersions; ++i) {
      EXPECT_TRUE(store().CreateModel("brief", "", {{"k", "v"}}).ok());
      EXPECT_TRUE(store().DeleteModel("brief").ok());
    }
  });
  int made_count = 0;
  threads.emplace_back([&] {
    for (int i = 0; i < 2 * kVersions; ++i) {
      NewVersion version;
      version.name = "roving";
      version.make_model_if_absent = false;
      version.source = "s3://bucket/x";
      Result<ModelVersion> made = store().CreateVersion(version);
      if (made.ok()) {
        EXPECT_EQ(made->version, ++made_count);
      } else {
        EXPECT_EQ(made.error().code(), ErrorCode::kNotFound) << made.error().ToString();
      }
    }
  });
  threads.emplace_back([&] {
    for (int i = 0; i < 5; ++i) {
      EXPECT_TRUE(store().RenameModel("roving", "moved").ok());
      EXPECT_TRUE(store().RenameModel("moved", "roving").ok());
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store().ListVersions("a").value().size(), size_t{kVersions});
  EXPECT_EQ(store().ListVersions("b").value().front().tags.size(), 1u);
  EXPECT_EQ(store().ListVersions("roving").value().size(), static_cast<size_t>(made_count));
  EXPECT_EQ(store().GetModel("brief").error().code(), ErrorCode::kNotFound);
}

}  // namespace sluice::registry
