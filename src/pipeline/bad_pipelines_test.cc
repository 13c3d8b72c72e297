// tests/e2e/bad_pipelines: NAME.yaml and what the parser says about it, NAME.txt. SLUICE_REWRITE=1
// writes what came out; read the diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pipeline/parse.h"
#include "pipeline/testing/kinds.h"

namespace sluice::pipeline {
namespace {

const std::string kFolder = SLUICE_SOURCE_DIR "/tests/e2e/bad_pipelines/";

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class BadPipeline : public ::testing::TestWithParam<std::string> {};

TEST_P(BadPipeline, IsRefusedAsWritten) {
  const std::string& name = GetParam();
  ParseOutcome outcome =
      ParsePipelineFully(Read(kFolder + name + ".yaml"), name + ".yaml", TestKinds());
  EXPECT_FALSE(outcome.pipeline.has_value());
  std::string said;
  for (const Error& error : outcome.errors) {
    said += error.ToString() + "\n";
    ASSERT_TRUE(error.source().has_value());
    EXPECT_EQ(error.source()->file, name + ".yaml");
    EXPECT_GE(error.source()->line, 1);
    EXPECT_GE(error.source()->column, 1);
  }
  if (std::getenv("SLUICE_REWRITE") != nullptr)
    std::ofstream(kFolder + name + ".txt", std::ios::binary) << said;
  EXPECT_EQ(said, Read(kFolder + name + ".txt"));
}

INSTANTIATE_TEST_SUITE_P(All, BadPipeline, ::testing::ValuesIn(Names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace sluice::pipeline
