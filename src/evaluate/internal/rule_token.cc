#include "evaluate/internal/rule_token.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

namespace sluice::evaluate::internal {

namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

Token Bad(size_t at, std::string message) {
  return {.kind = TokenKind::kBad, .text = std::move(message), .number = 0, .begin = at, .end = at};
}

Token ReadName(std::string_view rule, size_t begin) {
  size_t end = begin;
  while (end < rule.size() && (IsNameStart(rule[end]) || IsDigit(rule[end]))) ++end;
  return {TokenKind::kName, std::string(rule.substr(begin, end - begin)), 0, begin, end};
}

Token ReadNumber(std::string_view rule, size_t begin) {
  double value = 0;
  auto [stop, error] = std::from_chars(rule.data() + begin, rule.data() + rule.size(), value);
  if (error != std::errc()) return Bad(begin, "this number is out of range");
  size_t end = static_cast<size_t>(stop - rule.data());
  if (end < rule.size() && rule[end] == '%') {
    value /= 100;
    ++end;
  }
  if (end < rule.size() && (IsNameStart(rule[end]) || rule[end] == '.')) {
    return Bad(begin, "this is not a number");
  }
  return {TokenKind::kNumber, "", value, begin, end};
}

Token ReadText(std::string_view rule, size_t begin) {
  std::string content;
  size_t at = begin + 1;
  while (at < rule.size() && rule[at] != rule[begin]) {
    if (rule[at] == '\\' && at + 1 < rule.size()) ++at;
    content += rule[at++];
  }
  if (at >= rule.size()) return Bad(begin, "this quote is never closed");
  return {TokenKind::kText, std::move(content), 0, begin, at + 1};
}

Token ReadSign(std::string_view rule, size_t begin) {
  static constexpr std::string_view kSigns[] = {">=", "<=", "==", "!=", ">", "<", "+",
                                                "-",  "*",  "/",  "(",  ")", ",", "."};
  for (std::string_view sign : kSigns) {
    if (!rule.substr(begin).starts_with(sign)) continue;
    return {TokenKind::kSign, std::string(sign), 0, begin, begin + sign.size()};
  }
  if (rule.substr(begin).starts_with("=>")) return Bad(begin, "write >= for 'at least'");
  if (rule.substr(begin).starts_with("=<")) return Bad(begin, "write <= for 'at most'");
  return Bad(begin, rule[begin] == '=' ? "write == to compare"
                                       : fmt::format("unexpected character '{}'", rule[begin]));
}

}  // namespace

Token ReadToken(std::string_view rule, size_t from) {
  size_t begin = from;
  while (begin < rule.size() && (rule[begin] == ' ' || rule[begin] == '\t')) ++begin;
  if (begin == rule.size()) return {TokenKind::kEnd, "", 0, begin, begin};
  char c = rule[begin];
  if (IsNameStart(c)) return ReadName(rule, begin);
  if (IsDigit(c) || (c == '.' && begin + 1 < rule.size() && IsDigit(rule[begin + 1]))) {
    return ReadNumber(rule, begin);
  }
  if (c == '"' || c == '\'') return ReadText(rule, begin);
  return ReadSign(rule, begin);
}

}  // namespace sluice::evaluate::internal
