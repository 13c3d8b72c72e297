#include "sql/internal/script.h"

#include <algorithm>
#include <cctype>

namespace sluice::sql::internal {
namespace {

bool IsWordCharacter(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

std::string Upper(std::string_view word) {
  std::string upper(word);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

/// Where the token at `at` ends: a comment, quoted text, a word, or one character.
size_t TokenEnd(std::string_view text, size_t at) {
  auto behind = [&](std::string_view closing, size_t from) {
    size_t end = text.find(closing, from);
    return end == std::string_view::npos ? text.size() : end + closing.size();
  };
  std::string_view rest = text.substr(at);
  if (rest.starts_with("--")) return behind("\n", at);
  if (rest.starts_with("/*")) return behind("*/", at + 2);
  if (rest[0] == '\'' || rest[0] == '"') return behind(rest.substr(0, 1), at + 1);
  if (rest[0] == '$') {
    size_t tag = 1;
    while (tag < rest.size() && IsWordCharacter(rest[tag])) ++tag;
    if (tag < rest.size() && rest[tag] == '$') return behind(rest.substr(0, tag + 1), at + tag + 1);
  }
  if (!IsWordCharacter(rest[0])) return at + 1;
  size_t end = at;
  while (end < text.size() && IsWordCharacter(text[end])) ++end;
  return end;
}

}  // namespace

std::string ScriptFor(std::string_view engine, std::string_view text) {
  std::string open = "/*" + std::string(engine);
  std::string result(text);
  size_t at = 0;
  while ((at = result.find(open, at)) != std::string::npos) {
    size_t end = result.find("*/", at);
    if (end == std::string::npos) break;
    result.replace(end, 2, "  ");
    result.replace(at, open.size(), std::string(open.size(), ' '));
  }
  return result;
}

std::string WithBytewiseText(std::string_view script) {
  std::string result;
  int word_count = 0;  // of the statement, up to 2
  std::string first_word;
  std::string last_word;
  bool is_of_table = false;
  for (size_t at = 0; at < script.size();) {
    size_t end = TokenEnd(script, at);
    std::string_view token = script.substr(at, end - at);
    at = end;
    result += token;
    if (token == ";") {
      word_count = 0;
      is_of_table = false;
    }
    if (!IsWordCharacter(token[0])) continue;
    std::string word = Upper(token);
    if (++word_count == 1) first_word = word;
    if (word_count == 2)
      is_of_table = word == "TABLE" && (first_word == "CREATE" || first_word == "ALTER");
    if (is_of_table && word == "TEXT" && last_word != "AS") result += " COLLATE \"C\"";
    last_word = std::move(word);
  }
  return result;
}

}  // namespace sluice::sql::internal
