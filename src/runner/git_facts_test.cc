#include "runner/git_facts.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "io/fs.h"
#include "io/subprocess.h"

namespace sluice::runner {
namespace {

class GitFactsTest : public testing::Test {
 protected:
  GitFactsTest()
      : folder_(std::filesystem::temp_directory_path() / ("sluice-git-" + NewRandomHex(12))) {
    EXPECT_TRUE(io::RealFs().MakeDirectories(folder_ + "/sub").ok());
  }
  ~GitFactsTest() override { EXPECT_TRUE(io::RealFs().RemoveTree(folder_).ok()); }

  bool Git(std::vector<std::string> words) {
    io::SubprocessOptions options;
    options.argv = {"git", "-c", "user.name=a", "-c", "user.email=a@b"};
    options.argv.insert(options.argv.end(), words.begin(), words.end());
    options.env = {{"PATH", "/usr/bin:/bin"}, {"HOME", folder_}};
    options.cwd = folder_;
    Result<io::FinishedProcess> finished = io::RunToEnd(options, std::chrono::seconds(30));
    return finished.ok() && finished->status.ok();
  }
  void Write(const std::string& name, const std::string& content) {
    EXPECT_TRUE(
        io::RealFs().WriteFileAtomic(folder_ + "/" + name, content, io::Durability::kFast).ok());
  }
  GitFacts Facts() {
    Result<std::optional<GitFacts>> facts = ReadGitFacts(folder_ + "/sub");
    EXPECT_TRUE(facts.ok() && facts->has_value());
    return facts.ok() && *facts ? **facts : GitFacts();
  }
  const std::string folder_;
};

TEST_F(GitFactsTest, TellsCommitBranchAndChanges) {
  EXPECT_FALSE(ReadGitFacts(folder_)->has_value());
  if (!Git({"init", "-q", "-b", "trunk"})) GTEST_SKIP() << "git is not installed";
  EXPECT_EQ(Facts().commit, "");
  Write("a", "1");
  ASSERT_TRUE(Git({"add", "a"}) && Git({"commit", "-q", "-m", "one"}));
  GitFacts facts = Facts();
  EXPECT_EQ(facts.commit.size(), 40U);
  EXPECT_EQ(facts.branch, "trunk");
  EXPECT_FALSE(facts.is_dirty);
  Write("untracked", "1");
  EXPECT_FALSE(Facts().is_dirty);
  Write("a", "22");
  EXPECT_TRUE(Facts().is_dirty);
  ASSERT_TRUE(Git({"add", "a"}));
  EXPECT_TRUE(Facts().is_dirty);
  ASSERT_TRUE(Git({"commit", "-q", "-m", "two"}) && Git({"checkout", "-q", "--detach"}));
  EXPECT_EQ(Facts().branch, "");
  EXPECT_NE(Facts().commit, facts.commit);
  EXPECT_EQ(Facts().remote_url, "");
  ASSERT_TRUE(Git({"remote", "add", "origin", "https://user:token@host.example/x/y.git"}));
  EXPECT_EQ(Facts().remote_url, "https://host.example/x/y.git");
}

}  // namespace
}  // namespace sluice::runner
