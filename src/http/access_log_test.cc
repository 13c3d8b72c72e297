#include "http/access_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "formats/json.h"

namespace sluice::http {
namespace {

constexpr int64_t kTimeMs = 784111777'123;

ServerOptions::Access MakeAccess() {
  return {.method = "GET",
          .path = "/a b\"\n",
          .route_name = "a",
          .peer = "[::1]:5000",
          .request_id = "0123456789abcdef",
          .host = "x",
          .user_agent = "curl \"7\"",
          .status = 200,
          .minor_version = 1,
          .request_bytes = 3,
          .body_bytes = 42,
          .duration_ns = 1'234'567,
          .is_complete = true};
}

TEST(AccessLogTest, CommonFormat) {
  EXPECT_EQ(AccessLine(MakeAccess(), AccessLogFormat::kCommon, kTimeMs),
            "::1 - - [06/Nov/1994:08:49:37 +0000] \"GET /a b\\x22\\x0a HTTP/1.1\" 200 42 \"-\" "
            "\"curl \\x227\\x22\"\n");
}

TEST(AccessLogTest, JsonIsOneValidLine) {
  ServerOptions::Access access = MakeAccess();
  access.user_agent = "\xFF";
  const std::string line = AccessLine(access, AccessLogFormat::kJson, kTimeMs);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto parsed = formats::ParseJson(line);
  ASSERT_TRUE(parsed.ok()) << line;
  EXPECT_NE(line.find("\"path\":\"/a b\\\"\\n\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"duration_ms\":1.234"), std::string::npos) << line;
  EXPECT_NE(line.find("1994-11-06"), std::string::npos) << line;
}

TEST(AccessLogTest, LinesReachTheFile) {
  const std::string path = testing::TempDir() + "/access_log_test_" + std::to_string(getpid());
  {
    const auto log = AccessLog::Open(path, AccessLogFormat::kCommon).value();
    for (int i = 0; i < 100; ++i) log->Write(MakeAccess());
  }
  std::ifstream file(path);
  int count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  EXPECT_EQ(count, 100);
  std::filesystem::remove(path);
  EXPECT_FALSE(AccessLog::Open("/nowhere/at/all", AccessLogFormat::kJson).ok());
}

}  // namespace
}  // namespace sluice::http
