#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "io/testing/fs_contract.h"
#include "io/testing/mem_fs.h"

namespace sluice::io {
namespace {

FsUnderTest MakeReal() {
  std::string folder = std::filesystem::temp_directory_path() / ("sluice-fs-" + NewRandomHex(12));
  CHECK(RealFs().MakeDirectories(folder).ok());
  return {&RealFs(), folder, std::shared_ptr<void>(nullptr, [folder](void*) {
            CHECK(RealFs().RemoveTree(folder).ok());
          })};
}

FsUnderTest MakeMem() {
  auto fs = std::make_shared<MemFs>();
  CHECK(fs->MakeDirectories("/work").ok());
  return {fs.get(), "/work", fs};
}

FsUnderTest MakeMemWithReflinks() {
  FsUnderTest under_test = MakeMem();
  static_cast<MemFs*>(under_test.fs)->AllowReflinks(true);
  return under_test;
}

INSTANTIATE_TEST_SUITE_P(Real, FsContract, testing::Values(MakeReal));
INSTANTIATE_TEST_SUITE_P(Mem, FsContract, testing::Values(MakeMem, MakeMemWithReflinks));

TEST(MemFs, ForgetsContentThatWasNotSynced) {
  MemFs fs;
  auto file = fs.OpenForWrite("/file").value();
  ASSERT_TRUE(file->Append("synced").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  ASSERT_TRUE(file->Append("+lost").ok());
  fs.DropUnsynced();
  EXPECT_EQ(fs.ReadFile("/file", 100).value(), "synced");
  EXPECT_FALSE(file->Append("dead").ok());
}

TEST(MemFs, TearsContentThatWasNotSynced) {
  MemFs fs;
  auto file = fs.OpenForWrite("/file").value();
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  ASSERT_TRUE(file->Append("12345678").ok());
  fs.DropUnsynced(true);
  EXPECT_EQ(fs.ReadFile("/file", 100).value(), "1234");
}

TEST(MemFs, ForgetsNamesThatWereNotSynced) {
  MemFs fs;
  ASSERT_TRUE(fs.MakeDirectories("/folder").ok());
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  ASSERT_TRUE(fs.WriteFileAtomic("/folder/durable", "a", Durability::kDurable).ok());
  ASSERT_TRUE(fs.WriteFileAtomic("/folder/fast", "b", Durability::kFast).ok());
  ASSERT_TRUE(fs.Rename("/folder/durable", "/folder/renamed").ok());
  fs.DropUnsynced();
  EXPECT_EQ(fs.ListDirectory("/folder").value(), std::vector<std::string>{"durable"});
}

TEST(MemFs, AWriteThatFailsAnywhereLeavesTheOldContent) {
  for (int64_t index = 0; index < 5; ++index) {
    MemFs fs;
    ASSERT_TRUE(fs.WriteFileAtomic("/file", "old", Durability::kDurable).ok());
    fs.FailFrom(index, ResourceExhausted("disk full"));
    Status status = fs.WriteFileAtomic("/file", "new", Durability::kDurable);
    fs.ClearFault();
    ASSERT_FALSE(status.ok()) << index;
    EXPECT_EQ(status.error().code(), ErrorCode::kResourceExhausted);
    // Only the last step, syncing the folder, comes after the new content is there.
    EXPECT_EQ(fs.ReadFile("/file", 100).value(), index < 4 ? "old" : "new");
  }
}

TEST(MemFs, FailsOnceAndThenGoesOn) {
  MemFs fs;
  fs.FailOnce(1);
  EXPECT_TRUE(fs.MakeDirectories("/a").ok());
  EXPECT_FALSE(fs.MakeDirectories("/b").ok());
  EXPECT_TRUE(fs.MakeDirectories("/c").ok());
  EXPECT_EQ(fs.mutation_count(), 3);
}

TEST(MemFs, RefusesToWriteToReadOnlyFiles) {
  MemFs fs;
  ASSERT_TRUE(fs.WriteFileAtomic("/file", "x", Durability::kFast).ok());
  ASSERT_TRUE(fs.SetMode("/file", 0444).ok());
  EXPECT_EQ(fs.OpenForAppend("/file").error().code(), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace sluice::io
