#include "app/mlflow_import/file_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "app/mlflow_import/artifacts.h"
#include "app/mlflow_import/print.h"
#include "app/mlflow_import/tally.h"

namespace sluice::app::mlflow_import {
namespace {

std::optional<tracking::Metric> PointOf(std::string_view line) { return TakePoint("m", line); }

TEST(FileTextTest, PointsAreReadInEveryFormThatMlflowHasWritten) {
  const auto old = PointOf("1700000000000 0.5");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->step, 0);
  const auto point = PointOf("5 -1e-300 -3");
  ASSERT_TRUE(point);
  EXPECT_EQ(point->timestamp_ms, 5);
  EXPECT_EQ(point->value, -1e-300);
  EXPECT_EQ(point->step, -3);
  EXPECT_TRUE(std::isnan(PointOf("5 nan 1")->value));
  EXPECT_EQ(PointOf("5 inf 1")->value, std::numeric_limits<double>::max());
  EXPECT_EQ(PointOf("5 -inf 1")->value, std::numeric_limits<double>::lowest());
}

TEST(FileTextTest, WhatIsNoPointIsNone) {
  for (const char* line : {"", "5", "x 1 2", "5 abc 1", "5 1.5x 1", "  "}) {
    EXPECT_FALSE(PointOf(line)) << line;
  }
}

TEST(FileTextTest, BehindAPointTheLineNamesRunAndDataset) {
  std::string_view line = "5 0.5 3 abc d1 digest";
  ASSERT_TRUE(TakePoint("m", line));
  EXPECT_EQ(TakeWord(line), "abc");
  EXPECT_EQ(TakeWord(line), "d1");
  EXPECT_EQ(TakeWord(line), "digest");
  EXPECT_EQ(TakeWord(line), "");
}

TEST(ServedUriTest, OnlyPathsBelowTheRootChange) {
  EXPECT_EQ(ServedUri("file:///srv/mlruns/1/r/artifacts", "/srv/mlruns"),
            "mlflow-artifacts:/1/r/artifacts");
  EXPECT_EQ(ServedUri("/srv/mlruns/1", "/srv/mlruns/"), "mlflow-artifacts:/1");
  EXPECT_EQ(ServedUri("/srv/mlruns", "/srv/mlruns"), "mlflow-artifacts:/");
  for (const char* uri : {"/srv/mlruns2/1", "s3://srv/mlruns/1", "file:///srv/other", "",
                          "mlflow-artifacts:/1", "runs:/srv/mlruns"}) {
    EXPECT_EQ(ServedUri(uri, "/srv/mlruns"), uri);
  }
}

TEST(ShownUriTest, PasswordsAreNotShown) {
  EXPECT_EQ(ShownUri("postgresql://me:se@cret@host:5432/db"), "postgresql://me@host:5432/db");
  EXPECT_EQ(ShownUri("postgresql://me@host/db"), "postgresql://me@host/db");
  EXPECT_EQ(ShownUri("sqlite:///a@b.db"), "sqlite:///a@b.db");
}

TEST(PointSumsTest, OrderDoesNotMatterAndEveryFieldDoes) {
  const tracking::Metric a{.key = "m", .value = 1, .timestamp_ms = 2, .step = 3};
  const tracking::Metric b{.key = "m", .value = std::nan(""), .timestamp_ms = 2, .step = 3};
  PointSums one, other;
  one.Add("r", a);
  one.Add("r", b);
  other.Add("r", b);
  other.Add("r", a);
  EXPECT_EQ(one, other);
  const tracking::Metric changed[] = {{.key = "n", .value = 1, .timestamp_ms = 2, .step = 3},
                                      {.key = "m", .value = 2, .timestamp_ms = 2, .step = 3},
                                      {.key = "m", .value = 1, .timestamp_ms = 3, .step = 3},
                                      {.key = "m", .value = 1, .timestamp_ms = 2, .step = 4},
                                      {.key = "m", .value = 0, .timestamp_ms = 2, .step = 3}};
  PointSums plain;
  plain.Add("r", a);
  for (const tracking::Metric& metric : changed) {
    PointSums sums;
    sums.Add("r", metric);
    EXPECT_NE(sums.checksum, plain.checksum);
  }
  PointSums zero, nan;
  zero.Add("r", changed[4]);
  nan.Add("r", b);
  EXPECT_NE(zero.checksum, nan.checksum);
}

}  // namespace
}  // namespace sluice::app::mlflow_import
