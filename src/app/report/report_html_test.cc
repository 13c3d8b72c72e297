// What the page's bytes promise. How it draws itself is tests/ui/test_report_page.py.
#include "app/report/report_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/sha256.h"

namespace sluice::app {
namespace {

using formats::Json;
using ::testing::HasSubstr;
using ::testing::Not;

/// The text between the first `open` and the next `close`.
std::string Between(const std::string& text, std::string_view open, std::string_view close) {
  size_t begin = text.find(open);
  if (begin == std::string::npos) return "";
  begin += open.size();
  return text.substr(begin, text.find(close, begin) - begin);
}

Json DataOf(const std::string& page) {
  return formats::ParseJson(
             Between(page, R"(<script type="application/json" id="data">)", "</script>"))
      .value();
}

constexpr std::string_view kHostile =
    "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> {{script}} & \" ' \u2028";

TEST(RenderReportHtmlTest, EmptyInputsMakeAPage) {
  std::string page = RenderReportHtml({}).value();
  EXPECT_THAT(page, ::testing::StartsWith("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("<title>pipeline · Sluice report</title>"));
  EXPECT_EQ(DataOf(page).At("evaluations").size(), 0u);
  EXPECT_EQ(page, RenderReportHtml({}).value());
}

TEST(RenderReportHtmlTest, HostileTextStaysText) {
  ReportInputs inputs;
  inputs.run = Json::MakeObject({{"pipeline", kHostile}, {std::string(kHostile), 1}});
  inputs.profiles.push_back({std::string(kHostile), Json::MakeObject({{"name", kHostile}})});
  inputs.next_commands.emplace_back(kHostile);
  std::string page = RenderReportHtml(inputs).value();
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
  size_t script_count = 0;
  for (size_t at = page.find("<script"); at != std::string::npos;
       at = page.find("<script", at + 1)) {
    ++script_count;
  }
  EXPECT_EQ(script_count, 2u);
  Json data = DataOf(page);
  EXPECT_EQ(data.At("run").At("pipeline").AsString(), kHostile);
  EXPECT_EQ(data.At("profiles").At(0).At("name").AsString(), kHostile);
  EXPECT_EQ(data.At("next_commands").At(0).AsString(), kHostile);
}

TEST(RenderReportHtmlTest, PolicyAllowsOnlyThePagesOwnScriptAndStyle) {
  std::string page = RenderReportHtml({}).value();
  std::string policy = Between(page, "Content-Security-Policy\" content=\"", "\"");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
  EXPECT_THAT(policy, Not(HasSubstr("http")));
  std::string style = Between(page, "<style>", "</style>");
  ASSERT_FALSE(style.empty());
  std::string hex = ComputeSha256(style).ToHex();
  std::string base64 = Between(policy, "style-src 'sha256-", "'");
  ASSERT_EQ(base64.size(), 44u);
  EXPECT_EQ(base64.back(), '=');
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits;
  for (char c : base64.substr(0, 43)) {
    size_t digit = kDigits.find(c);
    for (int bit = 5; bit >= 0; --bit) bits += (digit >> bit & 1) != 0 ? '1' : '0';
  }
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(std::stoi(bits.substr(4 * i, 4), nullptr, 2),
              std::stoi(hex.substr(i, 1), nullptr, 16));
  }
}

TEST(RenderReportHtmlTest, NothingIsFetched) {
  std::string page = RenderReportHtml({}).value();
  for (std::string_view word : {"src=\"http", "href=\"http", "@import", "url(http", "fetch(",
                                "XMLHttpRequest", "innerHTML", "insertAdjacentHTML", "eval("}) {
    EXPECT_THAT(page, Not(HasSubstr(word)));
  }
}

TEST(RenderReportHtmlTest, UndefinedNumbersAreNull) {
  ReportInputs inputs;
  inputs.evaluations.push_back({"report", Json::MakeObject({{"value", NAN}, {"top", INFINITY}})});
  Json content = DataOf(RenderReportHtml(inputs).value()).At("evaluations").At(0).At("content");
  EXPECT_TRUE(content.At("value").is_null());
  EXPECT_TRUE(content.At("top").is_null());
}

TEST(RenderReportHtmlTest, TooMuchDataIsAnError) {
  ReportInputs inputs;
  inputs.next_commands.emplace_back(kMaxReportBytes, 'x');
  Result<std::string> page = RenderReportHtml(inputs);
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().code(), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace sluice::app
