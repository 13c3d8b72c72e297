#include "runner/attempt_command.h"

#include <gtest/gtest.h>

#include "runner/attempt_record.h"
#include "runner/internal/log_writer.h"

namespace sluice::runner {
namespace {

TEST(AttemptCommandTest, ReadsBackWhatWasWritten) {
  AttemptCommand command;
  command.argv = {"a", "", "line\nend 0\n\n", std::string(300, '\xff')};
  command.env = {{"A", ""}, {"B", "x=y\n"}};
  command.secret_names = {"TOKEN"};
  command.cwd = "/a b";
  command.cookie = "c00kie";
  command.limits = {.address_space_bytes = 1, .cpu_s = 2, .open_file_count = 3};
  command.timeout_ms = 4;
  command.grace_ms = 5;
  command.max_log_bytes = 6;
  std::string text = EncodeCommand(command);
  Result<AttemptCommand> read = DecodeCommand(text);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->argv, command.argv);
  EXPECT_EQ(read->env, command.env);
  EXPECT_EQ(read->secret_names, command.secret_names);
  EXPECT_EQ(read->cwd, command.cwd);
  EXPECT_EQ(read->limits.open_file_count, 3);
  EXPECT_EQ(read->max_log_bytes, 6);
  EXPECT_EQ(EncodeCommand(*read), text);
}

TEST(AttemptCommandTest, RefusesEveryPrefix) {
  AttemptCommand command;
  command.argv = {"a", "b"};
  std::string text = EncodeCommand(command);
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(DecodeCommand(std::string_view(text).substr(0, size)).ok()) << size;
  }
}

TEST(AttemptRecordTest, ReadsBackWhatWasWritten) {
  AttemptRecord record;
  record.reason = EndReason::kStartFailed;
  record.exit_code = 1;
  record.signal = 2;
  record.start_ms = 3;
  record.end_ms = 4;
  record.max_rss_bytes = int64_t{1} << 40;
  record.boot_id = "b";
  record.message = "a \"quoted\" \\ line\n";
  Result<AttemptRecord> read = ParseRecord(PrintRecord(record));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(read->message, record.message);
  EXPECT_EQ(PrintRecord(*read), PrintRecord(record));
  EXPECT_EQ(ParseRecord("").error().code(), ErrorCode::kDataLoss);
  EXPECT_EQ(ParseRecord("{}").error().code(), ErrorCode::kDataLoss);
}

TEST(SecretMaskTest, HidesSecretsAcrossPieces) {
  std::string text = "the token is abcabd, and abc, ab";
  for (size_t piece_size = 1; piece_size < text.size(); ++piece_size) {
    SecretMask mask({"abcabd", "", "is a"});
    std::string shown;
    for (size_t at = 0; at < text.size(); at += piece_size) {
      shown += mask.Take(std::string_view(text).substr(at, piece_size));
    }
    shown += mask.Finish();
    EXPECT_EQ(shown, "the token ***bcabd, and abc, ab") << piece_size;
  }
  SecretMask longest({"ab", "abcd"});
  std::string shown = longest.Take("ab");
  shown += longest.Take("cd ab");
  shown += longest.Finish();
  EXPECT_EQ(shown, "*** ***");
}

}  // namespace
}  // namespace sluice::runner
