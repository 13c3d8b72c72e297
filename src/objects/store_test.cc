#include "objects/store.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "objects/testing/store_fixture.h"

namespace sluice::objects {
namespace {

using StoreTest = StoreFixture;

TEST_F(StoreTest, GivesBackTheBytesUnderTheirDigest) {
  std::string bytes("zero \0 inside", 13);
  Digest digest = store_->PutBytes(bytes).value();
  EXPECT_EQ(digest, ComputeSha256(bytes));
  EXPECT_EQ(store_->GetBytes(digest).value(), bytes);
  EXPECT_EQ(ModeOf(store_->PathOf(digest)), 0444u);
  EXPECT_EQ(store_->PathOf(digest),
            "/store/" + digest.ToHex().substr(0, 2) + "/" + digest.ToHex().substr(2));
  EXPECT_TRUE(store_->Has(digest).value());
  Digest absent = ComputeSha256("absent");
  EXPECT_FALSE(store_->Has(absent).value());
  EXPECT_EQ(store_->GetBytes(absent).error().code(), ErrorCode::kNotFound);
  EXPECT_NE(store_->GetBytes(absent).error().message().find(absent.ToHex()), std::string::npos);
}

TEST_F(StoreTest, DoesNotWriteAnObjectTwice) {
  Digest digest = store_->PutBytes("bytes").value();
  uint64_t inode = InodeOf(store_->PathOf(digest));
  Write("/file", "bytes");
  EXPECT_EQ(store_->PutBytes("bytes").value(), digest);
  EXPECT_EQ(store_->PutPath("/file").value().id.digest, digest);
  EXPECT_EQ(InodeOf(store_->PathOf(digest)), inode);
  EXPECT_TRUE(fs_.ListDirectory("/store/tmp").value().empty());
}

TEST_F(StoreTest, StoresFoldersByContentOnly) {
  WriteSampleFolder("/one");
  Stored stored = store_->PutPath("/one").value();
  EXPECT_EQ(stored.id.kind, ObjectKind::kTree);
  EXPECT_EQ(stored.size_bytes, 26);
  clock_.AdvanceMs(5000);
  WriteSampleFolder("/elsewhere/two");
  ASSERT_TRUE(fs_.SetMode("/elsewhere/two/data.csv", 0600).ok());
  EXPECT_EQ(store_->PutPath("/elsewhere/two").value(), stored);
  EXPECT_EQ(HashPath(fs_, "/elsewhere/two").value(), stored);
  EXPECT_TRUE(store_->HasAll(stored.id).value());

  // Every part of it counts.
  std::set<std::string> digests{stored.id.ToString()};
  auto digest_after = [&] { return HashPath(fs_, "/one").value().id.ToString(); };
  Write("/one/data.csv", "a,b\n1,3\n");
  EXPECT_TRUE(digests.insert(digest_after()).second);
  ASSERT_TRUE(fs_.SetMode("/one/data.csv", 0755).ok());
  EXPECT_TRUE(digests.insert(digest_after()).second);
  ASSERT_TRUE(fs_.Remove("/one/nothing").ok());
  EXPECT_TRUE(digests.insert(digest_after()).second);
  ASSERT_TRUE(fs_.Rename("/one/empty", "/one/Empty").ok());
  EXPECT_TRUE(digests.insert(digest_after()).second);
}

TEST_F(StoreTest, RefusesWhatItCannotKeep) {
  WriteSampleFolder("/folder");
  ASSERT_TRUE(fs_.Symlink("/etc/passwd", "/folder/link").ok());
  Result<Stored> link = store_->PutPath("/folder");
  ASSERT_FALSE(link.ok());
  EXPECT_EQ(link.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(link.error().message().find("/folder/link"), std::string::npos);
  ASSERT_TRUE(fs_.Remove("/folder/link").ok());
  Write("/folder/two\nlines", "x");
  Result<Stored> name = store_->PutPath("/folder");
  ASSERT_FALSE(name.ok());
  EXPECT_NE(name.error().message().find("two\\x0alines"), std::string::npos)
      << name.error().message();
  EXPECT_EQ(store_->PutPath("/absent").error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(fs_.Symlink("/folder/data.csv", "/link").ok());
  EXPECT_EQ(store_->PutPath("/link").value().id.digest, ComputeSha256("a,b\n1,2\n"));
}

TEST_F(StoreTest, AdoptsFilesWithoutCopyingThem) {
  WriteSampleFolder("/out");
  Stored expected = HashPath(fs_, "/out").value();
  uint64_t inode = InodeOf("/out/data.csv");
  Stored stored = store_->PutPath("/out", {.adopt = true}).value();
  EXPECT_EQ(stored, expected);
  EXPECT_EQ(InodeOf(store_->PathOf(ComputeSha256("a,b\n1,2\n"))), inode);
  EXPECT_EQ(ModeOf("/out/data.csv"), 0444u);
  EXPECT_EQ(ModeOf("/out/run.sh"), 0755u);
  // Without hard links it copies.
  fs_.AllowHardLinks(false);
  Write("/other", "other bytes");
  Stored copied = store_->PutPath("/other", {.adopt = true}).value();
  EXPECT_EQ(store_->GetBytes(copied.id.digest).value(), "other bytes");
  EXPECT_TRUE(fs_.ListDirectory("/store/tmp").value().empty());
}

TEST_F(StoreTest, MaterialisesInEachWayTheFileSystemAllows) {
  WriteSampleFolder("/in");
  Stored stored = store_->PutPath("/in").value();
  Digest data = ComputeSha256("a,b\n1,2\n");
  int variant = 0;
  for (bool reflinks : {true, false}) {
    for (bool hard_links : {true, false}) {
      fs_.AllowReflinks(reflinks);
      fs_.AllowHardLinks(hard_links);
      auto store = OpenStore();
      std::string target = "/out/" + std::to_string(variant++);
      Status status = store->Materialise(stored.id, target);
      ASSERT_TRUE(status.ok()) << status.error().ToString();
      EXPECT_EQ(HashPath(fs_, target).value(), stored);
      EXPECT_EQ(ModeOf(target + "/data.csv"), 0444u);
      EXPECT_EQ(ModeOf(target + "/run.sh"), 0555u);
      EXPECT_EQ(InodeOf(target + "/data.csv") == InodeOf(store->PathOf(data)),
                hard_links && !reflinks);
      std::string copy = target + "-copy";
      ASSERT_TRUE(store->Materialise(stored.id, copy, LinkMode::kCopy).ok());
      EXPECT_EQ(HashPath(fs_, copy).value(), stored);
      EXPECT_EQ(ModeOf(copy + "/data.csv"), 0644u);
      EXPECT_EQ(ModeOf(copy + "/run.sh"), 0755u);
      EXPECT_EQ(ModeOf(store->PathOf(data)), 0444u);
    }
  }
  EXPECT_TRUE(fs_.ListDirectory("/store/tmp").value().empty());
}

TEST_F(StoreTest, MaterialisingReplacesWhatIsThere) {
  WriteSampleFolder("/in");
  Stored folder = store_->PutPath("/in").value();
  Stored file = store_->PutPath("/in/data.csv").value();
  for (const Stored& stored : {folder, file, folder, folder, file, file}) {
    ASSERT_TRUE(store_->Materialise(stored.id, "/target").ok());
    EXPECT_EQ(HashPath(fs_, "/target").value(), stored);
  }
  // A stray file in the target goes; a target that is right already is left alone.
  ASSERT_TRUE(store_->Materialise(folder.id, "/target").ok());
  uint64_t inode = InodeOf("/target");
  ASSERT_TRUE(store_->Materialise(folder.id, "/target").ok());
  EXPECT_EQ(InodeOf("/target"), inode);
  Write("/target/stray", "x");
  ASSERT_TRUE(store_->Materialise(folder.id, "/target").ok());
  EXPECT_FALSE(Exists("/target/stray"));
  ASSERT_TRUE(fs_.Symlink("/in", "/link").ok());
  ASSERT_TRUE(store_->Materialise(folder.id, "/link").ok());
  EXPECT_EQ(fs_.Stat("/link", false).value()->kind, io::FileKind::kDirectory);
  EXPECT_TRUE(Exists("/in/data.csv"));
}

TEST_F(StoreTest, ReportsADamagedObjectAndNeverUsesIt) {
  WriteSampleFolder("/in");
  Stored stored = store_->PutPath("/in").value();
  Digest data = ComputeSha256("a,b\n1,2\n");
  fs_.FlipBit(store_->PathOf(data), 12);
  // A process that starts later, as this one knows the object's stat and has it checked.
  auto store = OpenStore();
  for (const Error& error : {store->GetBytes(data).error(), store->GetVerifiedPath(data).error(),
                             store->Materialise(stored.id, "/out").error()}) {
    EXPECT_EQ(error.code(), ErrorCode::kDataLoss);
    EXPECT_NE(error.message().find(data.ToHex()), std::string::npos) << error.message();
  }
  EXPECT_FALSE(Exists("/out"));
  EXPECT_TRUE(fs_.ListDirectory("/store/tmp").value().empty());
  FsckReport report = store->Fsck({stored.id}).value();
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_EQ(report.problems[0].digest, data);

  fs_.FlipBit(store->PathOf(stored.id.digest), 200);
  EXPECT_EQ(store->GetTree(stored.id.digest).error().code(), ErrorCode::kDataLoss);
}

TEST_F(StoreTest, EveryFlippedBitIsFound) {
  Digest digest = store_->PutBytes("0123456789abcdef").value();
  for (int64_t bit = 0; bit < 16 * 8; ++bit) {
    fs_.FlipBit(store_->PathOf(digest), bit);
    EXPECT_EQ(store_->GetBytes(digest).error().code(), ErrorCode::kDataLoss) << bit;
    fs_.FlipBit(store_->PathOf(digest), bit);
  }
  EXPECT_TRUE(store_->GetBytes(digest).ok());
}

TEST_F(StoreTest, PuttingAgainHealsADamagedObjectOfTheSameSize) {
  Digest digest = store_->PutBytes("bytes").value();
  clock_.AdvanceMs(5000);
  ASSERT_TRUE(fs_.SetMode(store_->PathOf(digest), 0644).ok());
  Write(store_->PathOf(digest), "bytez");
  EXPECT_EQ(store_->GetBytes(digest).error().code(), ErrorCode::kDataLoss);
  EXPECT_EQ(store_->PutBytes("bytes").value(), digest);
  EXPECT_EQ(store_->GetBytes(digest).value(), "bytes");
}

TEST_F(StoreTest, PuttingAgainHealsATornObject) {
  Digest digest = store_->PutBytes("0123456789abcdef").value();
  std::string path = store_->PathOf(digest);
  ASSERT_TRUE(fs_.SetMode(path, 0644).ok());
  ASSERT_TRUE(fs_.WriteFileAtomic(path, "0123", io::Durability::kFast).ok());
  EXPECT_FALSE(store_->GetBytes(digest).ok());
  EXPECT_EQ(store_->PutBytes("0123456789abcdef").value(), digest);
  EXPECT_EQ(store_->GetBytes(digest).value(), "0123456789abcdef");
}

TEST_F(StoreTest, FindsPathsInTrees) {
  WriteSampleFolder("/in");
  Stored stored = store_->PutPath("/in").value();
  Digest tree = stored.id.digest;
  EXPECT_EQ(store_->FindInTree(tree, "").value(), stored);
  EXPECT_EQ(store_->FindInTree(tree, ".").value(), stored);
  EXPECT_EQ(store_->FindInTree(tree, "sub/./deep/data.csv").value().id.digest,
            ComputeSha256("a,b\n3,4\n"));
  EXPECT_EQ(store_->FindInTree(tree, "sub").value().size_bytes, 8);
  EXPECT_EQ(store_->FindInTree(tree, "run.sh").value().id.kind, ObjectKind::kExecutable);
  EXPECT_EQ(store_->FindInTree(tree, "sub/absent").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->FindInTree(tree, "data.csv/below").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(store_->FindInTree(tree, "../x").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(store_->FindInTree(tree, "/etc/passwd").error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(StoreTest, PutsTreesOfWhatItHas) {
  Digest one = store_->PutBytes("one").value();
  Tree tree{{"b", ObjectKind::kFile, one, 3}, {"a", ObjectKind::kFile, one, 3}};
  Stored stored = store_->PutTree(tree).value();
  EXPECT_EQ(stored, IdentifyTree(tree).value());
  EXPECT_EQ(store_->GetTree(stored.id.digest).value()[0].name, "a");
  tree.push_back({"c", ObjectKind::kFile, ComputeSha256("absent"), 6});
  EXPECT_EQ(store_->PutTree(tree).error().code(), ErrorCode::kFailedPrecondition);
}

TEST_F(StoreTest, ReadsUnchangedFilesOnlyOnce) {
  auto cache = StatCache::InMemory(clock_);
  Write("/big", std::string(100'000, 'x'));
  clock_.AdvanceMs(1000);
  Stored first = HashPath(fs_, "/big", {.cache = cache.get()}).value();
  // Changed behind the back of its stat: only a reader would see it.
  fs_.FlipBit("/big", 5);
  EXPECT_EQ(HashPath(fs_, "/big", {.cache = cache.get()}).value(), first);
  EXPECT_NE(HashPath(fs_, "/big").value(), first);
  Write("/big", std::string(100'000, 'y'));
  EXPECT_NE(HashPath(fs_, "/big", {.cache = cache.get()}).value(), first);
}

TEST_F(StoreTest, KeepsRefs) {
  ObjectId id{ObjectKind::kTree, store_->PutTree({}).value().id.digest};
  ObjectId other{ObjectKind::kFile, ComputeSha256("x")};
  EXPECT_FALSE(store_->FindRef("datasets/adult/1").value());
  ASSERT_TRUE(store_->SetRef("datasets/adult/1", id).ok());
  ASSERT_TRUE(store_->SetRef("a", other).ok());
  ASSERT_TRUE(store_->SetRef("a", id).ok());
  EXPECT_EQ(store_->FindRef("datasets/adult/1").value(), id);
  EXPECT_FALSE(store_->FindRef("datasets").value());
  auto refs = store_->ListRefs().value();
  ASSERT_EQ(refs.size(), 2u);
  EXPECT_EQ(refs[0], std::make_pair(std::string("a"), id));
  EXPECT_EQ(refs[1].first, "datasets/adult/1");
  ASSERT_TRUE(store_->RemoveRef("a").ok());
  ASSERT_TRUE(store_->RemoveRef("a").ok());
  EXPECT_EQ(store_->ListRefs().value().size(), 1u);
  for (std::string_view name :
       {"", "/", "a/", "/a", "../a", "a/../b", "a//b", "1/2/3/4/5/6/7/8/9"}) {
    EXPECT_EQ(store_->SetRef(name, id).error().code(), ErrorCode::kInvalidArgument) << name;
  }
}

TEST_F(StoreTest, ThreadsPutTheSameAndDifferentObjects) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(store_->PutBytes("shared " + std::to_string(i)).ok());
        EXPECT_TRUE(store_->PutBytes(std::to_string(t) + " own " + std::to_string(i)).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  FsckReport report = store_->Fsck().value();
  EXPECT_EQ(report.object_count, 50 + 4 * 50);
  EXPECT_TRUE(report.problems.empty());
}

}  // namespace
}  // namespace sluice::objects
