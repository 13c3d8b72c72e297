// ParseFilter and ParseOrderBy. By hand and without tokens in between: what a piece of text is
// (name, number, keyword) depends on where it stands, since a key may be called "order" or "1a".
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/ascii.h"
#include "formats/filter.h"

namespace sluice::formats {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsQuote(char c) { return c == '`' || c == '"' || c == '\''; }

/// The end (past the closing quote) of the quoted text that begins at `begin`, or nothing.
std::optional<size_t> FindQuoteEnd(std::string_view text, size_t begin) {
  const char quote = text[begin];
  std::optional<size_t> fallback;  // the last quote that was taken for a part of the text
  for (size_t i = begin + 1; i < text.size(); ++i) {
    bool is_escape = quote != '`' && text[i] == '\\' && i + 1 < text.size() && text[i + 1] == quote;
    if (is_escape) {
      fallback = i + 2;
      ++i;
    } else if (text[i] == quote) {
      if (i + 1 == text.size() || text[i + 1] != quote) return i + 1;
      fallback = i + 1;
      ++i;
    }
  }
  return fallback;
}

/// As Python reads the few escapes one meets in a list.
std::string UndoEscapes(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    switch (next) {
      case '\\':
      case '\'':
      case '"': result += next; break;
      case 'n': result += '\n'; break;
      case 'r': result += '\r'; break;
      case 't': result += '\t'; break;
      default: result += text[i]; continue;
    }
    ++i;
  }
  return result;
}

/// A number as MLflow writes them, and nothing else: -1, 2.5, .5, 5., 1e-3, 1.5E+3.
std::optional<FilterValue> ParseNumber(std::string_view text) {
  size_t i = text.starts_with('-') ? 1 : 0;
  size_t digit_count = 0;
  auto skip_digits = [&] {
    size_t begin = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    return i - begin;
  };
  digit_count = skip_digits();
  bool is_integer = true;
  if (i < text.size() && text[i] == '.') {
    ++i;
    is_integer = false;
    digit_count += skip_digits();
  }
  if (digit_count == 0) return std::nullopt;
  if (i < text.size() && ToLower(text[i]) == 'e') {
    ++i;
    is_integer = false;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (skip_digits() == 0) return std::nullopt;
  }
  if (i != text.size()) return std::nullopt;

  FilterValue value{.kind = is_integer ? FilterValue::Kind::kInteger : FilterValue::Kind::kDecimal,
                    .text = std::string(text)};
  const char* end = text.data() + text.size();
  auto [parsed, error] = std::from_chars(text.data(), end, value.number);
  if (error == std::errc::result_out_of_range) {
    // Too small or too large: the exponent's sign tells, or the mere length of the number.
    bool is_small = text.find("e-") != text.npos || text.find("E-") != text.npos;
    value.number = is_small ? 0 : std::numeric_limits<double>::infinity();
    if (text.starts_with('-')) value.number = -value.number;
  }
  if (is_integer) {
    using Limits = std::numeric_limits<int64_t>;
    auto [stop, range] = std::from_chars(text.data(), end, value.integer);
    if (range == std::errc::result_out_of_range)
      value.integer = text.starts_with('-') ? Limits::min() : Limits::max();
  }
  return value;
}

