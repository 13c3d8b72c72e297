// What every remote must do. Instantiate it with functions that give a fresh, empty destination
// (remotes.h).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "objects/remote.h"
#include "objects/testing/remotes.h"

namespace sluice::objects {

class RemoteContract : public testing::TestWithParam<RemoteFactory> {
 protected:
  void SetUp() override {
    under_test_ = GetParam()();
    if (under_test_.remote == nullptr) GTEST_SKIP() << under_test_.skipped_because;
  }
  Remote& remote() { return *under_test_.remote; }
  int64_t part_bytes_min() const { return under_test_.part_bytes_min; }
  bool checks_upload_ids() const { return under_test_.checks_upload_ids; }

  Result<RemoteStat> Put(const std::string& path, std::string_view text, int64_t size_bytes = -1) {
    return remote().Put(path, *SourceOf(text), {.size_bytes = size_bytes});
  }
  std::string Drain(http::BodySource& source) {
    std::string all;
    std::vector<char> buffer(100'000);
    while (true) {
      const Result<size_t> count = source.Read(buffer);
      if (!count.ok()) return "error: " + count.error().message();
      if (*count == 0) return all;
      all.append(buffer.data(), *count);
    }
  }
  std::string Get(const std::string& path) {
    Result<std::unique_ptr<RemoteReader>> reader = remote().Open(path);
    if (!reader.ok()) return "error: " + reader.error().message();
    return GetRange(**reader, 0, (*reader)->stat().size_bytes);
  }
  std::string GetRange(RemoteReader& reader, int64_t offset, int64_t size_bytes) {
    Result<std::unique_ptr<http::BodySource>> source = reader.Read(offset, size_bytes);
    return source.ok() ? Drain(**source) : "error: " + source.error().message();
  }
  template <typename T>
  static ErrorCode CodeOf(const Result<T>& result) {
    return result.ok() ? ErrorCode::kInternal : result.error().code();
  }

 private:
  RemoteUnderTest under_test_;
};

TEST_P(RemoteContract, WhatWasPutIsReadBack) {
  const std::string large = PatternBytes(3'000'001, 1);
  for (const std::string& text : {std::string(), std::string("one line\n"), large}) {
    for (const int64_t size_bytes : {int64_t{-1}, static_cast<int64_t>(text.size())}) {
      const Result<RemoteStat> put = Put("0/run/artifacts/model/file", text, size_bytes);
      ASSERT_TRUE(put.ok()) << put.error().ToString();
      EXPECT_EQ(put->size_bytes, static_cast<int64_t>(text.size()));
      EXPECT_EQ(Get("0/run/artifacts/model/file"), text);
    }
  }
  const std::unique_ptr<RemoteReader> reader = remote().Open("0/run/artifacts/model/file").value();
  EXPECT_EQ(GetRange(*reader, 1'000, 10), large.substr(1'000, 10));
  EXPECT_EQ(GetRange(*reader, 3'000'000, 1), large.substr(3'000'000));
  EXPECT_EQ(GetRange(*reader, 5, 0), "");
}

TEST_P(RemoteContract, NamesMayHoldAnythingButSlashes) {
  for (const std::string name : {"a b", "50%", "x+y&z=?;:@,$'\"()[]{}|^~`<>*!", "täst 🍎", "%0a"}) {
    const std::string path = "odd/" + name + "/" + name;
    ASSERT_TRUE(Put(path, name).ok()) << name;
    EXPECT_EQ(Get(path), name);
    const std::vector<RemoteEntry> entries = remote().List("odd/" + name).value();
    ASSERT_EQ(entries.size(), 1u) << name;
    EXPECT_EQ(entries[0].name, name);
    ASSERT_TRUE(remote().Delete("odd/" + name).ok());
  }
}

TEST_P(RemoteContract, ListsOneLevelSorted) {
  for (const std::string path : {"e/b.txt", "e/a/x", "e/a/y/z", "e/a.txt", "e/Z", "e/a-b"}) {
    ASSERT_TRUE(Put(path, path).ok());
  }
  EXPECT_EQ(remote().List("e").value(), (std::vector<RemoteEntry>{{"Z", false, 3},
                                                                  {"a", true, 0},
                                                                  {"a-b", false, 5},
                                                                  {"a.txt", false, 7},
                                                                  {"b.txt", false, 7}}));
  EXPECT_EQ(remote().List("").value(), (std::vector<RemoteEntry>{{"e", true, 0}}));
  EXPECT_TRUE(remote().List("e/b.txt").value().empty());
  EXPECT_TRUE(remote().List("e/a.").value().empty());
  EXPECT_TRUE(remote().List("absent/folder").value().empty());
}

TEST_P(RemoteContract, TellsFilesDirectoriesAndNothing) {
  ASSERT_TRUE(Put("d/file", "12345").ok());
  const RemoteStat file = remote().Stat("d/file").value().value();
  EXPECT_FALSE(file.is_directory);
  EXPECT_EQ(file.size_bytes, 5);
  EXPECT_GT(file.mtime_ms, 1'600'000'000'000);
  EXPECT_TRUE(file.etag.size() > 2 && file.etag.starts_with('"') && file.etag.ends_with('"'));
  EXPECT_EQ(remote().Open("d/file").value()->stat().etag, file.etag);
  EXPECT_TRUE(remote().Stat("d").value().value().is_directory);
  EXPECT_FALSE(remote().Stat("d/none").value().has_value());
  EXPECT_FALSE(remote().Stat("d/fil").value().has_value());
  EXPECT_EQ(CodeOf(remote().Open("d/none")), ErrorCode::kNotFound);
  EXPECT_EQ(remote().Open("d/none").error().message(), "No such artifact: 'd/none'");
  EXPECT_EQ(CodeOf(remote().Open("d")), ErrorCode::kInvalidArgument);
}

TEST_P(RemoteContract, AReplacedFileHasAnotherTag) {
  const std::string first = Put("f", "first").value().etag;
  const std::string second = Put("f", "other").value().etag;
  EXPECT_NE(first, second);
  EXPECT_EQ(Get("f"), "other");
}

TEST_P(RemoteContract, AnUploadThatBreaksOffLeavesNoTrace) {
  ASSERT_TRUE(Put("f", "old").ok());
  const std::string large = PatternBytes(2'000'000, 2);
  BreakingSource source(large);
  EXPECT_EQ(CodeOf(remote().Put("f", source, {})), ErrorCode::kUnavailable);
  BreakingSource announced(large);
  EXPECT_EQ(CodeOf(remote().Put("g", announced, {.size_bytes = 3'000'000})),
            ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(Put("g", "too short", 1'000)), ErrorCode::kDataLoss);
  EXPECT_EQ(CodeOf(Put("g", "too long", 3)), ErrorCode::kDataLoss);
  EXPECT_EQ(Get("f"), "old");
  EXPECT_EQ(remote().List("").value(), (std::vector<RemoteEntry>{{"f", false, 3}}));
}

TEST_P(RemoteContract, DeletesFilesAndTrees) {
  for (const std::string path : {"t/a", "t/b/c", "t/b/d/e", "tt"}) {
    ASSERT_TRUE(Put(path, path).ok());
  }
  ASSERT_TRUE(remote().Delete("t/a").ok());
  EXPECT_FALSE(remote().Stat("t/a").value().has_value());
  ASSERT_TRUE(remote().Delete("t/absent").ok());
  ASSERT_TRUE(remote().Delete("absent/absent").ok());
  ASSERT_TRUE(remote().Delete("t").ok());
  EXPECT_FALSE(remote().Stat("t").value().has_value());
  EXPECT_EQ(Get("tt"), "tt");
}

TEST_P(RemoteContract, PartsBecomeOneFile) {
  const auto size = static_cast<size_t>(part_bytes_min());
  const std::vector<std::string> texts = {PatternBytes(size, 1), PatternBytes(size + 7, 2), "end"};
  const std::string id = remote().CreateUpload("up/file", "text/plain").value();
  EXPECT_GE(id.size(), 22u);
  std::vector<RemotePart> parts(3);
  std::vector<std::thread> threads;
  for (int i = 2; i >= 0; --i) {
    threads.emplace_back([&, i] {
      const std::string& text = texts[static_cast<size_t>(i)];
      const auto bytes = static_cast<int64_t>(text.size());
      Result<std::string> etag = remote().PutPart("up/file", id, i + 1, *SourceOf(text), bytes);
      ASSERT_TRUE(etag.ok()) << etag.error().ToString();
      parts[static_cast<size_t>(i)] = {.part_number = i + 1, .etag = *etag, .size_bytes = bytes};
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(remote().Stat("up/file").value().has_value());
  const std::vector<RemotePart> listed = remote().ListParts("up/file", id).value();
  ASSERT_EQ(listed.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(listed[i].part_number, parts[i].part_number);
    EXPECT_EQ(listed[i].etag, parts[i].etag);
    EXPECT_EQ(listed[i].size_bytes, parts[i].size_bytes);
  }
  const Result<RemoteStat> whole = remote().CompleteUpload("up/file", id, parts);
  ASSERT_TRUE(whole.ok()) << whole.error().ToString();
  EXPECT_EQ(Get("up/file"), texts[0] + texts[1] + texts[2]);
  EXPECT_EQ(CodeOf(remote().ListParts("up/file", id)), ErrorCode::kNotFound);
  // Whoever did not hear the answer asks again.
  EXPECT_TRUE(remote().CompleteUpload("up/file", id, parts).ok());
  EXPECT_EQ(remote().List("").value(), (std::vector<RemoteEntry>{{"up", true, 0}}));
}

TEST_P(RemoteContract, APartSentAgainReplacesTheFirst) {
  const auto size = static_cast<size_t>(part_bytes_min());
  const std::string good = PatternBytes(size, 5);
  const std::string id = remote().CreateUpload("f", "").value();
  const auto put = [&](int number, std::string_view text) {
    return remote().PutPart("f", id, number, *SourceOf(text), static_cast<int64_t>(text.size()));
  };
  const std::string stale = put(1, PatternBytes(size, 4)).value();
  const std::string fresh = put(1, good).value();
  const std::string last = put(2, "end").value();
  EXPECT_NE(stale, fresh);
  EXPECT_EQ(CodeOf(remote().CompleteUpload("f", id, {{1, stale}, {2, last}})),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(remote().CompleteUpload("f", id, {{1, fresh}, {3, last}})),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(remote().CompleteUpload("f", id, {{2, last}, {1, fresh}})),
            ErrorCode::kInvalidArgument);
  BreakingSource broken(good);
  EXPECT_FALSE(remote().PutPart("f", id, 2, broken, 1'000'000'000).ok());
  ASSERT_TRUE(remote().CompleteUpload("f", id, {{1, fresh}, {2, last}}).ok());
  EXPECT_EQ(Get("f"), good + "end");
}

TEST_P(RemoteContract, AnUploadIsKnownByItsIdAndPathTogether) {
  if (!checks_upload_ids()) GTEST_SKIP() << "this endpoint does not check upload ids";
  const std::string id = remote().CreateUpload("mine", "").value();
  const std::string etag = remote().PutPart("mine", id, 1, *SourceOf("x"), 1).value();
  for (const auto& [path, other] : std::vector<std::pair<std::string, std::string>>{
           {"theirs", id}, {"mine", id.substr(1) + "x"}, {"mine", "../" + id}, {"mine", ""}}) {
    EXPECT_EQ(CodeOf(remote().PutPart(path, other, 1, *SourceOf("y"), 1)), ErrorCode::kNotFound);
    EXPECT_EQ(CodeOf(remote().CompleteUpload(path, other, {{1, etag}})), ErrorCode::kNotFound);
    EXPECT_EQ(CodeOf(remote().ListParts(path, other)), ErrorCode::kNotFound);
    EXPECT_TRUE(remote().AbortUpload(path, other).ok());
  }
  EXPECT_TRUE(remote().AbortUpload("mine", id).ok());
  EXPECT_EQ(CodeOf(remote().PutPart("mine", id, 1, *SourceOf("y"), 1)), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(remote().CompleteUpload("mine", id, {{1, etag}})), ErrorCode::kNotFound);
  EXPECT_TRUE(remote().List("").value().empty());
}

TEST_P(RemoteContract, StaleUploadsAreFreed) {
  const std::string id = remote().CreateUpload("f", "").value();
  ASSERT_TRUE(remote().PutPart("f", id, 1, *SourceOf("x"), 1).ok());
  ASSERT_TRUE(remote().RemoveStaleUploads(3'600'000).ok());
  EXPECT_EQ(remote().ListParts("f", id).value().size(), 1u);
  ASSERT_TRUE(remote().RemoveStaleUploads(-60'000).ok());  // everything is older than that
  EXPECT_EQ(CodeOf(remote().ListParts("f", id)), ErrorCode::kNotFound);
}

TEST_P(RemoteContract, ManyWritersOfOneNameLeaveOneWhole) {
  std::vector<std::thread> threads;
  for (char c = 'a'; c < 'i'; ++c) {
    threads.emplace_back([this, c] {
      for (int i = 0; i < 5; ++i) EXPECT_TRUE(Put("x/y/z", std::string(200'000, c)).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = Get("x/y/z");
  EXPECT_EQ(text, std::string(200'000, text.at(0)));
}

}  // namespace sluice::objects
