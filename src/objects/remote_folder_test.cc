#include "objects/remote_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "base/testing/scratch_folder.h"
#include "objects/testing/remotes.h"

namespace sluice::objects {
namespace {

class RemoteFolder : public testing::TestWithParam<bool> {
 public:
  std::unique_ptr<Remote> OpenIt() {
    return OpenFolderRemote(At("dest"), {.without_openat2 = GetParam()}).value();
  }

 protected:
  std::string At(std::string_view name) { return scratch_.Join(name); }
  void WriteFile(std::string_view name, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(At(name)).parent_path());
    std::ofstream(At(name)) << text;
  }
  static std::string ReadAll(const std::string& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  ScratchFolder scratch_;
};

INSTANTIATE_TEST_SUITE_P(BothWays, RemoteFolder, testing::Bool());

TEST_P(RemoteFolder, ArtifactsArePlainFilesWithOrdinaryRights) {
  const mode_t umask_before = umask(022);
  {
    const std::unique_ptr<Remote> remote = OpenIt();
    ASSERT_TRUE(remote->Put("0/run/artifacts/a.txt", *SourceOf("hi"), {}).ok());
  }
  umask(umask_before);
  EXPECT_EQ(ReadAll(At("dest/0/run/artifacts/a.txt")), "hi");
  struct stat info = {};
  ASSERT_EQ(stat(At("dest/0/run/artifacts/a.txt").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0644u);
  ASSERT_EQ(stat(At("dest/0/run").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0755u);
  // A server that ended has left nothing but artifacts.
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(At("dest"))) {
    names.insert(entry.path().filename());
  }
  EXPECT_EQ(names, std::set<std::string>{"0"});
}

TEST_P(RemoteFolder, LinksNeverLeadOut) {
  WriteFile("secret/password", "hunter2");
  WriteFile("dest/0/real", "real");
  std::filesystem::create_directory_symlink(At("secret"), At("dest/out"));
  std::filesystem::create_directory_symlink("../../secret", At("dest/0/up"));
  std::filesystem::create_symlink(At("secret/password"), At("dest/0/file"));
  std::filesystem::create_directory_symlink("/proc/self/root", At("dest/magic"));
  const std::unique_ptr<Remote> remote = OpenIt();
  for (const std::string path : {"out/password", "0/up/password", "0/file", "magic/etc/passwd"}) {
    const Result<std::unique_ptr<RemoteReader>> reader = remote->Open(path);
    ASSERT_FALSE(reader.ok()) << path;
    EXPECT_EQ(reader.error().message().find(scratch_.path()), std::string::npos);
    const Result<std::optional<RemoteStat>> stat = remote->Stat(path);
    EXPECT_FALSE(stat.ok() && stat->has_value() && stat->value().size_bytes == 7) << path;
  }
  for (const std::string path : {"out/new", "0/up/new", "0/up/deep/new", "magic/tmp/new"}) {
    EXPECT_FALSE(remote->Put(path, *SourceOf("x"), {}).ok()) << path;
  }
  for (const std::string path : {"out/password", "0/up/password", "0/up"}) {
    (void)remote->Delete(path).ok();  // refused or absent; what counts is checked below
  }
  std::filesystem::create_directory_symlink("../../secret", At("dest/0/up"));
  for (const std::string path : {"out", "0/up", "magic"}) {
    const Result<std::vector<RemoteEntry>> entries = remote->List(path);
    EXPECT_TRUE(!entries.ok() || entries->empty()) << path;
  }
  EXPECT_EQ(remote->List("0").value(), (std::vector<RemoteEntry>{{"real", false, 4}}));
  EXPECT_EQ(remote->List("").value(), (std::vector<RemoteEntry>{{"0", true, 0}}));

  // A link is deleted itself, not what it leads to; one that leads out is not replaced.
  EXPECT_FALSE(remote->Put("0/file", *SourceOf("mine"), {}).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(At("dest/0/file")));
  ASSERT_TRUE(remote->Delete("out").ok());
  ASSERT_TRUE(remote->Delete("0").ok());
  EXPECT_EQ(ReadAll(At("secret/password")), "hunter2");
  EXPECT_FALSE(std::filesystem::exists(At("secret/new")));
}

TEST_P(RemoteFolder, LinksInsideAreFollowedWhereTheKernelChecks) {
  WriteFile("dest/a/file", "text");
  std::filesystem::create_directory_symlink("a", At("dest/b"));
  const std::unique_ptr<Remote> remote = OpenIt();
  EXPECT_EQ(remote->Open("b/file").ok(), !GetParam());
}

TEST_P(RemoteFolder, WhatIsNoFileIsNotServed) {
  ASSERT_TRUE(std::filesystem::create_directories(At("dest")));
  ASSERT_EQ(mkfifo(At("dest/pipe").c_str(), 0600), 0);
  const std::unique_ptr<Remote> remote = OpenIt();
  EXPECT_FALSE(remote->Open("pipe").ok());
  EXPECT_TRUE(remote->List("").value().empty());
}

TEST_P(RemoteFolder, FilesAndFoldersDoNotReplaceEachOther) {
  const std::unique_ptr<Remote> remote = OpenIt();
  ASSERT_TRUE(remote->Put("a/b", *SourceOf("file"), {}).ok());
  for (const std::string path : {"a", "a/b/c", "a/b/c/d"}) {
    const Result<RemoteStat> put = remote->Put(path, *SourceOf("x"), {});
    ASSERT_FALSE(put.ok()) << path;
    EXPECT_EQ(put.error().code(), ErrorCode::kInvalidArgument) << path;
  }
  EXPECT_FALSE(remote->Stat("a/b/c").value().has_value());
}

TEST_P(RemoteFolder, AFileBeingReadOutlivesItsName) {
  const std::unique_ptr<Remote> remote = OpenIt();
  ASSERT_TRUE(remote->Put("f", *SourceOf("old text"), {}).ok());
  const std::unique_ptr<RemoteReader> reader = remote->Open("f").value();
  ASSERT_TRUE(remote->Put("f", *SourceOf("new"), {}).ok());
  ASSERT_TRUE(remote->Delete("f").ok());
  std::string buffer(100, '\0');
  const std::unique_ptr<http::BodySource> source = reader->Read(4, 4).value();
  EXPECT_EQ(source->Read(buffer).value(), 4u);
  EXPECT_EQ(buffer.substr(0, 4), "text");
  EXPECT_TRUE(reader->TakeDescriptor().is_open());
}

TEST_P(RemoteFolder, LeftoversOfDeadServersAreRemovedThoseOfTheLivingAreNot) {
  WriteFile("dest/.sluice-uploads/tmp-0123456789abcdef/half", "half an upload");
  const std::unique_ptr<Remote> living = OpenIt();
  EXPECT_FALSE(std::filesystem::exists(At("dest/.sluice-uploads/tmp-0123456789abcdef")));

  // One upload under way while another server starts and cleans.
  class Starts final : public http::BodySource {
   public:
    explicit Starts(RemoteFolder& test) : test_(test) {}
    Result<size_t> Read(std::span<char> into) override {
      if (++count_ > 3) return size_t{0};
      const std::unique_ptr<Remote> other = test_.OpenIt();
      EXPECT_TRUE(other->Put("other", *SourceOf("x"), {}).ok());
      into[0] = 'y';
      return size_t{1};
    }

   private:
    RemoteFolder& test_;
    int count_ = 0;
  } source(*this);
  const Result<RemoteStat> put = living->Put("mine", source, {});
  ASSERT_TRUE(put.ok()) << put.error().ToString();
  EXPECT_EQ(ReadAll(At("dest/mine")), "yyy");
}

TEST_P(RemoteFolder, ServersShareUploads) {
  const std::unique_ptr<Remote> one = OpenIt();
  const std::unique_ptr<Remote> two = OpenIt();
  const std::string id = one->CreateUpload("f", "").value();
  const std::string first = two->PutPart("f", id, 1, *SourceOf("ab"), 2).value();
  const std::string second = one->PutPart("f", id, 2, *SourceOf("c"), 1).value();
  ASSERT_TRUE(two->CompleteUpload("f", id, {{1, first}, {2, second}}).ok());
  EXPECT_EQ(ReadAll(At("dest/f")), "abc");
}

}  // namespace
}  // namespace sluice::objects
