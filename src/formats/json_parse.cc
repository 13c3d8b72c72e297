// A recursive-descent parser over one contiguous text. It is ours, and not a library's, for three
// things at once: doubles that are exact to the last bit, errors with line and column, and Python's
// NaN and Infinity, which the clients we must please send
// (docs/internals/decisions/formats-json.md).
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/utf8.h"
#include "formats/json.h"

namespace sluice::formats {

namespace {

class Parser {
 public:
  Parser(std::string_view text, const JsonParseOptions& options) : text_(text), options_(options) {}

  Result<Json> Parse() {
    if (static_cast<int64_t>(text_.size()) > options_.max_size_bytes) {
      return ResourceExhausted(fmt::format("{}: {} bytes of JSON exceed the limit of {}",
                                           options_.file, text_.size(), options_.max_size_bytes));
    }
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    Json value;
    if (SkipBlanks(); !ParseValue(value, 0)) return TakeError();
    SkipBlanks();
    if (at_ < text_.size()) {
      Fail("text after the end of the JSON value");
      return TakeError();
    }
    return value;
  }

 private:
  void SkipBlanks() {
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c != ' ' && c != '\n' && c != '\r' && c != '\t') break;
      ++at_;
    }
  }

  bool Fail(std::string message, ErrorCode code = ErrorCode::kInvalidArgument) {
    return FailAt(at_, std::move(message), code);
  }

  bool FailAt(size_t at, std::string message, ErrorCode code = ErrorCode::kInvalidArgument) {
    size_t line_begin = at == 0 ? 0 : text_.rfind('\n', at - 1) + 1;
    if (at > 0 && text_.rfind('\n', at - 1) == std::string_view::npos) line_begin = 0;
    size_t line_end = std::min(text_.find('\n', at), text_.size());
    Source source;
    source.file = options_.file;
    source.line = 1 + static_cast<int>(
                          std::count(text_.begin(), text_.begin() + static_cast<long>(at), '\n'));
    source.column = static_cast<int>(at - line_begin) + 1;
    constexpr size_t kShownBytes = 400;  // around the place; a one-line document can be gigabytes
    size_t shown_begin = at - line_begin > kShownBytes ? at - kShownBytes : line_begin;
    source.text = text_.substr(shown_begin, std::min(line_end - shown_begin, 2 * kShownBytes));
    if (shown_begin != line_begin) source.text.clear();
    error_ = Error(code, std::move(message)).At(std::move(source));
    return false;
  }

  Error TakeError() { return *std::move(error_); }

  bool ParseValue(Json& out, int depth) {
    if (at_ >= text_.size()) return Fail("the JSON ends too early: a value was expected");
    switch (text_[at_]) {
      case '{': return ParseObject(out, depth);
      case '[': return ParseArray(out, depth);
      case '"': {
        std::string value;
        if (!ParseString(value)) return false;
        out = Json(std::move(value));
        return true;
      }
      case 't': return ParseWord("true", Json(true), out);
      case 'f': return ParseWord("false", Json(false), out);
      case 'n': return ParseWord("null", Json(), out);
      case 'N': return ParseNonFinite("NaN", std::numeric_limits<double>::quiet_NaN(), out);
      case 'I': return ParseNonFinite("Infinity", std::numeric_limits<double>::infinity(), out);
      default: return ParseNumber(out);
    }
  }

  bool ParseWord(std::string_view word, Json value, Json& out) {
    if (text_.substr(at_, word.size()) != word) return Fail("not a JSON value");
    at_ += word.size();
    out = std::move(value);
    return true;
  }

  bool ParseNonFinite(std::string_view word, double value, Json& out) {
    if (text_.substr(at_, word.size()) == word && !options_.allow_nan_and_infinity) {
      return Fail(fmt::format("{} is not JSON", word));
    }
    return ParseWord(word, Json(value), out);
  }

  bool ParseNumber(Json& out) {
    size_t begin = at_;
    auto is_digit = [this](size_t at) {
      return at < text_.size() && text_[at] >= '0' && text_[at] <= '9';
    };
    size_t at = at_;
    if (at < text_.size() && text_[at] == '-') ++at;
    if (at < text_.size() && text_[at] == 'I' && at > begin) {
      at_ = at;
      return ParseNonFinite("Infinity", -std::numeric_limits<double>::infinity(), out);
    }
    if (!is_digit(at)) return Fail("not a JSON value");
    if (text_[at] == '0' && is_digit(at + 1)) return Fail("a JSON number has no leading zeros");
    while (is_digit(at)) ++at;
    bool is_integer = true;
    if (at < text_.size() && text_[at] == '.') {
      is_integer = false;
      if (!is_digit(++at)) return FailAt(at, "a digit must follow the decimal point");
      while (is_digit(at)) ++at;
    }
    if (at < text_.size() && (text_[at] == 'e' || text_[at] == 'E')) {
      is_integer = false;
      ++at;
      if (at < text_.size() && (text_[at] == '+' || text_[at] == '-')) ++at;
      if (!is_digit(at)) return FailAt(at, "a digit must follow the exponent sign");
      while (is_digit(at)) ++at;
    }
    const char* first = text_.data() + begin;
    const char* last = text_.data() + at;
    at_ = at;
    if (is_integer) {
      int64_t value = 0;
      if (std::from_chars(first, last, value).ec == std::errc()) {
        out = Json(value);
        return true;
      }
    }
    double value = 0;
    std::from_chars_result parsed = std::from_chars(first, last, value);
    if (parsed.ec == std::errc::result_out_of_range) {
      // As strtod: too large becomes infinity, too small zero. JSON cannot hold the first.
      value = std::strtod(std::string(first, last).c_str(), nullptr);
      if (std::isinf(value) && !options_.allow_nan_and_infinity) {
        return FailAt(begin, "the number does not fit a double");
      }
    }
    out = Json(value);
    return true;
  }

