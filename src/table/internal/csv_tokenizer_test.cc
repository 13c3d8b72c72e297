#include "table/internal/csv_tokenizer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace sluice::table::internal {
namespace {

/// The rules once more, as plainly as possible: a list of rows of raw fields.
std::vector<std::vector<std::string>> ReadPlainly(std::string_view text, const CsvSyntax& syntax) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string field;
  bool is_quoted = false;
  bool is_behind_quote = false;
  auto is_begin = [&] {
    return field.find_first_not_of(syntax.trim_blanks ? " \t" : "") == std::string::npos;
  };
  for (char c : text) {
    if (is_quoted) {
      field += c;
      if (c == *syntax.quote) {
        is_quoted = false;
        is_behind_quote = true;
      }
      continue;
    }
    if (c == syntax.delimiter || c == syntax.line_end) {
      row.push_back(std::move(field));
      field.clear();
      if (c == syntax.line_end) {
        rows.push_back(std::move(row));
        row.clear();
      }
    } else {
      bool opens = syntax.quote && c == *syntax.quote && (is_behind_quote || is_begin());
      field += c;
      is_quoted = opens;
    }
    is_behind_quote = false;
  }
  if (!is_quoted && (!field.empty() || !row.empty())) {
    row.push_back(std::move(field));
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Regions one after the other, as chunks of `chunk_bytes`.
std::vector<std::vector<std::string>> ReadInRegions(std::string_view text, const CsvSyntax& syntax,
                                                    size_t chunk_bytes) {
  std::vector<std::vector<std::string>> rows;
  CsvTokens tokens;
  for (size_t begin = 0; begin < text.size();) {
    size_t range_end = (begin / chunk_bytes + 1) * chunk_bytes;
    CsvRegion region{.text = text.substr(begin),
                     .wanted_bytes = std::min(range_end, text.size()) - begin,
                     .max_row_bytes = text.size() + 1};
    TokenizeEnd end = TokenizeCsv(region, syntax, tokens);
    size_t field = 0;
    size_t field_begin = begin;
    for (uint32_t field_limit : tokens.row_field_counts) {
      std::vector<std::string>& row = rows.emplace_back();
      for (; field < field_limit; ++field) {
        size_t field_end = begin + tokens.field_ends[field];
        row.emplace_back(text.substr(field_begin, field_end - field_begin));
        field_begin = field_end + 1;
      }
    }
    if (end != TokenizeEnd::kComplete) break;
    begin += tokens.size_bytes;
  }
  return rows;
}

std::string RandomText(Random& random, size_t size) {
  static constexpr std::string_view kCalm = "abcdefghijklmnopqrstuvwxyz,\n";
  static constexpr std::string_view kWild = "a,\"\n\" b\"\"";
  std::string text;
  bool is_wild = false;
  while (text.size() < size) {
    if (random.NextBelow(30) == 0) is_wild = !is_wild;
    std::string_view alphabet = is_wild ? kWild : kCalm;
    text += alphabet[random.NextBelow(alphabet.size())];
  }
  return text;
}

TEST(CsvTokenizerTest, AgreesWithPlainRulesOnRandomText) {
  Random random(11);
  for (int i = 0; i < 4000; ++i) {
    CsvSyntax syntax;
    syntax.trim_blanks = random.NextBelow(4) == 0;
    std::string text = RandomText(random, 1 + random.NextBelow(400));
    size_t chunk_bytes = 1 + random.NextBelow(200);
    ASSERT_EQ(ReadInRegions(text, syntax, chunk_bytes), ReadPlainly(text, syntax))
        << "case " << i << "\n"
        << text;
  }
}

TEST(CsvTokenizerTest, StateMachineAndMasksAgree) {
  Random random(12);
  for (int i = 0; i < 2000; ++i) {
    std::string text = RandomText(random, 1 + random.NextBelow(600));
    CsvSyntax fast;
    CsvSyntax slow;
    slow.comment_prefix = "\x01 never there";
    ASSERT_EQ(ReadInRegions(text, fast, text.size()), ReadInRegions(text, slow, text.size()))
        << text;
    CsvTokens fast_tokens;
    CsvTokens slow_tokens;
    CsvRegion region{.text = text, .wanted_bytes = text.size(), .max_row_bytes = 10'000};
    TokenizeCsv(region, fast, fast_tokens);
    TokenizeCsv(region, slow, slow_tokens);
    ASSERT_EQ(fast_tokens.broken_quotes, slow_tokens.broken_quotes) << text;
  }
}

TEST(CsvTokenizerTest, FindsTheOpenQuote) {
  CsvSyntax syntax;
  EXPECT_EQ(FindOpenQuote("a,\"b\",\"c,d", syntax), 6u);
  EXPECT_EQ(FindOpenQuote("a,b\"c", syntax), std::nullopt);
  EXPECT_EQ(FindOpenQuote("\"a\"\"", syntax), 0u);
  EXPECT_EQ(FindOpenQuote("", syntax), std::nullopt);
}

TEST(CsvTokenizerTest, UnwrapsFields) {
  auto unwrap = [](std::string_view text, const CsvSyntax& syntax) {
    std::string scratch;
    CsvField field = UnwrapField(text.data(), text.data() + text.size(), syntax, scratch);
    return fmt::format("{}{}", field.is_quoted ? "Q:" : "", field.text);
  };
  CsvSyntax plain;
  EXPECT_EQ(unwrap("\"a\"\"b\"", plain), "Q:a\"b");
  EXPECT_EQ(unwrap("\"\"", plain), "Q:");
  EXPECT_EQ(unwrap(" a ", plain), " a ");
  CsvSyntax trimmed;
  trimmed.trim_blanks = true;
  EXPECT_EQ(unwrap("\t\"a \" ", trimmed), "Q:a ");
  EXPECT_EQ(unwrap("  a ", trimmed), "a");
  CsvSyntax escaped;
  escaped.escape = '\\';
  EXPECT_EQ(unwrap("\"a\\\"b\\\\\"", escaped), "Q:a\"b\\");
}

}  // namespace
}  // namespace sluice::table::internal
