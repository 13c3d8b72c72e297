#include "table/internal/json_line.h"

#include <fmt/format.h>

#include <cstring>

#include "base/ascii.h"
#include "table/internal/utf8.h"

namespace sluice::table::internal {

namespace {

constexpr int kMaxDepth = 64;

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

/// The four hex digits at `at`, -1 if they are none.
int32_t HexUnit(std::string_view text, size_t at) {
  if (at + 4 > text.size()) return -1;
  int32_t unit = 0;
  for (size_t i = at; i < at + 4; ++i) {
    int digit = HexValue(text[i]);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

class LineParser {
 public:
  explicit LineParser(std::string_view line) : line_(line) {}

  std::optional<JsonProblem> Run(std::vector<JsonMember>& members) {
    SkipBlanks();
    if (Peek() != '{') return Fail("expected an object, '{...}'");
    if (!TakeObject(0, &members)) return std::move(problem_);
    SkipBlanks();
    if (at_ < line_.size()) return Fail("text behind the object; each line holds one object");
    return std::nullopt;
  }

 private:
  char Peek() const { return at_ < line_.size() ? line_[at_] : '\0'; }
  void SkipBlanks() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t' || line_[at_] == '\r'))
      ++at_;
  }
  JsonProblem Fail(std::string reason) const { return {at_, std::move(reason)}; }
  bool Refuse(std::string reason) {
    problem_ = Fail(std::move(reason));
    return false;
  }

  /// At '{'. Members go to `members` if it is there.
  bool TakeObject(int depth, std::vector<JsonMember>* members) {
    ++at_;
    SkipBlanks();
    if (Peek() == '}') {
      ++at_;
      return true;
    }
    for (;;) {
      SkipBlanks();
      if (Peek() != '"')
        return Refuse(at_ < line_.size() ? "expected a key in double quotes"
                                         : "the object is not closed");
      JsonCell key;
      if (!TakeString(key)) return false;
      SkipBlanks();
      if (Peek() != ':') return Refuse("expected ':' behind the key");
      ++at_;
      JsonCell value;
      if (!TakeValue(depth, value)) return false;
      if (members != nullptr) {
        members->push_back({.key_has_escapes = key.has_escapes, .key = key.text, .value = value});
      }
      SkipBlanks();
      char next = Peek();
      if (next != ',' && next != '}') {
        return Refuse(at_ < line_.size() ? "expected ',' or '}'" : "the object is not closed");
      }
      ++at_;
      if (next == '}') return true;
    }
  }

  bool TakeArray(int depth) {
    ++at_;
    SkipBlanks();
    if (Peek() == ']') {
      ++at_;
      return true;
    }
    for (;;) {
      JsonCell ignored;
      if (!TakeValue(depth, ignored)) return false;
      SkipBlanks();
      char next = Peek();
      if (next != ',' && next != ']')
        return Refuse(at_ < line_.size() ? "expected ',' or ']'" : "the array is not closed");
      ++at_;
      if (next == ']') return true;
    }
  }

  bool TakeValue(int depth, JsonCell& value) {
    SkipBlanks();
    size_t begin = at_;
    switch (Peek()) {
      case '"': return TakeString(value);
      case '{':
      case '[': {
        if (depth >= kMaxDepth)
          return Refuse(fmt::format("nested deeper than {} levels", kMaxDepth));
        bool is_object = Peek() == '{';
        if (!(is_object ? TakeObject(depth + 1, nullptr) : TakeArray(depth + 1))) return false;
        value = {.kind = JsonKind::kNested,
                 .has_escapes = false,
                 .text = line_.substr(begin, at_ - begin)};
        return true;
      }
      case 't': return TakeWord("true", JsonKind::kTrue, value);
      case 'f': return TakeWord("false", JsonKind::kFalse, value);
      case 'n': return TakeWord("null", JsonKind::kNull, value);
      case 'N':
        return TakeWord("NaN", JsonKind::kNull, value);  // Python writes it for a missing number
      default: return TakeNumber(value);
    }
  }

  bool TakeWord(std::string_view word, JsonKind kind, JsonCell& value) {
    if (!line_.substr(at_).starts_with(word)) return Refuse("expected a value");
    value = {.kind = kind, .has_escapes = false, .text = line_.substr(at_, word.size())};
    at_ += word.size();
    return true;
  }

  bool TakeDigits() {
    if (!IsDigit(Peek())) return false;
    while (IsDigit(Peek())) ++at_;
    return true;
  }

  bool TakeNumber(JsonCell& value) {
    size_t begin = at_;
    if (Peek() == '-') ++at_;
    bool has_leading_zero = Peek() == '0';
    size_t first = at_;
    if (!TakeDigits()) {
      at_ = begin;
      return Refuse(at_ < line_.size() ? "expected a value" : "the line ends before the value");
    }
    if (has_leading_zero && at_ - first > 1) {
      at_ = first;
      return Refuse("a number cannot begin with zeros; codes are strings");
    }
    if (Peek() == '.') {
      ++at_;
      if (!TakeDigits()) return Refuse("expected digits behind the decimal point");
    }
    if ((Peek() | 0x20) == 'e') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (!TakeDigits()) return Refuse("expected digits in the exponent");
    }
    value = {
        .kind = JsonKind::kNumber, .has_escapes = false, .text = line_.substr(begin, at_ - begin)};
    return true;
  }

  bool TakeString(JsonCell& value) {
    size_t begin = ++at_;
    bool has_escapes = false;
    for (; at_ < line_.size(); ++at_) {
      char c = line_[at_];
      if (c == '"') {
        value = {.kind = JsonKind::kString,
                 .has_escapes = has_escapes,
                 .text = line_.substr(begin, at_ - begin)};
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20)
        return Refuse("a control character in a string must be escaped");
      if (c == '\\') {
        has_escapes = true;
        if (!TakeEscape()) return false;
      }
    }
    at_ = begin - 1;
    return Refuse("the string is not closed");
  }

  /// At a backslash; ends at the escape's last character.
  bool TakeEscape() {
    char kind = at_ + 1 < line_.size() ? line_[at_ + 1] : '\0';
    if (kind != '\0' && std::strchr("\"\\/bfnrt", kind) != nullptr) {
      ++at_;
      return true;
    }
    if (kind != 'u') return Refuse("unknown escape in a string");
    int32_t unit = HexUnit(line_, at_ + 2);
    if (unit < 0) return Refuse("'\\u' needs four hexadecimal digits");
    if (unit >= 0xD800 && unit < 0xE000) {
      bool has_low = unit < 0xDC00 && line_.substr(at_ + 6).starts_with("\\u");
      int32_t low = has_low ? HexUnit(line_, at_ + 8) : -1;
      if (low < 0xDC00 || low >= 0xE000) return Refuse("half of a surrogate pair in a string");
      at_ += 6;
    }
    at_ += 5;
    return true;
  }

  const std::string_view line_;
  size_t at_ = 0;
  std::optional<JsonProblem> problem_;
};

}  // namespace

std::optional<JsonProblem> ParseJsonLine(std::string_view line, std::vector<JsonMember>& members) {
  return LineParser(line).Run(members);
}

void UnescapeJson(std::string_view text, std::string& out) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    switch (text[++at]) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': {
        auto unit = static_cast<char32_t>(HexUnit(text, at + 1));
        at += 4;
        if (unit >= 0xD800 && unit < 0xDC00) {
          auto low = static_cast<char32_t>(HexUnit(text, at + 3));
          unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
          at += 6;
        }
        AppendUtf8(unit, out);
        break;
      }
      default: out += text[at];
    }
  }
}

}  // namespace sluice::table::internal
