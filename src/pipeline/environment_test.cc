#include "pipeline/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOf(std::string_view text) {
  Result<Environment> parsed = ParseEnvironment(text, "environments/e.yaml", "e");
  return parsed.ok() ? "no error" : parsed.error().ToString();
}

TEST(Environment, IsReadWhole) {
  Result<Environment> parsed = ParseEnvironment(R"(
executor: local
max_parallel: 4
defaults: {threads: 2, memory: 4GiB, time: 2h}
steps:
  model: {threads: 8}
env: {OMP_NUM_THREADS: 1, EMPTY: }
secrets: [DB_PASSWORD, API_KEY, API_KEY]
tracking: {uri: "https://mlflow.example.org"}
store: ../store
lock: [requirements.txt]
)",
                                                "environments/e.yaml", "e");
  ASSERT_TRUE(parsed.ok()) << parsed.error().ToString();
  EXPECT_EQ(parsed->name, "e");
  EXPECT_EQ(parsed->max_parallel, 4);
  EXPECT_EQ(parsed->ResourcesOf("model"),
            (Resources{.thread_count = 8, .memory_bytes = int64_t{4} << 30, .time_ms = 7'200'000}));
  EXPECT_EQ(parsed->ResourcesOf("other").thread_count, 2);
  EXPECT_THAT(parsed->env, ElementsAre(std::pair("EMPTY", ""), std::pair("OMP_NUM_THREADS", "1")));
  EXPECT_THAT(parsed->secrets, ElementsAre("API_KEY", "DB_PASSWORD"));
  EXPECT_EQ(parsed->tracking_uri, "https://mlflow.example.org");
  EXPECT_EQ(parsed->store, "../store");
  EXPECT_THAT(parsed->lock_files, ElementsAre("requirements.txt"));
}

TEST(Environment, AnEmptyFileIsTheDefault) {
  Result<Environment> parsed = ParseEnvironment("", "environments/e.yaml", "e");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->executor, "local");
  EXPECT_EQ(parsed->defaults, Resources());
}

TEST(Environment, MistakesAreNamedWhereTheyStand) {
  EXPECT_THAT(ErrorOf("executor: slurm\n"),
              HasSubstr("environments/e.yaml:1:11: the executor 'slurm' is not available"));
  EXPECT_THAT(ErrorOf("executor: lokal\n"), HasSubstr("did you mean 'local'?"));
  EXPECT_THAT(ErrorOf("max_paralel: 4\n"),
              HasSubstr("1:1: an environment has no key 'max_paralel'; did you mean"));
  EXPECT_THAT(ErrorOf("max_parallel: 0\n"), HasSubstr("must be at least 1"));
  EXPECT_THAT(ErrorOf("defaults: {memory: 4G}\n"), HasSubstr("'memory': '4G' is no size"));
  EXPECT_THAT(ErrorOf("defaults: {memory: 0}\n"), HasSubstr("more than nothing"));
  EXPECT_THAT(ErrorOf("defaults: {time: forever}\n"), HasSubstr("is no duration"));
  EXPECT_THAT(ErrorOf("secrets: {A: hunter2}\n"), HasSubstr("is a list of names"));
  EXPECT_THAT(ErrorOf("env: {A B: 1}\n"), HasSubstr("no name for an environment variable"));
  EXPECT_THAT(ErrorOf("tracking: {uri: somewhere}\n"),
              HasSubstr("begins with http:// or https://"));
  EXPECT_THAT(ErrorOf("store: s3://bucket\n"), HasSubstr("not available in this version"));
  EXPECT_THAT(ErrorOf("- a\n"), HasSubstr("must be a mapping"));
}

}  // namespace
}  // namespace sluice::pipeline