/// A name with or without its entity, shared by filters and order clauses.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  size_t position() const { return at_; }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool AtEnd() const { return at_ == text_.size(); }
  void SkipSpace() {
    while (!AtEnd() && IsSpace(text_[at_])) ++at_;
  }
  bool TakeChar(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// The word that stands here, not taken.
  std::string_view PeekWord() const {
    size_t end = at_;
    while (end < text_.size() && IsWord(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  /// `upper` and the blanks behind it.
  bool TakeKeyword(std::string_view upper) {
    std::string_view word = PeekWord();
    if (!EqualsIgnoringCase(word, upper)) return false;
    at_ += word.size();
    SkipSpace();
    return true;
  }
  /// A keyword, and not a key that is spelt like one ("not.x", "and = 1" is nobody's filter).
  bool AtKeyword(std::string_view upper) const {
    std::string_view word = PeekWord();
    if (!EqualsIgnoringCase(word, upper)) return false;
    size_t end = at_ + word.size();
    return end == text_.size() || text_[end] != '.';
  }
  /// Up to a blank, a parenthesis or a comma; at least one byte.
  std::string_view TakeLump() {
    size_t begin = at_;
    while (!AtEnd() && !IsSpace(Peek()) &&
           std::string_view("(),").find(Peek()) == std::string::npos)
      ++at_;
    if (at_ == begin && !AtEnd()) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::string_view TakeSymbols(std::string_view symbols) {
    size_t begin = at_;
    while (!AtEnd() && symbols.find(Peek()) != std::string_view::npos) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  Error Fail(size_t position, std::string_view message) const {
    return FilterError(text_, position, message);
  }

  /// What stands between quotes, which begin here.
  Result<std::string_view> TakeQuoted() {
    std::optional<size_t> end = FindQuoteEnd(text_, at_);
    if (!end) {
      return Fail(at_, fmt::format("the quote {} that opens here is never closed", Peek()));
    }
    std::string_view inner = text_.substr(at_ + 1, *end - at_ - 2);
    at_ = *end;
    return inner;
  }

  Result<FilterKey> TakeKey() {
    FilterKey key;
    key.position = at_;
    if (IsQuote(Peek())) {
      char quote = Peek();
      ASSIGN_OR_RETURN(std::string_view first, TakeQuoted());
      if (Peek() != '.' || quote != '`') {
        key.name = first;
        key.is_quoted = true;
        return CheckedKey(std::move(key));
      }
      key.entity = first;
      ++at_;
    } else {
      std::string_view first = PeekWord();
      if (first.empty())
        return Fail(at_, Expected("a key, such as metrics.loss, tags.`a b` or name"));
      at_ += first.size();
      if (Peek() != '.') {
        key.name = first;
        return CheckedKey(std::move(key));
      }
      key.entity = first;
      ++at_;
    }
    if (IsQuote(Peek())) {
      ASSIGN_OR_RETURN(key.name, TakeQuoted());
      key.is_quoted = true;
      if (TakeChar('.')) {
        std::string_view word = PeekWord();
        key.aggregate = SplitAggregate(fmt::format("x.{}", word)).aggregate;
        if (key.aggregate == Aggregate::kNone)
          return Fail(at_, Expected("min, max, last or best behind a quoted name and a dot"));
        at_ += word.size();
      }
      return CheckedKey(std::move(key));
    }
    size_t begin = at_;
    while (!AtEnd() && (IsWord(Peek()) || Peek() == '.')) ++at_;
    key.name = text_.substr(begin, at_ - begin);
    return CheckedKey(std::move(key));
  }

  /// "expected X, found 'y'".
  std::string Expected(std::string_view what) {
    size_t begin = at_;
    std::string found(AtEnd() ? std::string_view() : TakeLump());
    at_ = begin;
    return found.empty() ? fmt::format("expected {}, but it ends here", what)
                         : fmt::format("expected {}, found '{}'", what, found.substr(0, 40));
  }

 private:
  Result<FilterKey> CheckedKey(FilterKey key) {
    if (key.name.empty() && !key.is_quoted)
      return Fail(at_, Expected(fmt::format("a key behind '{}.'", key.entity)));
    // What stands at once behind a plain name would belong to it if that were allowed.
    bool is_cut = !key.is_quoted &&
                  std::string_view("-/:$@#+%&|^").find(Peek()) != std::string::npos && !AtEnd();
    if (is_cut) {
      return Fail(at_, fmt::format("Expected 'Identifier' found '{}{}': a name with '{}' stands in "
                                   "back-ticks, as in metrics.`a{}b`",
                                   key.name, Peek(), Peek(), Peek()));
    }
    return key;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : in_(text) {}

  Result<std::shared_ptr<const FilterNode>> Parse() {
    in_.SkipSpace();
    if (in_.AtEnd()) return std::shared_ptr<const FilterNode>();
    ASSIGN_OR_RETURN(FilterNode root, ParseOr(0));
    if (!in_.AtEnd()) {
      return in_.Fail(in_.position(),
                      in_.Expected(in_.Peek() == ')' ? "an end: this parenthesis was never opened"
                                                     : "AND, OR or the end"));
    }
    return std::make_shared<const FilterNode>(std::move(root));
  }

 private:
  Result<FilterNode> ParseOr(size_t depth) {
    std::vector<FilterNode> children;
    do {
      ASSIGN_OR_RETURN(FilterNode child, ParseAnd(depth));
      children.push_back(std::move(child));
    } while (in_.AtKeyword("OR") && in_.TakeKeyword("OR"));
    return Joined(FilterNode::Kind::kOr, std::move(children));
  }

  Result<FilterNode> ParseAnd(size_t depth) {
    std::vector<FilterNode> children;
    while (in_.AtKeyword("AND") && in_.TakeKeyword("AND")) {
    }
    for (;;) {
      ASSIGN_OR_RETURN(FilterNode child, ParseNot(depth));
      children.push_back(std::move(child));
      bool has_and = false;
      while (in_.AtKeyword("AND") && in_.TakeKeyword("AND")) has_and = true;
      bool is_over = in_.AtEnd() || in_.Peek() == ')' || (!has_and && in_.AtKeyword("OR"));
      if (is_over) return Joined(FilterNode::Kind::kAnd, std::move(children));
      if (!has_and && !IsWord(in_.Peek()) && in_.Peek() != '`') {
        return in_.Fail(in_.position(), in_.Expected("AND, OR or the end"));
      }
    }
  }

  Result<FilterNode> ParseNot(size_t depth) {
    if (depth >= FilterLimits::kDepth) {
      return in_.Fail(in_.position(), fmt::format("parentheses and NOTs are more than {} deep",
                                                  FilterLimits::kDepth));
    }
    if (in_.AtKeyword("NOT") && in_.TakeKeyword("NOT")) {
      ASSIGN_OR_RETURN(FilterNode child, ParseNot(depth + 1));
      FilterNode node{.kind = FilterNode::Kind::kNot, .condition = {}, .children = {}};
      node.children.push_back(std::move(child));
      return node;
    }
    size_t opened_at = in_.position();
    if (in_.TakeChar('(')) {
      in_.SkipSpace();
      ASSIGN_OR_RETURN(FilterNode inner, ParseOr(depth + 1));
      if (!in_.TakeChar(')')) {
        if (in_.AtEnd())
          return in_.Fail(opened_at, "the parenthesis that opens here is never closed");
        return in_.Fail(in_.position(), in_.Expected("AND, OR or ')'"));
      }
      in_.SkipSpace();
      return inner;
    }
    ASSIGN_OR_RETURN(FilterCondition condition, ParseCondition());
    return FilterNode{FilterNode::Kind::kCondition, std::move(condition), {}};
  }

  Result<FilterCondition> ParseCondition() {
    if (++condition_count_ > FilterLimits::kConditions) {
      return in_.Fail(in_.position(),
                      fmt::format("more than {} conditions", FilterLimits::kConditions));
    }
    FilterCondition condition;
    if (IsDigit(in_.Peek()) || in_.Peek() == '-') {
      return in_.Fail(in_.position(), in_.Expected("a key on the left ('Identifier')"));
    }
    ASSIGN_OR_RETURN(condition.key, in_.TakeKey());
    in_.SkipSpace();
    condition.position = in_.position();
    ASSIGN_OR_RETURN(condition.comparator, ParseComparator(condition.key));
    RETURN_IF_ERROR(ParseValues(condition));
    in_.SkipSpace();
    return condition;
  }

  Result<Comparator> ParseComparator(const FilterKey& key) {
    const size_t begin = in_.position();
    std::string_view symbols = in_.TakeSymbols("<>=~!");
    if (!symbols.empty()) {
      in_.SkipSpace();
      for (Comparator comparator :
           {Comparator::kEqual, Comparator::kNotEqual, Comparator::kLess, Comparator::kLessOrEqual,
            Comparator::kGreater, Comparator::kGreaterOrEqual}) {
        if (ComparatorText(comparator) == symbols) return comparator;
      }
      return in_.Fail(begin, fmt::format("Invalid comparator '{}' not one of '=', '!=', '<', '<=', "
                                         "'>', '>='",
                                         symbols));
    }
    if (in_.TakeKeyword("IS")) {
      bool is_not = in_.TakeKeyword("NOT");
      if (in_.TakeKeyword("NULL")) return is_not ? Comparator::kIsNotNull : Comparator::kIsNull;
      return in_.Fail(in_.position(), in_.Expected("NULL or NOT NULL behind IS"));
    }
    bool is_not = in_.TakeKeyword("NOT");
    if (in_.TakeKeyword("LIKE")) return is_not ? Comparator::kNotLike : Comparator::kLike;
    if (in_.TakeKeyword("ILIKE")) return is_not ? Comparator::kNotILike : Comparator::kILike;
    if (in_.TakeKeyword("IN")) return is_not ? Comparator::kNotIn : Comparator::kIn;
    if (in_.TakeKeyword("BETWEEN")) return is_not ? Comparator::kNotBetween : Comparator::kBetween;
    return in_.Fail(
        in_.position(),
        fmt::format("Invalid clause(s) in filter string: behind '{}' {}", key.name,
                    in_.Expected(is_not ? "LIKE, ILIKE, IN or BETWEEN"
                                        : "=, !=, <, <=, >, >=, LIKE, ILIKE, IN, BETWEEN or IS")));
  }

  Status ParseValues(FilterCondition& condition) {
    switch (condition.comparator) {
      case Comparator::kIsNull:
      case Comparator::kIsNotNull: return Ok();
      case Comparator::kIn:
      case Comparator::kNotIn: return ParseList(condition);
      case Comparator::kBetween:
      case Comparator::kNotBetween: {
        RETURN_IF_ERROR(ParseValue(condition, false));
        in_.SkipSpace();
        if (!in_.TakeKeyword("AND"))
          return in_.Fail(in_.position(), in_.Expected("AND between the two ends of BETWEEN"));
        return ParseValue(condition, false);
      }
      default: return ParseValue(condition, false);
    }
  }

  Status ParseList(FilterCondition& condition) {
    if (!in_.TakeChar('('))
      return in_.Fail(in_.position(), in_.Expected("a list in parentheses behind IN"));
    in_.SkipSpace();
    if (in_.Peek() == ')') {
      return in_.Fail(in_.position(),
                      "While parsing a list in the query, expected a non-empty list of string "
                      "values, but got empty list");
    }
    while (in_.Peek() != ')') {
      RETURN_IF_ERROR(ParseValue(condition, true));
      in_.SkipSpace();
      if (in_.TakeChar(',')) {
        in_.SkipSpace();
      } else if (in_.Peek() != ')') {
        return in_.Fail(in_.position(),
                        "While parsing a list in the query, expected a non-empty list of string "
                        "values, but got ill-formed list: " +
                            in_.Expected("',' or ')'"));
      }
      if (++list_value_count_ > FilterLimits::kListValues) {
        return in_.Fail(in_.position(),
                        fmt::format("more than {} values in lists", FilterLimits::kListValues));
      }
    }
    in_.TakeChar(')');
    return Ok();
  }

  Status ParseValue(FilterCondition& condition, bool is_in_list) {
    FilterValue value;
    value.position = in_.position();
    char first = in_.Peek();
    if (in_.AtEnd() || first == ')' || first == '(' || first == ',') {
      return in_.Fail(value.position,
                      fmt::format("Invalid clause(s) in filter string: behind '{}' {}",
                                  ComparatorText(condition.comparator), in_.Expected("a value")));
    }
    if (first == '\'' || first == '"') {
      ASSIGN_OR_RETURN(std::string_view text, in_.TakeQuoted());
      value.kind = FilterValue::Kind::kText;
      value.text = is_in_list ? UndoEscapes(text) : std::string(text);
      if (IsWord(in_.Peek()) && !in_.AtEnd())
        return in_.Fail(in_.position(), in_.Expected("a blank behind the quoted text"));
    } else {
      std::string_view lump = in_.TakeLump();
      if (std::optional<FilterValue> number = ParseNumber(lump)) {
        number->position = value.position;
        value = *std::move(number);
      } else {
        value.text = lump;
      }
    }
    condition.values.push_back(std::move(value));
    return Ok();
  }

  static FilterNode Joined(FilterNode::Kind kind, std::vector<FilterNode> children) {
    if (children.size() == 1) return std::move(children.front());
    FilterNode node{.kind = kind, .condition = {}, .children = {}};
    for (FilterNode& child : children) {
      // (a AND b) AND c is one conjunction of three.
      if (child.kind == kind) {
        for (FilterNode& grandchild : child.children)
          node.children.push_back(std::move(grandchild));
      } else {
        node.children.push_back(std::move(child));
      }
    }
    return node;
  }

  Scanner in_;
  size_t condition_count_ = 0;
  size_t list_value_count_ = 0;
};

}  // namespace

Result<Filter> ParseFilter(std::string_view text) {
  if (text.size() > FilterLimits::kSizeBytes) {
    return InvalidArgument(fmt::format("the filter has {} bytes; at most {} are taken", text.size(),
                                       FilterLimits::kSizeBytes));
  }
  ASSIGN_OR_RETURN(std::shared_ptr<const FilterNode> root, Parser(text).Parse());
  return Filter{std::string(text), std::move(root)};
}

Result<OrderBy> ParseOrderBy(std::string_view text) {
  auto fail = [&](std::string_view why) {
    return InvalidArgument(fmt::format("Invalid order_by clause '{}'. Could not be parsed: {}.",
                                       text.substr(0, 300), why));
  };
  if (text.size() > FilterLimits::kSizeBytes) return fail("it is too long");
  Scanner in(text);
  in.SkipSpace();
  if (in.AtEnd()) return fail("expected a key, such as metrics.loss or start_time");
  if (IsDigit(in.Peek())) return fail("a key does not begin with a digit");
  OrderBy order{.text = std::string(text), .key = {}};
  Result<FilterKey> key = in.TakeKey();
  if (!key.ok()) return fail(key.error().message());
  order.key = *std::move(key);
  if (!in.AtEnd() && !IsSpace(in.Peek())) return fail(in.Expected("a blank, or the end"));
  in.SkipSpace();
  if (in.AtEnd()) return order;
  if (in.TakeKeyword("DESC")) {
    order.is_ascending = false;
  } else if (!in.TakeKeyword("ASC")) {
    return InvalidArgument(fmt::format("Invalid ordering key in order_by clause '{}'. {}.",
                                       text.substr(0, 300), in.Expected("ASC or DESC")));
  }
  if (!in.AtEnd()) return fail(in.Expected("nothing more"));
  return order;
}

}  // namespace sluice::formats
