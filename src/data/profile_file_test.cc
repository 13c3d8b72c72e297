#include "data/profile_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::data {
namespace {

class ProfileFileTest : public ::testing::Test {
 protected:
  ProfileFileTest()
      : folder_(std::filesystem::path(::testing::TempDir()) /
                ("sluice_profile_file_test" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~ProfileFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  std::filesystem::path folder_;
};

TEST_F(ProfileFileTest, ProfilesACsvInChunksTheSameForAnyThreadCount) {
  std::string text = "id,amount,name,day\n";
  for (int i = 0; i < 20'000; ++i) {
    text += std::to_string(i) + "," + (i % 7 == 0 ? "" : std::to_string(i % 5000) + ".25") +
            ",name " + std::to_string(i % 9000) + ",2024-01-" + (i % 28 < 9 ? "0" : "") +
            std::to_string(i % 28 + 1) + "\n";
  }
  std::string path = Write("a.csv", text);
  table::ReadOptions options;
  options.chunk_size_bytes = 1 << 15;
  std::string first;
  for (size_t threads : {1, 2, 5}) {
    options.thread_count = threads;
    Result<FileProfile> file = ProfileFiles({path}, options);
    ASSERT_TRUE(file.ok()) << file.error().ToString();
    EXPECT_EQ(file->profile.row_count, 20'000);
    EXPECT_EQ(file->facts.row_count, 20'000);
    EXPECT_EQ(file->profile.columns[1].null_count, 2858);
    EXPECT_EQ(file->profile.columns[3].type, ColumnType::kDate);
    EXPECT_EQ(file->profile.columns[2].distinct_count, 9000);
    std::string json = formats::PrintJson(ProfileToJson(file->profile));
    if (first.empty()) first = json;
    EXPECT_EQ(json, first) << threads;
  }
}

TEST_F(ProfileFileTest, ATypeThatChangesLateStartsOver) {
  std::string text = "x\n";
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + "\n";
  text += "end\n";
  table::ReadOptions options;
  options.chunk_size_bytes = 1 << 14;
  Result<FileProfile> file = ProfileFiles({Write("b.csv", text)}, options);
  ASSERT_TRUE(file.ok()) << file.error().ToString();
  EXPECT_EQ(file->profile.row_count, 50'001);
  EXPECT_EQ(file->profile.columns[0].type, ColumnType::kString);
  EXPECT_EQ(file->profile.columns[0].distinct_count, 50'001);
  EXPECT_EQ(std::get<std::string>(file->profile.columns[0].max), "end");
}

TEST_F(ProfileFileTest, ErrorsOfReadingComeThrough) {
  Result<FileProfile> missing = ProfileFiles({(folder_ / "none.csv").string()});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace sluice::data
