#include "pipeline/internal/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/template.h"

namespace sluice::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Split(std::string_view line) {
  std::optional<CommandLineError> error;
  std::vector<std::string> words = SplitCommandLine(line, &error);
  EXPECT_FALSE(error.has_value()) << (error ? error->message : "");
  return words;
}

std::string ErrorOf(std::string_view line) {
  std::optional<CommandLineError> error;
  std::vector<std::string> words = SplitCommandLine(line, &error);
  EXPECT_TRUE(words.empty());
  return error ? std::to_string(error->offset) + ": " + error->message : "";
}

// What dash makes of the same lines (printf '<%s>\n' ...).
TEST(CommandLine, SplitsAsAShellDoes) {
  EXPECT_THAT(Split("a b  c\t d"), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(Split("a 'b  c' \"d e\""), ElementsAre("a", "b  c", "d e"));
  EXPECT_THAT(Split("a'b'\"c\"d"), ElementsAre("abcd"));
  EXPECT_THAT(Split("'' \"\" x"), ElementsAre("", "", "x"));
  EXPECT_THAT(Split(R"(a\ b \"q\" '\' "\\ \" \$ \x")"),
              ElementsAre("a b", "\"q\"", "\\", "\\ \" $ \\x"));
  EXPECT_THAT(Split("a \\\n b"), ElementsAre("a", "b"));
  EXPECT_THAT(Split("--re=^a$ *.csv ~ #no ${params.x} {a,b} a=b"),
              ElementsAre("--re=^a$", "*.csv", "~", "#no", "${params.x}", "{a,b}", "a=b"));
  EXPECT_THAT(Split("  a \n"), ElementsAre("a"));
  EXPECT_THAT(Split(""), ElementsAre());
}

TEST(CommandLine, WhatNeedsAShellSaysSo) {
  EXPECT_THAT(ErrorOf("a | b"), HasSubstr("2: '|' means something to a shell only"));
  for (const char* line : {"a; b", "a && b", "a > b", "a < b", "a $(b)", "a `b`", "(a)", "a &"}) {
    EXPECT_THAT(ErrorOf(line), HasSubstr("shell: true")) << line;
  }
  EXPECT_THAT(Split("a '|' \\; \"(b)\""), ElementsAre("a", "|", ";", "(b)"));
  EXPECT_THAT(ErrorOf("a\nb"), HasSubstr("1: a command is one line"));
  EXPECT_THAT(ErrorOf("a 'b"), HasSubstr("2: this quote is never closed"));
  EXPECT_THAT(ErrorOf("a \"b\\\""), HasSubstr("2: this quote is never closed"));
  EXPECT_THAT(ErrorOf("a \\"), HasSubstr("2: the command ends with a backslash"));
}

TEST(Template, PiecesAndEscapes) {
  std::optional<TemplateError> error;
  Template parsed = ParseTemplate("a${params.x}b$${c}${seed}$", &error);
  ASSERT_FALSE(error);
  ASSERT_EQ(parsed.pieces.size(), 5u);
  EXPECT_EQ(parsed.pieces[1].text, "x");
  EXPECT_EQ(parsed.pieces[1].offset, 1u);
  EXPECT_EQ(parsed.pieces[2].text, "b${c}");
  EXPECT_EQ(parsed.pieces[3].kind, Piece::Kind::kSeed);
  EXPECT_EQ(parsed.pieces[4].text, "$");
  EXPECT_TRUE(ParseTemplate("${inputs.x}", &error).is_whole_reference());
  EXPECT_FALSE(ParseTemplate("$${inputs.x}", &error).has_references());
  EXPECT_EQ(EscapeTemplate("a${b}$"), "a$${b}$");
  for (const char* bad :
       {"${", "${}", "${x}", "${params.}", "${params.a b}", "${env.HOME}", "${params.x"}) {
    error.reset();
    (void)ParseTemplate(bad, &error);
    EXPECT_TRUE(error.has_value()) << bad;
  }
}

}  // namespace
}  // namespace sluice::pipeline
