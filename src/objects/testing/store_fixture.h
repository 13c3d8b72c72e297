// A store in memory, and short ways to put and look.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "io/testing/mem_fs.h"
#include "objects/store.h"

namespace sluice::objects {

class StoreFixture : public testing::Test {
 protected:
  static constexpr int64_t kDayMs = 24LL * 3600 * 1000;

  void SetUp() override {
    store_ = OpenStore();
    // The names of the store's own folders are there from long ago.
    for (const char* path : {"/", "/store"}) ASSERT_TRUE(fs_.SyncDirectory(path).ok());
  }
  std::unique_ptr<Store> OpenStore(StoreOptions options = {}, std::string_view folder = "/store") {
    return Store::Open(fs_, std::string(folder), options, clock_).value();
  }
  void Write(const std::string& path, std::string_view bytes, uint32_t mode = 0644) {
    ASSERT_TRUE(fs_.MakeDirectories(io::DirName(path)).ok());
    ASSERT_TRUE(fs_.WriteFileAtomic(path, bytes, io::Durability::kDurable).ok());
    ASSERT_TRUE(fs_.SetMode(path, mode).ok());
  }
  std::string Read(const std::string& path) {
    Result<std::string> bytes = fs_.ReadFile(path, 1 << 30);
    return bytes.ok() ? *bytes : "error: " + bytes.error().message();
  }
  bool Exists(const std::string& path) { return fs_.Stat(path, false).value().has_value(); }
  uint32_t ModeOf(const std::string& path) { return fs_.Stat(path, false).value()->mode; }
  uint64_t InodeOf(const std::string& path) { return fs_.Stat(path, false).value()->inode; }
  /// A folder with a file, an executable, an empty file and folder, and one below.
  void WriteSampleFolder(const std::string& path) {
    Write(path + "/data.csv", "a,b\n1,2\n");
    Write(path + "/run.sh", "#!/bin/sh\n", 0755);
    Write(path + "/empty", "");
    Write(path + "/sub/deep/data.csv", "a,b\n3,4\n");
    ASSERT_TRUE(fs_.MakeDirectories(path + "/nothing").ok());
  }

  ManualClock clock_;
  io::MemFs fs_{&clock_};
  std::unique_ptr<Store> store_;
};

}  // namespace sluice::objects
