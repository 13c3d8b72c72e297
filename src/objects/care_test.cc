// Garbage collection, checking, and what crashes leave.
#include <gtest/gtest.h>

#include "objects/testing/store_fixture.h"

namespace sluice::objects {
namespace {

using CareTest = StoreFixture;

Result<std::vector<ObjectId>> NoRoots() { return std::vector<ObjectId>(); }

TEST_F(CareTest, CollectsOnlyWhatNothingNames) {
  WriteSampleFolder("/in");
  Stored by_ref = store_->PutPath("/in").value();
  ASSERT_TRUE(store_->SetRef("datasets/in", by_ref.id).ok());
  Write("/run/model.bin", "model");
  Stored by_root = store_->PutPath("/run").value();
  ObjectId file{ObjectKind::kFile, store_->PutBytes("verdict").value()};
  Digest garbage = store_->PutBytes("garbage").value();
  Write("/lost/a", "lost");
  Digest lost = store_->PutPath("/lost").value().id.digest;
  clock_.AdvanceMs(2 * kDayMs);

  auto roots = [&]() -> Result<std::vector<ObjectId>> {
    return std::vector<ObjectId>{by_root.id, file, {ObjectKind::kTree, ComputeSha256("long gone")}};
  };
  GarbageReport dry = store_->CollectGarbage(roots, {.dry_run = true}).value();
  EXPECT_EQ(dry.removed_count, 3);
  EXPECT_TRUE(store_->Has(garbage).value());
  GarbageReport report = store_->CollectGarbage(roots).value();
  EXPECT_EQ(report.removed_count, 3);
  EXPECT_EQ(report.removed_bytes, dry.removed_bytes);
  EXPECT_FALSE(store_->Has(garbage).value());
  EXPECT_FALSE(store_->Has(lost).value());
  EXPECT_TRUE(store_->HasAll(by_ref.id).value());
  EXPECT_TRUE(store_->HasAll(by_root.id).value());
  EXPECT_TRUE(store_->Has(file.digest).value());
  EXPECT_TRUE(store_->Fsck({by_root.id, file}).value().problems.empty());
  EXPECT_EQ(store_->CollectGarbage(roots).value().removed_count, 0);
}

TEST_F(CareTest, KeepsWhatWasPutOrPutAgainRecently) {
  Digest old = store_->PutBytes("old").value();
  Digest again = store_->PutBytes("put again").value();
  clock_.AdvanceMs(2 * kDayMs);
  Digest fresh = store_->PutBytes("fresh").value();
  EXPECT_EQ(store_->PutBytes("put again").value(), again);
  GarbageReport report = store_->CollectGarbage(NoRoots).value();
  EXPECT_EQ(report.removed_count, 1);
  EXPECT_FALSE(store_->Has(old).value());
  EXPECT_TRUE(store_->Has(fresh).value());
  EXPECT_TRUE(store_->Has(again).value());
  clock_.AdvanceMs(2 * kDayMs);
  EXPECT_EQ(store_->CollectGarbage(NoRoots).value().removed_count, 2);
  EXPECT_TRUE(fs_.ListDirectory("/store/recent").value().empty());
}

TEST_F(CareTest, RemovesNothingWhenATreeCannotBeRead) {
  WriteSampleFolder("/in");
  Stored stored = store_->PutPath("/in").value();
  clock_.AdvanceMs(2 * kDayMs);
  fs_.FlipBit(store_->PathOf(stored.id.digest), 300);
  auto roots = [&]() -> Result<std::vector<ObjectId>> { return std::vector<ObjectId>{stored.id}; };
  EXPECT_EQ(store_->CollectGarbage(roots).error().code(), ErrorCode::kDataLoss);
  EXPECT_TRUE(store_->Has(ComputeSha256("a,b\n3,4\n")).value());
  EXPECT_EQ(store_
                ->CollectGarbage(
                    []() -> Result<std::vector<ObjectId>> { return Unavailable("no database"); })
                .error()
                .code(),
            ErrorCode::kUnavailable);
}

TEST_F(CareTest, FsckNamesWhatIsMissing) {
  WriteSampleFolder("/in");
  Stored stored = store_->PutPath("/in").value();
  ASSERT_TRUE(store_->SetRef("kept", stored.id).ok());
  Digest data = ComputeSha256("a,b\n3,4\n");
  ASSERT_TRUE(fs_.Remove(store_->PathOf(data)).ok());
  FsckReport report = store_->Fsck().value();
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].digest, data);
  EXPECT_NE(report.problems[0].message.find("missing"), std::string::npos);
  EXPECT_NE(report.problems[0].message.find("data.csv"), std::string::npos);
  EXPECT_FALSE(store_->HasAll(stored.id).value());
}

