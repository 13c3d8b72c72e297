// What every file system must do. Instantiate it with a function that gives the Fs and an empty
// folder to use.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "io/fs.h"

namespace sluice::io {

struct FsUnderTest {
  Fs* fs = nullptr;
  std::string folder;              ///< absolute, exists, is empty
  std::shared_ptr<void> lifetime;  ///< removes the folder when dropped
};
using FsFactory = std::function<FsUnderTest()>;

class FsContract : public testing::TestWithParam<FsFactory> {
 protected:
  void SetUp() override { under_test_ = GetParam()(); }
  Fs& fs() { return *under_test_.fs; }
  std::string At(std::string_view name) { return JoinPath(under_test_.folder, name); }
  void Put(std::string_view name, std::string_view bytes) {
    Status status = fs().WriteFileAtomic(At(name), bytes, Durability::kFast);
    ASSERT_TRUE(status.ok()) << status.error().ToString();
  }
  std::string Get(std::string_view name) {
    Result<std::string> bytes = fs().ReadFile(At(name));
    return bytes.ok() ? *bytes : "error: " + bytes.error().message();
  }
  FileInfo Info(std::string_view name) {
    auto info = fs().Stat(At(name), false);
    return info.ok() && *info ? **info : FileInfo{.size_bytes = -1};
  }
  static ErrorCode CodeOf(const Status& status) {
    return status.ok() ? ErrorCode::kInternal : status.error().code();
  }

