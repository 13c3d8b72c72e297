// Every file of testing/plans is a scenario (testing/scenario.h). SLUICE_REWRITE=1 writes what came
// out; read the diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "pipeline/testing/scenario.h"

namespace sluice::pipeline {
namespace {

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(SLUICE_SOURCE_DIR "/src/pipeline/testing/plans")) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class PlanText : public ::testing::TestWithParam<std::string> {};

TEST_P(PlanText, PlaysAsWritten) {
  std::string path =
      std::string(SLUICE_SOURCE_DIR "/src/pipeline/testing/plans/") + GetParam() + ".txt";
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string played = PlayScenario(text, GetParam() + ".yaml");
  if (std::getenv("SLUICE_REWRITE") != nullptr) std::ofstream(path, std::ios::binary) << played;
  EXPECT_EQ(played, text);
}

INSTANTIATE_TEST_SUITE_P(All, PlanText, ::testing::ValuesIn(Names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace sluice::pipeline