  bool ParseString(std::string& out) {
    size_t opening = at_++;
    for (;;) {
      size_t begin = at_;
      while (at_ < text_.size() && IsPlain(text_[at_])) ++at_;
      out.append(text_.substr(begin, at_ - begin));
      if (at_ >= text_.size()) return FailAt(opening, "the string that begins here does not end");
      auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!ParseEscape(out)) return false;
      } else if (c < 0x20) {
        return Fail(fmt::format(
            "control character 0x{:02x} in a string must be written as \\u{:04x}", c, c));
      } else if (!CopyUtf8(out)) {
        return false;
      }
    }
  }

  static bool IsPlain(char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
  }

  /// Copies one sequence of two to four bytes, refusing overlong forms, surrogates and values above
  /// U+10FFFF.
  bool CopyUtf8(std::string& out) {
    const size_t size = Utf8CharacterSize(text_.substr(at_));
    if (size == 0) {
      return Fail(
          fmt::format("byte 0x{:02x} is not valid UTF-8", static_cast<unsigned char>(text_[at_])));
    }
    out.append(text_.substr(at_, size));
    at_ += size;
    return true;
  }

  bool ParseHex4(unsigned& out) {
    out = 0;
    if (at_ + 4 > text_.size()) return Fail("four hexadecimal digits must follow \\u");
    for (int i = 0; i < 4; ++i, ++at_) {
      char c = text_[at_];
      int digit = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
      if (digit < 0) return Fail("four hexadecimal digits must follow \\u");
      out = out * 16 + static_cast<unsigned>(digit);
    }
    return true;
  }

  bool ParseEscape(std::string& out) {
    size_t begin = at_;
    char c = ++at_ < text_.size() ? text_[at_] : '\0';
    ++at_;
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (size_t index = kNames.find(c); index != std::string_view::npos) {
      out += kValues[index];
      return true;
    }
    if (c != 'u') return FailAt(begin, "unknown escape in a string");
    unsigned code = 0;
    if (!ParseHex4(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      size_t second = at_;
      at_ += 2;
      unsigned low = 0;
      if (!ParseHex4(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      } else {
        at_ = second;  // the second escape stands for itself
      }
    }
    if (code >= 0xD800 && code < 0xE000) code = 0xFFFD;  // a lone surrogate has no UTF-8 form
    AppendUtf8(code, out);
    return true;
  }

  static void AppendUtf8(unsigned code, std::string& out) {
    auto tail = [](unsigned value) { return static_cast<char>(0x80 | (value & 0x3F)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += {static_cast<char>(0xC0 | (code >> 6)), tail(code)};
    } else if (code < 0x10000) {
      out += {static_cast<char>(0xE0 | (code >> 12)), tail(code >> 6), tail(code)};
    } else {
      out +=
          {static_cast<char>(0xF0 | (code >> 18)), tail(code >> 12), tail(code >> 6), tail(code)};
    }
  }

  bool CheckDepth(int depth) {
    if (depth < options_.max_depth) return true;
    return Fail(fmt::format("JSON is nested deeper than the limit of {}", options_.max_depth),
                ErrorCode::kResourceExhausted);
  }

  bool ParseArray(Json& out, int depth) {
    if (!CheckDepth(depth)) return false;
    ++at_;
    Json::Array items;
    SkipBlanks();
    if (at_ < text_.size() && text_[at_] == ']') {
      ++at_;
      out = Json(std::move(items));
      return true;
    }
    for (;;) {
      SkipBlanks();
      if (!ParseValue(items.emplace_back(), depth + 1)) return false;
      SkipBlanks();
      if (at_ >= text_.size()) return Fail("the JSON ends inside an array");
      if (text_[at_] == ']') break;
      if (text_[at_] != ',') return Fail("expected ',' or ']' in an array");
      ++at_;
    }
    ++at_;
    out = Json(std::move(items));
    return true;
  }

  bool ParseObject(Json& out, int depth) {
    if (!CheckDepth(depth)) return false;
    ++at_;
    Json::Object members;
    SkipBlanks();
    if (at_ < text_.size() && text_[at_] == '}') {
      ++at_;
      out = Json(std::move(members));
      return true;
    }
    for (;;) {
      SkipBlanks();
      if (at_ >= text_.size() || text_[at_] != '"')
        return Fail("expected a member name in double quotes");
      Json::Member& member = members.emplace_back();
      if (!ParseString(member.first)) return false;
      SkipBlanks();
      if (at_ >= text_.size() || text_[at_] != ':') return Fail("expected ':' after a member name");
      ++at_;
      SkipBlanks();
      if (!ParseValue(member.second, depth + 1)) return false;
      SkipBlanks();
      if (at_ >= text_.size()) return Fail("the JSON ends inside an object");
      if (text_[at_] == '}') break;
      if (text_[at_] != ',') return Fail("expected ',' or '}' in an object");
      ++at_;
    }
    ++at_;
    out = Json(std::move(members));
    return true;
  }

  const std::string_view text_;
  const JsonParseOptions& options_;
  size_t at_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<Json> ParseJson(std::string_view text, const JsonParseOptions& options) {
  return Parser(text, options).Parse();
}

}  // namespace sluice::formats