 private:
  FsUnderTest under_test_;
};

TEST_P(FsContract, WritesAtomicallyAndReadsBack) {
  std::string bytes("zero \0 and more", 15);
  for (Durability durability : {Durability::kFast, Durability::kDurable}) {
    ASSERT_TRUE(fs().WriteFileAtomic(At("file"), bytes, durability).ok());
    EXPECT_EQ(Get("file"), bytes);
    bytes += "!";
  }
  EXPECT_EQ(fs().ListDirectory(At("")).value(), std::vector<std::string>{"file"});
  EXPECT_EQ(CodeOf(fs().WriteFileAtomic(At("no/folder"), "x", Durability::kFast)),
            ErrorCode::kNotFound);
}

TEST_P(FsContract, NamesThePathAndKindOfAFailure) {
  Result<std::string> absent = fs().ReadFile(At("absent"));
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(absent.error().message().find(At("absent")), std::string::npos);
  Put("file", "0123456789");
  EXPECT_EQ(fs().ReadFile(At("file"), 9).error().code(), ErrorCode::kResourceExhausted);
  EXPECT_TRUE(fs().ReadFile(At("file"), 10).ok());
  EXPECT_EQ(fs().ReadFile(At("")).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(fs().ListDirectory(At("absent")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(fs().ReadFile(At("file/below")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(fs().MakeDirectories(At("file"))), ErrorCode::kAlreadyExists);
}

TEST_P(FsContract, AppendsAndTruncates) {
  auto write = [&](bool append, std::string_view bytes) {
    auto file = append ? fs().OpenForAppend(At("log")) : fs().OpenForWrite(At("log"));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE((*file)->Close().ok());
  };
  write(true, "one ");
  write(true, "two");
  EXPECT_EQ(Get("log"), "one two");
  write(false, "new");
  EXPECT_EQ(Get("log"), "new");
}

TEST_P(FsContract, ReadsInPieces) {
  Put("file", "abcdefghij");
  auto file = fs().OpenForRead(At("file"));
  ASSERT_TRUE(file.ok());
  std::string buffer;
  std::string pieces;
  do {
    ASSERT_TRUE((*file)->Read(buffer, 4).ok());
    pieces += buffer + "|";
  } while (!buffer.empty());
  EXPECT_EQ(pieces, "abcd|efgh|ij||");
  EXPECT_EQ(fs().OpenForRead(At("absent")).error().code(), ErrorCode::kNotFound);
}

TEST_P(FsContract, MakesListsAndRemovesFolders) {
  ASSERT_TRUE(fs().MakeDirectories(At("a/b/c")).ok());
  ASSERT_TRUE(fs().MakeDirectories(At("a/b/c")).ok());
  Put("a/z", "");
  Put("a/B", "");
  EXPECT_EQ(fs().ListDirectory(At("a")).value(), (std::vector<std::string>{"B", "b", "z"}));
  EXPECT_EQ(Info("a").kind, FileKind::kDirectory);
  EXPECT_EQ(CodeOf(fs().Remove(At("a"))), ErrorCode::kAlreadyExists);
  EXPECT_TRUE(fs().Remove(At("a/b/c")).ok());
  EXPECT_TRUE(fs().Remove(At("a/b/c")).ok());
  EXPECT_TRUE(fs().RemoveTree(At("a")).ok());
  EXPECT_TRUE(fs().RemoveTree(At("a")).ok());
  EXPECT_TRUE(fs().ListDirectory(At("")).value().empty());
}

TEST_P(FsContract, RenamesOverWhatIsThere) {
  Put("from", "new");
  Put("to", "old");
  ASSERT_TRUE(fs().Rename(At("from"), At("to")).ok());
  EXPECT_EQ(Get("to"), "new");
  EXPECT_FALSE(fs().Stat(At("from")).value().has_value());
  EXPECT_EQ(CodeOf(fs().Rename(At("from"), At("to"))), ErrorCode::kNotFound);
  ASSERT_TRUE(fs().MakeDirectories(At("full/x")).ok());
  ASSERT_TRUE(fs().MakeDirectories(At("empty")).ok());
  EXPECT_EQ(CodeOf(fs().Rename(At("empty"), At("full"))), ErrorCode::kAlreadyExists);
  EXPECT_TRUE(fs().Rename(At("full"), At("empty")).ok());
  EXPECT_TRUE(fs().Stat(At("empty/x")).value().has_value());
}

TEST_P(FsContract, ExchangesFoldersAndFiles) {
  ASSERT_TRUE(fs().MakeDirectories(At("one/x")).ok());
  ASSERT_TRUE(fs().MakeDirectories(At("two/y")).ok());
  Status status = fs().Exchange(At("one"), At("two"));
  if (!status.ok()) {
    EXPECT_EQ(status.error().code(), ErrorCode::kFailedPrecondition);
    return;
  }
  EXPECT_TRUE(fs().Stat(At("one/y")).value().has_value());
  EXPECT_TRUE(fs().Stat(At("two/x")).value().has_value());
  EXPECT_EQ(CodeOf(fs().Exchange(At("one"), At("absent"))), ErrorCode::kNotFound);
}

TEST_P(FsContract, HardLinksShareAnInode) {
  Put("file", "bytes");
  ASSERT_TRUE(fs().HardLink(At("file"), At("link")).ok());
  EXPECT_EQ(Info("file").inode, Info("link").inode);
  EXPECT_EQ(Info("file").device, Info("link").device);
  EXPECT_EQ(CodeOf(fs().HardLink(At("file"), At("link"))), ErrorCode::kAlreadyExists);
  ASSERT_TRUE(fs().Remove(At("file")).ok());
  EXPECT_EQ(Get("link"), "bytes");
  // An atomic write makes a new file; the other name keeps the old one.
  ASSERT_TRUE(fs().HardLink(At("link"), At("file")).ok());
  Put("file", "other");
  EXPECT_EQ(Get("link"), "bytes");
}

TEST_P(FsContract, SymbolicLinksAreSeenOrFollowed) {
  Put("file", "bytes");
  ASSERT_TRUE(fs().Symlink("file", At("link")).ok());
  EXPECT_EQ(Info("link").kind, FileKind::kSymlink);
  EXPECT_EQ(fs().Stat(At("link"), true).value()->kind, FileKind::kFile);
  EXPECT_EQ(fs().ReadLink(At("link")).value(), "file");
  EXPECT_EQ(Get("link"), "bytes");
  ASSERT_TRUE(fs().Symlink("absent", At("dangling")).ok());
  EXPECT_FALSE(fs().Stat(At("dangling"), true).value().has_value());
  ASSERT_TRUE(fs().MakeDirectories(At("folder")).ok());
  Put("folder/kept", "");
  ASSERT_TRUE(fs().Symlink(At("folder"), At("to-folder")).ok());
  EXPECT_EQ(Get("to-folder/kept"), "");
  EXPECT_TRUE(fs().RemoveTree(At("to-folder")).ok());
  EXPECT_TRUE(fs().Stat(At("folder/kept")).value().has_value());
}

TEST_P(FsContract, CopiesAndChangesModes) {
  Put("file", "bytes");
  ASSERT_TRUE(fs().CopyFile(At("file"), At("copy")).ok());
  EXPECT_EQ(Get("copy"), "bytes");
  EXPECT_NE(Info("file").inode, Info("copy").inode);
  ASSERT_TRUE(fs().SetMode(At("copy"), 0444).ok());
  EXPECT_EQ(Info("copy").mode, 0444u);
  EXPECT_TRUE(fs().SyncFile(At("copy")).ok());
  EXPECT_TRUE(fs().SyncDirectory(At("")).ok());
  EXPECT_EQ(CodeOf(fs().SyncFile(At("absent"))), ErrorCode::kNotFound);
  Status reflink = fs().Reflink(At("file"), At("reflink"));
  if (reflink.ok()) {
    EXPECT_EQ(Get("reflink"), "bytes");
  } else {
    EXPECT_EQ(reflink.error().code(), ErrorCode::kFailedPrecondition);
    EXPECT_FALSE(fs().Stat(At("reflink")).value().has_value());
  }
}

TEST_P(FsContract, StatTellsSizesAndChanges) {
  Put("file", "12345");
  FileInfo before = Info("file");
  EXPECT_EQ(before.size_bytes, 5);
  EXPECT_GT(before.mtime_ns, 0);
  Put("file", "123456");
  FileInfo after = Info("file");
  EXPECT_NE(before.inode, after.inode);
  EXPECT_GE(after.mtime_ns, before.mtime_ns);
}

TEST_P(FsContract, LocksAreSharedOrExclusive) {
  auto shared = fs().Lock(At("lock"), LockMode::kShared, false);
  ASSERT_TRUE(shared.ok());
  auto also_shared = fs().Lock(At("lock"), LockMode::kShared, false);
  EXPECT_TRUE(also_shared.ok());
  EXPECT_EQ(fs().Lock(At("lock"), LockMode::kExclusive, false).error().code(),
            ErrorCode::kUnavailable);
  shared->reset();
  also_shared->reset();
  auto exclusive = fs().Lock(At("lock"), LockMode::kExclusive, false);
  ASSERT_TRUE(exclusive.ok());
  EXPECT_EQ(fs().Lock(At("lock"), LockMode::kShared, false).error().code(),
            ErrorCode::kUnavailable);
  std::atomic<bool> got_it = false;
  std::thread waiter([&] {
    auto lock = fs().Lock(At("lock"), LockMode::kExclusive, true);
    got_it = lock.ok();
  });
  EXPECT_FALSE(got_it);
  exclusive->reset();
  waiter.join();
  EXPECT_TRUE(got_it);
}

}  // namespace sluice::io