// The promise of the store: whatever the moment a put is stopped at, an object that exists under
// its name is complete.
class CrashTest : public StoreFixture,
                  public testing::WithParamInterface<std::tuple<bool, bool, bool>> {};

TEST_P(CrashTest, ObjectsAreCompleteWhateverTheMoment) {
  auto [adopt, power_cut, tear] = GetParam();
  // One thread, so that change number n is always the same.
  StoreOptions options{.thread_count = 1};
  bool was_stopped = true;
  int64_t index = 0;
  for (; was_stopped; ++index) {
    std::string folder = "/case-" + std::to_string(index);
    std::string in = folder + "/in";
    WriteSampleFolder(in);
    store_ = OpenStore(options, folder + "/store");
    for (const char* name : {"", "/in", "/in/sub", "/in/sub/deep", "/store"}) {
      ASSERT_TRUE(fs_.SyncDirectory(folder + name).ok());
    }
    ASSERT_TRUE(fs_.SyncDirectory("/").ok());
    Stored expected = HashPath(fs_, in).value();

    fs_.FailFrom(index, Unavailable("stopped"));
    was_stopped = !store_->PutPath(in, {.adopt = adopt}).ok();
    fs_.ClearFault();
    if (power_cut) fs_.DropUnsynced(tear);
    store_ = OpenStore(options, folder + "/store");
    FsckReport report = store_->Fsck().value();
    ASSERT_TRUE(report.problems.empty())
        << "stopped at change " << index << ": " << report.problems[0].message;
    if (!was_stopped) {
      // An acknowledged put is there.
      EXPECT_TRUE(store_->HasAll(expected.id).value());
      continue;
    }
    // And the next one completes it.
    ASSERT_EQ(store_->PutPath(in, {.adopt = adopt}).value(), expected);
    EXPECT_TRUE(store_->HasAll(expected.id).value());
    auto roots = [&]() -> Result<std::vector<ObjectId>> { return std::vector{expected.id}; };
    EXPECT_TRUE(store_->CollectGarbage(roots).ok());
    EXPECT_TRUE(fs_.ListDirectory(folder + "/store/tmp").value().empty());
  }
  EXPECT_GT(index, 20);
}

INSTANTIATE_TEST_SUITE_P(
    KillOrPowerCut, CrashTest,
    testing::Values(std::tuple(false, false, false), std::tuple(true, false, false),
                    std::tuple(false, true, false), std::tuple(false, true, true),
                    std::tuple(true, true, false), std::tuple(true, true, true)));

TEST_F(CareTest, MaterialisingIsWholeOrNotAtAll) {
  WriteSampleFolder("/in");
  Stored stored = store_->PutPath("/in").value();
  Write("/before/old", "old");
  Stored before = store_->PutPath("/before").value();
  for (int64_t index = 0;; ++index) {
    ASSERT_TRUE(fs_.RemoveTree("/out").ok());
    ASSERT_TRUE(store_->Materialise(before.id, "/out", LinkMode::kCopy).ok());
    fs_.FailFrom(index);
    Status status = store_->Materialise(stored.id, "/out");
    fs_.ClearFault();
    Stored now = HashPath(fs_, "/out").value();
    EXPECT_TRUE(now == before || now == stored) << index;
    if (status.ok()) {
      EXPECT_EQ(now, stored);
      break;
    }
  }
}

}  // namespace
}  // namespace sluice::objects
