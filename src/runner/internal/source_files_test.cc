#include "runner/internal/source_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/testing/mem_fs.h"
#include "runner/internal/event_tail.h"
#include "runner/run.h"

namespace sluice::runner {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SourceFilesTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& content = "x") {
    std::string absolute = "/p/" + path;
    ASSERT_TRUE(fs_.MakeDirectories(io::DirName(absolute)).ok());
    ASSERT_TRUE(fs_.WriteFileAtomic(absolute, content, io::Durability::kFast).ok());
  }
  std::vector<std::string> Expand(const std::string& pattern) {
    Result<std::vector<std::string>> paths = ExpandGlob(fs_, "/p", pattern);
    return paths.ok() ? *paths : std::vector<std::string>{paths.error().message()};
  }
  Result<std::optional<Digest>> Load(const std::string& pattern, bool is_glob) {
    std::vector<pipeline::SourcePattern> patterns = {{pattern, is_glob}};
    std::unique_ptr<objects::StatCache> cache = objects::StatCache::InMemory();
    ASSIGN_OR_RETURN(SourcesByPattern sources, LoadSources(fs_, "/p", patterns, *cache));
    return sources.at(pattern).digest;
  }
  io::MemFs fs_;
};

TEST_F(SourceFilesTest, GlobsByComponent) {
  for (const char* path : {"d/b.csv", "d/a.csv", "d/.hidden.csv", "d/sub/c.csv", "d/sub/deep/e.csv",
                           "d/a.txt", "top.csv", ".sluice/x.csv", ".git/x.csv"}) {
    Write(path);
  }
  EXPECT_THAT(Expand("d/*.csv"), ElementsAre("d/a.csv", "d/b.csv"));
  EXPECT_THAT(Expand("d/[a-b].???"), ElementsAre("d/a.csv", "d/a.txt", "d/b.csv"));
  EXPECT_THAT(Expand("*/*/c.csv"), ElementsAre("d/sub/c.csv"));
  EXPECT_THAT(Expand("d/**/*.csv"),
              ElementsAre("d/a.csv", "d/b.csv", "d/sub/c.csv", "d/sub/deep/e.csv"));
  EXPECT_THAT(Expand("d/**"),
              ElementsAre("d/a.csv", "d/a.txt", "d/b.csv", "d/sub/c.csv", "d/sub/deep/e.csv"));
  EXPECT_THAT(Expand("**/*.csv"),
              ElementsAre("d/a.csv", "d/b.csv", "d/sub/c.csv", "d/sub/deep/e.csv", "top.csv"));
  EXPECT_THAT(Expand("d/.*.csv"), ElementsAre("d/.hidden.csv"));
  EXPECT_THAT(Expand("none/*.csv"), IsEmpty());
  EXPECT_THAT(Expand("d/*"), ElementsAre("d/a.csv", "d/a.txt", "d/b.csv"));
}

TEST_F(SourceFilesTest, LinksMayNotLeaveTheProject) {
  Write("real/a.csv");
  ASSERT_TRUE(fs_.MakeDirectories("/outside").ok());
  ASSERT_TRUE(fs_.WriteFileAtomic("/outside/b.csv", "y", io::Durability::kFast).ok());
  ASSERT_TRUE(fs_.Symlink("real", "/p/inside").ok());
  ASSERT_TRUE(fs_.Symlink("/p/real/a.csv", "/p/absolute.csv").ok());
  ASSERT_TRUE(fs_.Symlink("../outside", "/p/escape").ok());
  ASSERT_TRUE(fs_.Symlink("/outside/b.csv", "/p/file.csv").ok());
  ASSERT_TRUE(fs_.Symlink("loop", "/p/loop").ok());
  EXPECT_EQ(**ResolveInProject(fs_, "/p", "inside/a.csv"), "real/a.csv");
  EXPECT_EQ(**ResolveInProject(fs_, "/p", "absolute.csv"), "real/a.csv");
  EXPECT_FALSE(ResolveInProject(fs_, "/p", "real/absent")->has_value());
  for (const char* path : {"escape/b.csv", "escape", "file.csv"}) {
    EXPECT_EQ(ResolveInProject(fs_, "/p", path).error().code(), ErrorCode::kPermissionDenied)
        << path;
    EXPECT_FALSE(Load(path, false).ok());
  }
  EXPECT_FALSE(ResolveInProject(fs_, "/p", "loop").ok());
  EXPECT_FALSE(Load("*.csv", true).ok());
  EXPECT_TRUE(Load("inside/a.csv", false).ok());
}

TEST_F(SourceFilesTest, DigestsNameContentAndPlaces) {
  Write("d/a.csv", "one");
  Write("d/b.csv", "two");
  std::optional<Digest> both = *Load("d/*.csv", true);
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(*Load("d/a.csv", false), ComputeSha256("one"));
  Write("d/b.csv", "2");
  EXPECT_NE(*Load("d/*.csv", true), both);
  Write("d/b.csv", "two");
  EXPECT_EQ(*Load("d/*.csv", true), both);
  Write("d/c.csv", "");
  EXPECT_NE(*Load("d/*.csv", true), both);
  EXPECT_FALSE(Load("d/z.csv", false)->has_value());
  EXPECT_FALSE(Load("z/*.csv", true)->has_value());
}

TEST(EventTailTest, TakesWholeLinesOnceAndSurvivesRubbish) {
  std::string path = testing::TempDir() + "/events-" + std::to_string(getpid());
  ASSERT_TRUE(io::RealFs().Remove(path).ok());
  EventTail tail(path);
  std::vector<std::string> seen;
  auto read = [&] {
    while (tail.Read(
        [&](const formats::Json& event) { seen.push_back(event.StringOr("event", "")); })) {
    }
  };
  read();
  auto append = [&](const std::string& text) {
    std::unique_ptr<io::WritableFile> file = io::RealFs().OpenForAppend(path).value();
    ASSERT_TRUE(file->Append(text).ok());
    ASSERT_TRUE(file->Close().ok());
  };
  append("{\"event\":\"a\"}\n{\"eve");
  read();
  EXPECT_THAT(seen, ElementsAre("a"));
  append("nt\":\"b\"}\nnot json\n[]\n{\"event\":1}\n\n");
  append(std::string(200'000, 'x') + "\n{\"event\":\"c\",\"value\":NaN}\n");
  append(std::string(3'000'000, 'y'));
  append("\n{\"event\":\"d\"}\n{\"event\":\"never finished\"");
  read();
  EXPECT_THAT(seen, ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(tail.bad_line_count(), 5);
  ASSERT_TRUE(io::RealFs().Remove(path).ok());
}

TEST(InheritedEnvTest, PassesATableOfNames) {
  EXPECT_EQ(InheritedEnv({{"PATH", "p"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"LC_ALL", "C"}}),
            (io::EnvPairs{{"LC_ALL", "C"}, {"PATH", "p"}}));
}

}  // namespace
}  // namespace sluice::runner
