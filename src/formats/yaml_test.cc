#include "formats/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace sluice::formats {
namespace {

using ::testing::HasSubstr;

YamlNode Parse(std::string_view text) {
  Result<YamlNode> node = ParseYaml(text, {.file = "t.yaml"});
  EXPECT_TRUE(node.ok()) << text << "\n" << (node.ok() ? "" : node.error().ToString());
  return node.ok() ? *node : YamlNode();
}

std::string ErrorOf(std::string_view text, YamlParseOptions options = {}) {
  options.file = "t.yaml";
  Result<YamlNode> node = ParseYaml(text, options);
  return node.ok() ? "parsed: " + PrintJson(node->ToJson()) : node.error().ToString();
}

TEST(Yaml, ScalarsAreTypedByTheCoreSchema) {
  EXPECT_EQ(PrintJson(Parse("[1, -2, +3, 0x1F, 0o17, 007, 1.5, .5, 1., 1e3, true, False, ~, null, "
                            "a, yes, 1_000, 1:30, 0b1, '5', \"true\"]")
                          .ToJson()),
            "[1,-2,3,31,15,7,1.5,0.5,1.0,1000.0,true,false,null,null,\"a\",\"yes\",\"1_000\","
            "\"1:30\",\"0b1\",\"5\",\"true\"]");
  EXPECT_TRUE(std::isnan(*Parse(".nan").AsDouble()));
  EXPECT_EQ(*Parse("-.inf").AsDouble(), -HUGE_VAL);
  EXPECT_EQ(*Parse("1e999").AsDouble(), HUGE_VAL);
  EXPECT_EQ(*Parse("1e-999").AsDouble(), 0.0);
  EXPECT_EQ(*Parse("7").AsDouble(), 7.0);
  EXPECT_EQ(Parse("9223372036854775807").ToJson(), Json(int64_t{INT64_MAX}));
}

TEST(Yaml, EmptyTextIsNothing) {
  EXPECT_TRUE(Parse("").is_null());
  EXPECT_TRUE(Parse("# only a comment\n").is_null());
  EXPECT_TRUE(Parse("---\n").is_null());
}

TEST(Yaml, MappingsKeepOrderAndPositions) {
  YamlNode node = Parse("a: 1\nb:\n  - x\n  - {c: y}\n");
  ASSERT_EQ(node.entries().size(), 2u);
  EXPECT_EQ(node.entries()[1].key.text(), "b");
  const YamlNode& inner = node.Find("b")->items()[1];
  EXPECT_EQ(inner.source().line, 4);
  EXPECT_EQ(inner.source().column, 5);
  EXPECT_EQ(inner.Find("c")->source().column, 9);
  EXPECT_EQ(inner.Find("c")->source().text, "  - {c: y}");
  EXPECT_EQ(node.Find("z"), nullptr);
}

TEST(Yaml, ColumnsCountBytesAndCaretCountsCharacters) {
  YamlNode node = Parse("\xEF\xBB\xBF'\xC3\xA9\xC3\xA9': [\xE2\x82\xAC, x]\r\nb: 1\r\n");
  const YamlNode& x = node.entries()[0].value.items()[1];
  EXPECT_EQ(x.source().column, 15);
  EXPECT_EQ(x.ErrorHere("no").ToString(),
            "t.yaml:1:15: no\n    '\xC3\xA9\xC3\xA9': [\xE2\x82\xAC, x]\n              ^");
  EXPECT_EQ(node.Find("b")->source().line, 2);
}

TEST(Yaml, BlockScalarsAreText) {
  YamlNode node = Parse("run: >\n  python\n  train.py\ntext: |\n  5\n");
  EXPECT_EQ(node.Find("run")->text(), "python train.py\n");
  EXPECT_TRUE(node.Find("text")->is_quoted());
}

TEST(Yaml, TypedReadsNameWhatTheyFound) {
  YamlNode node = Parse("a: yes\nb: '5'\nc: [1]\nd: 99999999999999999999\ne:\n");
  EXPECT_THAT(node.Find("a")->AsBool().error().message(), HasSubstr("found 'yes'; write true"));
  EXPECT_THAT(node.Find("b")->AsInteger().error().message(), HasSubstr("the quoted text '5'"));
  EXPECT_THAT(node.Find("c")->AsDouble().error().message(), HasSubstr("found a list"));
  EXPECT_THAT(node.Find("d")->AsInteger().error().message(), HasSubstr("64 bits"));
  EXPECT_THAT(node.Find("e")->AsString().error().message(), HasSubstr("found nothing"));
}

struct BadCase {
  std::string_view text;
  std::string_view expected;
};

TEST(Yaml, BadTextIsRefusedWhereItStands) {
  const BadCase cases[] = {
      {"a: &x 1\n", "t.yaml:1:4: anchors (&x) are not accepted"},
      {"a: *x\n", "t.yaml:1:4: aliases (*x) are not accepted"},
      {"a: *.csv\n", "a text that begins with '*' must be in quotes"},
      {"a: !!python/object:os.system {}\n",
       "1:4: tags (tag:yaml.org,2002:python/object:os.system)"},
      {"a: !x 1\n", "tags (!x) are not accepted"},
      {"%TAG ! tag:x,2000:\n---\na: 1\n", "%TAG is not accepted"},
      {"a:\n  <<: {b: 1}\n", "2:3: merge keys"},
      {"a: 1\nb: 2\na: 3\n", "3:1: the key 'a' is here twice; it is first on line 1"},
      {"{a: 1, a: 2}", "1:8: the key 'a'"},
      {"? [a]\n: 1\n", "a key must be a plain text"},
      {"[a]: 1\n", "a key must be a plain text"},
      {"{'': 1}\n", "a key is missing before the ':'"},
      {"a: 1\n---\nb: 2\n", "2:1: a second document begins here"},
      {"a:\n\tb: 1\n", "2:1: a tab cannot indent"},
      {"a: b: c\n", "1:5: a ':' may not stand here"},
      {"a: 1\n b: 2\n", "2:3: a ':' may not stand here"},
      {"a: @b\n", "a text cannot begin with '@' here"},
      {"a: [1, 2\n", "expected ',' or ']' here"},
      {"a: 'x\n", "1:4: this quoted text never ends"},
      {"a: \"\\q\"\n", "unknown escape"},
      {"a: b\nc\n", "expected ':' after the key"},
      {"a: \xFF\n", "t.yaml:1:4: byte 0xFF is not UTF-8"},
      {"x: 1\na: \xC0\x80 z\n",
       "2:4: byte 0xC0 is not UTF-8; save the file as UTF-8\n    a: ?? z\n"},
      {"a: \xED\xA0\x80\n", "byte 0xED is not UTF-8"},
      {std::string_view("a: x\0y\n", 7), "1:5: control character 0x00"},
      {"a: \x1B[31m\n", "control character 0x1B"},
      {"\xFF\xFE\x61\x00", "the file is UTF-16"},
  };
  for (const BadCase& bad : cases)
    EXPECT_THAT(ErrorOf(bad.text), HasSubstr(bad.expected)) << bad.text;
}

TEST(Yaml, LimitsHold) {
  EXPECT_THAT(ErrorOf(std::string(100'000, '[')), HasSubstr("1:65: nested deeper than 64 levels"));
  std::string indented;
  for (int i = 0; i < 200; ++i) indented += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(ErrorOf(indented), HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(ErrorOf("[1, 2, 3]", {.max_node_count = 3}), HasSubstr("more than 3 values"));
  EXPECT_THAT(ErrorOf("abcdef", {.max_size_bytes = 5}), HasSubstr("6 bytes are more than the 5"));
}

TEST(Yaml, ManyValuesOnOneLineAreReadInLinearTime) {
  std::string text = "[";
  for (int i = 0; i < 200'000; ++i) text += "a,";
  YamlNode node = Parse(text + "]");
  ASSERT_EQ(node.items().size(), 200'000u);
  EXPECT_EQ(node.items()[199'999].source().column, 400'000);
  EXPECT_EQ(node.items()[0].source().text, "");
}

TEST(Yaml, ManyKeysInOneMappingAreReadInLinearTime) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(Parse(text).entries().size(), 100'000u);
}

}  // namespace
}  // namespace sluice::formats
