#include "formats/filter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice::formats {
namespace {

/// The tree on one line: (metrics|a > 1 AND NOT tags|b IS NULL).
std::string Print(const FilterNode& node) {
  switch (node.kind) {
    case FilterNode::Kind::kNot: return "NOT " + Print(node.children.at(0));
    case FilterNode::Kind::kAnd:
    case FilterNode::Kind::kOr: {
      std::string text;
      for (const FilterNode& child : node.children) {
        if (!text.empty()) text += node.kind == FilterNode::Kind::kAnd ? " AND " : " OR ";
        text += Print(child);
      }
      return "(" + text + ")";
    }
    case FilterNode::Kind::kCondition: break;
  }
  const FilterCondition& condition = node.condition;
  std::string text = condition.key.entity.empty() ? condition.key.name
                                                  : condition.key.entity + "|" + condition.key.name;
  if (condition.key.aggregate != Aggregate::kNone)
    text += fmt::format("#{}", static_cast<int>(condition.key.aggregate));
  text += fmt::format(" {}", ComparatorText(condition.comparator));
  for (const FilterValue& value : condition.values) {
    bool is_text = value.kind == FilterValue::Kind::kText;
    text += is_text             ? fmt::format(" <{}>", value.text)
            : value.is_number() ? fmt::format(" {}", value.number)
                                : fmt::format(" ?{}", value.text);
  }
  return text;
}

std::string Parse(std::string_view text) {
  Result<Filter> filter = ParseFilter(text);
  if (!filter.ok()) return "! " + filter.error().message();
  return filter->root ? Print(*filter->root) : "";
}

struct Case {
  std::string_view text;
  std::string_view tree;
};

// Each of these was given to MLflow 3.18's parser too, which reads it the same way.
TEST(Filter, ReadsWhatMlflowReads) {
  constexpr Case kCases[] = {
      {"", ""},
      {"metrics.a > 1", "metrics|a > 1"},
      {"metrics.a>=1 and  metric.b!=-.5", "(metrics|a >= 1 AND metric|b != -0.5)"},
      {"metrics.a > 5.", "metrics|a > 5"},
      {"metrics.a < 1e-3", "metrics|a < 0.001"},
      {"metrics.1a = 1", "metrics|1a = 1"},
      {"tags.mlflow.source.type = 'x'", "tags|mlflow.source.type = <x>"},
      {"params.`x y`='v'", "params|x y = <v>"},
      {"params.\"x.y\" = \"v\"", "params|x.y = <v>"},
      {"params.'x' = 'y'", "params|x = <y>"},
      {"`metrics`.a > 1", "metrics|a > 1"},
      {"`Run Name` = 'x'", "Run Name = <x>"},
      {"attribute.\"start_time\" > 1", "attribute|start_time > 1"},
      {"params.\xc3\xa9 = 'x'", "params|\xc3\xa9 = <x>"},
      {"tags.order = 'x' AND params.key lIkE '%a_'",
       "(tags|order = <x> AND params|key LIKE <%a_>)"},
      {"tags.a\n=\n\t'x'", "tags|a = <x>"},
      {"tags.a = ''", "tags|a = <>"},
      {"params.a = 'it''s'", "params|a = <it''s>"},
      {"params.a = 'it\\'s'", "params|a = <it\\'s>"},
      {"params.a = 'C:\\dir\\'", "params|a = <C:\\dir\\>"},
      {"params.a = \"it's\"", "params|a = <it's>"},
      {"run_id in ('a\\'b', 'C',)", "run_id IN <a'b> <C>"},
      {"run_id NOT IN (\"a\") and params.x='1'", "(run_id NOT IN <a> AND params|x = <1>)"},
      {"params.a is not null and tags.`b c` IS NULL",
       "(params|a IS NOT NULL AND tags|b c IS NULL)"},
      {"metrics.a > 1 AND", "metrics|a > 1"},
      {"AND metrics.a > 1 AND AND metrics.b > 2", "(metrics|a > 1 AND metrics|b > 2)"},
      {"metrics.a > 1 metrics.b > 2", "(metrics|a > 1 AND metrics|b > 2)"},
      {"metrics.loss.min < 1", "metrics|loss.min < 1"},
      {"params.a = x", "params|a = ?x"},
      {"metrics.a = inf", "metrics|a = ?inf"},
  };
  for (const Case& test : kCases) EXPECT_EQ(Parse(test.text), test.tree) << test.text;
}

TEST(Filter, ReadsMoreThanMlflow) {
  constexpr Case kCases[] = {
      {"  ", ""},
      {"a = 'x' OR b = 'y' AND c = 'z'", "(a = <x> OR (b = <y> AND c = <z>))"},
      {"(a = 'x' OR b = 'y') AND c = 'z'", "((a = <x> OR b = <y>) AND c = <z>)"},
      {"(a = 'x' AND b = 'y') AND c = 'z'", "(a = <x> AND b = <y> AND c = <z>)"},
      {"NOT a = 'x' AND not(b = 'y' or c = 'z')", "(NOT a = <x> AND NOT (b = <y> OR c = <z>))"},
      {"NOT NOT a = 'x'", "NOT NOT a = <x>"},
      {"metrics.a BETWEEN 1 AND 2 AND b = 'x'", "(metrics|a BETWEEN 1 2 AND b = <x>)"},
      {"metrics.a not between -1 and 1e+2", "metrics|a NOT BETWEEN -1 100"},
      {"metrics.a IN (1, 2.5) or params.b in ('x')", "(metrics|a IN 1 2.5 OR params|b IN <x>)"},
      {"tags.a NOT LIKE 'x%' and tags.b not ilike 'y'",
       "(tags|a NOT LIKE <x%> AND tags|b NOT ILIKE <y>)"},
      {"metrics.`loss`.min < 1", "metrics|loss#1 < 1"},
      {"metrics.\"val loss\".best > 0", "metrics|val loss#4 > 0"},
      {"not_a = 'x'", "not_a = <x>"},
      {"tags.and = 'x' or tags.or = 'y'", "(tags|and = <x> OR tags|or = <y>)"},
  };
  for (const Case& test : kCases) EXPECT_EQ(Parse(test.text), test.tree) << test.text;
}

TEST(Filter, ErrorsSayWhereAndWhatWasExpected) {
  constexpr Case kCases[] = {
      {"metrics.a == 1",
       "Invalid comparator '==' not one of '=', '!=', '<', '<=', '>', '>=' (at character 11, near "
       "'== 1')"},
      {"params.a =",
       "Invalid clause(s) in filter string: behind '=' expected a value, but it ends here (at "
       "character 11, the end)"},
      {"params",
       "Invalid clause(s) in filter string: behind 'params' expected =, !=, <, <=, >, >=, LIKE, "
       "ILIKE, IN, BETWEEN or IS, but it ends here (at character 7, the end)"},
      {"tags.a = 'open",
       "the quote ' that opens here is never closed (at character 10, near ''open')"},
      {"1 < metrics.a",
       "expected a key on the left ('Identifier'), found '1' (at character 1, near '1 < "
       "metrics.a')"},
      {"metrics.a-b > 1",
       "Expected 'Identifier' found 'a-': a name with '-' stands in back-ticks, as in "
       "metrics.`a-b` (at character 10, near '-b > 1')"},
      {"(a = 'x'",
       "the parenthesis that opens here is never closed (at character 1, near '(a = 'x'')"},
      {"a = 'x')",
       "expected an end: this parenthesis was never opened, found ')' (at character 8, near ')')"},
      {"run_id in ()",
       "While parsing a list in the query, expected a non-empty list of string values, but got "
       "empty list (at character 12, near ')')"},
      {"metrics.a between 1 or 2",
       "expected AND between the two ends of BETWEEN, found 'or' (at character 21, near 'or 2')"},
      {"params.\xc3\xa9 is 'x'",
       "expected NULL or NOT NULL behind IS, found ''x'' (at character 13, near ''x'')"},
      {"metrics.`a`.mean > 1",
       "expected min, max, last or best behind a quoted name and a dot, found 'mean' (at character "
       "13, near 'mean > 1')"},
      {"a = 'x' OR",
       "expected a key, such as metrics.loss, tags.`a b` or name, but it ends here (at character "
       "11, the end)"},
      {"a = 'x' -- b", "expected AND, OR or the end, found '--' (at character 9, near '-- b')"},
  };
  for (const Case& test : kCases) {
    Result<Filter> filter = ParseFilter(test.text);
    ASSERT_FALSE(filter.ok()) << test.text;
    EXPECT_EQ(filter.error().message(), test.tree);
  }
}

TEST(Filter, LimitsHoldAgainstBombs) {
  std::string deep(100'000, '(');
  EXPECT_NE(Parse(deep).find("at most"), std::string::npos);
  EXPECT_NE(Parse(deep.substr(0, 1000)).find("more than 32 deep"), std::string::npos);
  std::string wide = "a = 'x'";
  for (int i = 0; i < 600; ++i) wide += " OR a = 'x'";
  EXPECT_NE(Parse(wide).find("more than 500 conditions"), std::string::npos);
  std::string list = "a IN ('x'";
  for (int i = 0; i < 6000; ++i) list += ",'x'";
  EXPECT_NE(Parse(list + ")").find("more than 5000 values"), std::string::npos);
}

std::string Check(std::string_view text, FilterEntity entity, FilterValueType type) {
  Filter filter = ParseFilter(text).value();
  Status status = CheckFilterValues(filter, filter.root->condition, entity, type);
  if (status.ok()) return "";
  return status.error().message().substr(0, status.error().message().find(" (at character"));
}

TEST(Filter, ValuesAreCheckedInMlflowsWords) {
  using enum FilterEntity;
  using enum FilterValueType;
  EXPECT_EQ(Check("metrics.a = '1'", kMetric, kNumber),
            "Expected numeric value type for metric. Found '1'");
  EXPECT_EQ(Check("metrics.a LIKE '1'", kMetric, kNumber),
            "Expected numeric value type for metric. Found '1'");
  EXPECT_EQ(Check("metrics.a > inf", kMetric, kNumber),
            "Expected numeric value type for metric. Found inf");
  EXPECT_EQ(Check("start_time = '1'", kAttribute, kNumber),
            "Expected numeric value type for numeric attribute: start_time. Found '1'");
  EXPECT_EQ(Check("params.a = 1", kParam, kText),
            "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1");
  EXPECT_EQ(
      Check("params.a = x", kParam, kText),
      "Parameter value is either not quoted or unidentified quote types used for string value "
      "x. Use either single or double quotes.");
  EXPECT_EQ(Check("params.a > 'x'", kParam, kText),
            "Invalid comparator '>' not one of '{'=', '!=', 'LIKE', 'NOT LIKE', 'ILIKE', 'NOT "
            "ILIKE', 'IN', 'NOT IN', 'IS NULL', 'IS NOT NULL'}'");
  EXPECT_EQ(Check("params.a IN ('x', 1)", kParam, kText),
            "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1");
  EXPECT_EQ(Check("metrics.a IN (1, 2)", kMetric, kNumber), "");
  EXPECT_EQ(Check("tags.a IS NULL", kTag, kText), "");
}

TEST(Filter, EntitiesHaveMlflowsOtherNames) {
  constexpr FilterEntity kAll[] = {FilterEntity::kMetric, FilterEntity::kParam, FilterEntity::kTag,
                                   FilterEntity::kAttribute, FilterEntity::kDataset};
  auto find = [&](std::string_view text) {
    Filter filter = ParseFilter(text).value();
    Result<FilterEntity> entity = FindFilterEntity(filter.text, filter.root->condition.key, kAll);
    return entity.ok() ? std::string(FilterEntityName(*entity)) : entity.error().message();
  };
  EXPECT_EQ(find("parameters.a = 'x'"), "parameter");
  EXPECT_EQ(find("run.a = 'x'"), "attribute");
  EXPECT_EQ(find("a = 'x'"), "attribute");
  EXPECT_EQ(find("datasets.name = 'x'"), "dataset");
  EXPECT_EQ(find("Metrics.a > 1"),
            "Invalid entity type 'Metrics'. Valid values are ['metric', 'parameter', 'tag', "
            "'attribute', 'dataset'] (at character 1, near 'Metrics.a > 1')");
}

TEST(Filter, LikeKnowsPercentAndUnderscoreOnly) {
  auto like = [](std::string_view text, std::string_view pattern) {
    return LikePattern(pattern, false).Matches(text);
  };
  EXPECT_TRUE(like("abc", "a%"));
  EXPECT_TRUE(like("abc", "%b%"));
  EXPECT_TRUE(like("", "%"));
  EXPECT_TRUE(like("a\xc3\xa9z", "a_z"));
  EXPECT_TRUE(like("mississippi", "%iss%pi"));
  EXPECT_TRUE(like("a.c\\", "a.c\\"));
  EXPECT_FALSE(like("abc", "b"));
  EXPECT_FALSE(like("abc", "A%"));
  EXPECT_FALSE(like("axc", "a.c"));
  EXPECT_FALSE(like("", "_"));
  EXPECT_TRUE(LikePattern("A_C%", true).Matches("abcd"));
  EXPECT_EQ(LikePattern("ab%c", false).prefix(), "ab");
  EXPECT_EQ(LikePattern("ab", false).prefix(), "ab");
  // Many stars against a text that nearly matches.
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a%";
  EXPECT_FALSE(like(std::string(50'000, 'a'), pattern + "b"));
}

TEST(Filter, MatchersAgreeWithTheirNegatives) {
  auto text = [](std::string_view filter, std::string_view value) {
    return MatchesText(ParseFilter(filter).value().root->condition, value);
  };
  EXPECT_TRUE(text("a = 'x'", "x"));
  EXPECT_FALSE(text("a != 'x'", "x"));
  EXPECT_TRUE(text("a NOT IN ('x', 'y')", "z"));
  EXPECT_TRUE(text("a ILIKE 'X%'", "xyz"));
  EXPECT_FALSE(text("a NOT LIKE 'x%'", "xyz"));
  auto number = [](std::string_view filter, double value) {
    return MatchesNumber(ParseFilter(filter).value().root->condition, value);
  };
  EXPECT_TRUE(number("a BETWEEN 1 AND 2", 2));
  EXPECT_FALSE(number("a NOT BETWEEN 1 AND 2", 2));
  EXPECT_TRUE(number("a IN (1, 2)", 2));
  EXPECT_TRUE(number("a <= 2", 2));
}

TEST(OrderBy, ReadsMlflowsClauses) {
  auto print = [](std::string_view text) {
    Result<OrderBy> order = ParseOrderBy(text);
    if (!order.ok()) return "! " + order.error().message();
    return fmt::format("{}|{} {}", order->key.entity, order->key.name,
                       order->is_ascending ? "up" : "down");
  };
  EXPECT_EQ(print("metrics.`a b` DESC"), "metrics|a b down");
  EXPECT_EQ(print("start_time"), "|start_time up");
  EXPECT_EQ(print(" start_time  asc "), "|start_time up");
  EXPECT_EQ(print("metrics.\"a b\" desc"), "metrics|a b down");
  EXPECT_EQ(print("tags.a.b"), "tags|a.b up");
  EXPECT_EQ(
      print("metrics.x foo"),
      "! Invalid ordering key in order_by clause 'metrics.x foo'. expected ASC or DESC, found "
      "'foo'.");
  EXPECT_EQ(print("").substr(0, 56), "! Invalid order_by clause ''. Could not be parsed: expec");
  for (std::string_view bad :
       {"metrics.x desc asc", "metrics.a-b", "a, b", "1", "end_time DESC NULLS FIRST"})
    EXPECT_EQ(print(bad).substr(0, 26), "! Invalid order_by clause ") << bad;
}

}  // namespace
}  // namespace sluice::formats
