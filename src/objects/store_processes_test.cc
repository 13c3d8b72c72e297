// The store on a real disk, with several processes and a collector at work.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/random.h"
#include "base/testing/processes.h"
#include "base/testing/scratch_folder.h"
#include "objects/store.h"

namespace sluice::objects {
namespace {

class RealStoreTest : public testing::Test {
 protected:
  std::string At(const std::string& name) const { return folder_.Join(name); }
  void Write(const std::string& name, std::string_view bytes) {
    ASSERT_TRUE(io::RealFs().MakeDirectories(io::DirName(At(name))).ok());
    ASSERT_TRUE(io::RealFs().WriteFileAtomic(At(name), bytes, io::Durability::kFast).ok());
  }
  std::unique_ptr<Store> OpenStore(StatCache* cache = nullptr) {
    return Store::Open(io::RealFs(), At("store"),
                       {.durability = io::Durability::kFast, .cache = cache})
        .value();
  }

  const ScratchFolder folder_;
};

TEST_F(RealStoreTest, PutsAndMaterialisesAFolder) {
  Write("in/data.csv", std::string(3'000'000, 'x'));
  Write("in/sub/more.csv", "y");
  Write("in/run.sh", "#!/bin/sh\n");
  ASSERT_TRUE(io::RealFs().SetMode(At("in/run.sh"), 0755).ok());
  auto cache = StatCache::Open(io::RealFs(), At("cache")).value();
  auto store = OpenStore(cache.get());
  Stored expected = HashPath(io::RealFs(), At("in")).value();
  ASSERT_EQ(store->PutPath(At("in"), {.adopt = true}).value(), expected);
  ASSERT_TRUE(store->Materialise(expected.id, At("out/again")).ok());
  ASSERT_TRUE(store->Materialise(expected.id, At("copy"), LinkMode::kCopy).ok());
  EXPECT_EQ(HashPath(io::RealFs(), At("out/again")).value(), expected);
  EXPECT_EQ(HashPath(io::RealFs(), At("copy")).value(), expected);
  // What was adopted or materialised need not be read again, by this process or a later one.
  ASSERT_TRUE(cache->Save().ok());
  auto later = StatCache::Open(io::RealFs(), At("cache")).value();
  for (const char* name :
       {"in/data.csv", "in/sub/more.csv", "out/again/data.csv", "out/again/run.sh"}) {
    io::FileInfo info = *io::RealFs().Stat(At(name)).value();
    EXPECT_TRUE(later->Find(At(name), info)) << name;
  }
  EXPECT_TRUE(store->Fsck({expected.id}).value().problems.empty());
}

// Writers put, name what they put by a ref and check that it is there, while a collector runs
// beside them: what is named, or was put within the grace period, stays, whatever the order of
// events.
TEST_F(RealStoreTest, ACollectorBesideWritersTakesNothingThatIsNamed) {
  constexpr int kWriters = 3;
  constexpr int kRounds = 40;
  { OpenStore(); }
  RunProcesses(kWriters + 1, [&](int w) {
    auto store = OpenStore();
    Random random(1, std::to_string(w));
    for (int i = 0; i < kRounds; ++i) {
      if (w == kWriters) {
        auto no_roots = []() -> Result<std::vector<ObjectId>> { return std::vector<ObjectId>(); };
        if (!store->CollectGarbage(no_roots, {.grace_ms = 60'000}).ok()) return 2;
        continue;
      }
      // Few values, so that writers often put what another has put.
      Digest digest = store->PutBytes("value " + std::to_string(random.NextBelow(20))).value();
      Stored tree = store->PutTree({{"value", ObjectKind::kFile, digest, 1}}).value();
      std::string ref = "writers/" + std::to_string(w);
      if (!store->SetRef(ref, tree.id).ok()) return 3;
      if (!store->HasAll(tree.id).value()) return 4;
      if (!store->Materialise(tree.id, At("out-" + std::to_string(w))).ok()) return 5;
    }
    return 0;
  });
  EXPECT_TRUE(OpenStore()->Fsck().value().problems.empty());
}

TEST_F(RealStoreTest, AKilledWriterLeavesNothingHalfDone) {
  { OpenStore(); }
  std::string bytes(20'000'000, 'z');
  for (int round = 0; round < 5; ++round) {
    Write("big", bytes + std::to_string(round));
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto stored = OpenStore()->PutPath(At("big"));
      _exit(stored.ok() ? 0 : 2);
    }
    usleep(static_cast<useconds_t>(round) * 4'000);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    auto store = OpenStore();
    EXPECT_TRUE(store->Fsck().value().problems.empty());
    auto no_roots = []() -> Result<std::vector<ObjectId>> { return std::vector<ObjectId>(); };
    EXPECT_TRUE(store->CollectGarbage(no_roots).ok());
    EXPECT_TRUE(std::filesystem::is_empty(At("store/tmp")));
  }
}

}  // namespace
}  // namespace sluice::objects
