#include "app/cli/command.h"

#include <gtest/gtest.h>

#include <set>

namespace sluice::app {
namespace {

Command MakeExample() {
  return {.name = "example",
          .summary = "an example",
          .details = "",
          .positionals = {{"STEP", "the step"}, {"MORE", "more of them", false, true}},
          .options = {{"param", 'p', "NAME=VALUE", "a parameter", true},
                      {"jobs", 'j', "N", "how many"},
                      {"force", '\0', "", "a flag"},
                      {"port", '\0', "PORT", "with a default", false, "5000"}},
          .run = nullptr};
}

Result<Arguments> Parse(const std::vector<std::string>& words) {
  return ParseArguments(MakeExample(), words);
}

TEST(ParseArgumentsTest, TakesOptionsInEveryForm) {
  Result<Arguments> arguments =
      Parse({"model", "-p", "a=1", "--param=b=2", "--jobs", "4", "--force", "--", "--x"});
  ASSERT_TRUE(arguments.ok()) << arguments.error().ToString();
  EXPECT_EQ(arguments->GetAll("param"), (std::vector<std::string>{"a=1", "b=2"}));
  EXPECT_EQ(*arguments->GetInteger("jobs", 1, 1, 10), 4);
  EXPECT_TRUE(arguments->Has("force"));
  EXPECT_EQ(arguments->Get("port"), "5000");
  EXPECT_FALSE(arguments->Has("port"));
  EXPECT_EQ(arguments->positionals(), (std::vector<std::string>{"model", "--x"}));
}

TEST(ParseArgumentsTest, NamesWhatIsWrong) {
  auto error_of = [](const std::vector<std::string>& words) {
    Result<Arguments> arguments = Parse(words);
    return arguments.ok() ? std::string("no error") : arguments.error().message();
  };
  EXPECT_NE(error_of({"m", "--parm", "x"}).find("did you mean '--param'"), std::string::npos);
  EXPECT_NE(error_of({"m", "--jobs"}).find("--jobs needs a value"), std::string::npos);
  EXPECT_NE(error_of({"m", "--force=yes"}).find("takes no value"), std::string::npos);
  EXPECT_NE(error_of({"m", "-j", "1", "-j", "2"}).find("given twice"), std::string::npos);
  EXPECT_NE(error_of({}).find("needs STEP"), std::string::npos);
  Result<Arguments> arguments = Parse({"m", "--jobs", "4x"});
  EXPECT_FALSE(arguments->GetInteger("jobs", 1, 1, 10).ok());
  EXPECT_FALSE(Parse({"m", "--jobs", "11"})->GetInteger("jobs", 1, 1, 10).ok());
}

TEST(ParseArgumentsTest, HelpNeedsNothingElse) {
  Result<Arguments> arguments = Parse({"--help"});
  ASSERT_TRUE(arguments.ok());
  EXPECT_TRUE(arguments->Has("help"));
}

TEST(CommandsTest, TheTableIsWellFormed) {
  std::set<std::string_view> names;
  for (const Command& command : Commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_NE(command.run, nullptr) << command.name;
    EXPECT_FALSE(command.summary.empty()) << command.name;
    std::set<char> short_names;
    for (const CliOption& option : command.options) {
      EXPECT_FALSE(option.help.empty()) << command.name << " --" << option.name;
      if (option.short_name != '\0') {
        EXPECT_TRUE(short_names.insert(option.short_name).second)
            << command.name << " -" << option.short_name;
      }
    }
    EXPECT_NE(PrintHelp(command).find(command.summary), std::string::npos);
  }
}

TEST(CommandsTest, AShortNameOfItsOwnHidesTheGlobalOne) {
  for (const Command& command : Commands()) {
    if (command.name != "server") continue;
    const std::string help = PrintHelp(command);
    EXPECT_NE(help.find("-h, --host"), std::string::npos);
    EXPECT_EQ(help.find("-h, --help"), std::string::npos);
    EXPECT_NE(help.find("--help"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::app
