#include "objects/stat_cache.h"

#include <gtest/gtest.h>

#include "io/testing/mem_fs.h"

namespace sluice::objects {
namespace {

constexpr int64_t kMsAgo = 1000;

class StatCacheTest : public testing::Test {
 protected:
  io::FileInfo Info(std::string_view content, int64_t age_ms = kMsAgo) {
    io::FileInfo info;
    info.size_bytes = static_cast<int64_t>(content.size());
    info.mtime_ns = (clock_.NowMs() - age_ms) * 1'000'000 + 123;
    info.ctime_ns = info.mtime_ns + 5;
    info.inode = 7;
    info.device = 1;
    info.mode = 0644;
    return info;
  }
  std::unique_ptr<StatCache> Open() { return StatCache::Open(fs_, "/cache", clock_).value(); }

  ManualClock clock_;
  io::MemFs fs_;
  const Digest digest_ = ComputeSha256("x");
};

TEST_F(StatCacheTest, FindsExactlyTheStatItRecorded) {
  auto cache = Open();
  io::FileInfo info = Info("x");
  EXPECT_FALSE(cache->Find("/a", info));
  cache->Record("/a", info, digest_, clock_.NowMs());
  EXPECT_EQ(cache->Find("/a", info), digest_);
  EXPECT_FALSE(cache->Find("/b", info));
  for (int field = 0; field < 5; ++field) {
    io::FileInfo other = info;
    if (field == 0) ++other.size_bytes;
    if (field == 1) ++other.mtime_ns;
    if (field == 2) ++other.ctime_ns;
    if (field == 3) ++other.inode;
    if (field == 4) ++other.device;
    EXPECT_FALSE(cache->Find("/a", other)) << field;
  }
}

TEST_F(StatCacheTest, DistrustsAFileTouchedJustBeforeItWasRead) {
  auto cache = Open();
  io::FileInfo info = Info("x", StatCache::kRacyWindowMs - 1);
  cache->Record("/a", info, digest_, clock_.NowMs());
  EXPECT_FALSE(cache->Find("/a", info));
  // Read again later, with the same stat: now it can be trusted.
  clock_.AdvanceMs(kMsAgo);
  cache->Record("/a", info, digest_, clock_.NowMs());
  EXPECT_EQ(cache->Find("/a", info), digest_);
}

TEST_F(StatCacheTest, TrustsASettledFileAtOnceAndThroughNewLinks) {
  auto cache = Open();
  io::FileInfo info = Info("x", 0);
  info.mode = 0444;
  cache->RecordSettled("/a", info, digest_);
  EXPECT_EQ(cache->Find("/a", info), digest_);
  ++info.ctime_ns;
  EXPECT_EQ(cache->Find("/a", info), digest_);
  info.mode = 0644;
  EXPECT_FALSE(cache->Find("/a", info));
}

TEST_F(StatCacheTest, IsThereAgainAfterSaving) {
  io::FileInfo info = Info("x");
  {
    auto cache = Open();
    cache->Record("/a", info, digest_, clock_.NowMs());
    cache->Record("/with \n odd name", info, digest_, clock_.NowMs());
    ASSERT_TRUE(cache->Save().ok());
    int64_t count = fs_.mutation_count();
    ASSERT_TRUE(cache->Save().ok());
    EXPECT_EQ(fs_.mutation_count(), count);
  }
  auto cache = Open();
  EXPECT_EQ(cache->Find("/a", info), digest_);
  EXPECT_EQ(cache->Find("/with \n odd name", info), digest_);
}

TEST_F(StatCacheTest, ProcessesSavingTogetherKeepBoth) {
  io::FileInfo info = Info("x");
  auto one = Open();
  auto two = Open();
  one->Record("/one", info, digest_, clock_.NowMs());
  two->Record("/two", info, digest_, clock_.NowMs());
  ASSERT_TRUE(one->Save().ok());
  ASSERT_TRUE(two->Save().ok());
  auto both = Open();
  EXPECT_EQ(both->Find("/one", info), digest_);
  EXPECT_EQ(both->Find("/two", info), digest_);
}

TEST_F(StatCacheTest, ForgetsWhatWasNotUsedForLong) {
  io::FileInfo info = Info("x");
  {
    auto cache = Open();
    cache->Record("/used", info, digest_, clock_.NowMs());
    cache->Record("/unused", info, digest_, clock_.NowMs());
    ASSERT_TRUE(cache->Save().ok());
  }
  clock_.AdvanceMs(StatCache::kMaxUnusedMs + 1);
  {
    auto cache = Open();
    EXPECT_TRUE(cache->Find("/used", info));
    cache->Record("/new", info, digest_, clock_.NowMs());
    ASSERT_TRUE(cache->Save().ok());
  }
  auto cache = Open();
  EXPECT_TRUE(cache->Find("/used", info));
  EXPECT_FALSE(cache->Find("/unused", info));
  EXPECT_EQ(cache->entry_count(), 2u);
}

TEST_F(StatCacheTest, ADamagedFileIsAnEmptyCache) {
  io::FileInfo info = Info("x");
  {
    auto cache = Open();
    cache->Record("/a", info, digest_, clock_.NowMs());
    ASSERT_TRUE(cache->Save().ok());
  }
  std::string good = fs_.ReadFile("/cache", 1 << 20).value();
  for (size_t length = 0; length < good.size(); length += 7) {
    ASSERT_TRUE(fs_.WriteFileAtomic("/cache", good.substr(0, length), io::Durability::kFast).ok());
    EXPECT_EQ(Open()->entry_count(), 0u) << length;
  }
  for (size_t at = 0; at < good.size(); ++at) {
    ASSERT_TRUE(fs_.WriteFileAtomic("/cache", good, io::Durability::kFast).ok());
    fs_.FlipBit("/cache", static_cast<int64_t>(at) * 8 + 3);
    EXPECT_EQ(Open()->entry_count(), 0u) << at;
  }
}

}  // namespace
}  // namespace sluice::objects
