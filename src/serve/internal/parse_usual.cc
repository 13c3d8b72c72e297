#include <arrow/record_batch.h>

#include <charconv>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "serve/internal/parse_rows.h"
#include "serve/internal/rows_builder.h"

namespace sluice::serve::internal {
namespace {

/// Walks over JSON text. Every method returns false for whatever it does not take, which need not
/// be an error.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool Take(char c) {
    SkipBlanks();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool Peek(char c) {
    SkipBlanks();
    return at_ != end_ && *at_ == c;
  }
  bool IsAtEnd() {
    SkipBlanks();
    return at_ == end_;
  }

  /// Without escapes.
  bool TakeString(std::string_view& out) {
    if (!Take('"')) return false;
    const char* begin = at_;
    bool is_ascii = true;
    while (at_ != end_ && *at_ != '"') {
      const auto byte = static_cast<unsigned char>(*at_);
      if (byte < 0x20 || byte == '\\') return false;
      is_ascii = is_ascii && byte < 0x80;
      ++at_;
    }
    if (at_ == end_) return false;
    out = {begin, static_cast<size_t>(at_ - begin)};
    ++at_;
    return is_ascii || IsUtf8(out);
  }

  bool TakeKey(std::string_view& out) { return TakeString(out) && Take(':'); }

  bool TakeScalar(Cell& cell) {
    SkipBlanks();
    if (at_ == end_) return false;
    switch (*at_) {
      case '"': cell.kind = Cell::Kind::kText; return TakeString(cell.text);
      case 'n': cell.kind = Cell::Kind::kMissing; return TakeWord("null");
      case 't':
        cell.kind = Cell::Kind::kBool;
        cell.boolean = true;
        return TakeWord("true");
      case 'f':
        cell.kind = Cell::Kind::kBool;
        cell.boolean = false;
        return TakeWord("false");
      default: return TakeNumber(cell);
    }
  }

 private:
  void SkipBlanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  bool TakeWord(std::string_view word) {
    if (static_cast<size_t>(end_ - at_) < word.size() ||
        std::string_view(at_, word.size()) != word) {
      return false;
    }
    at_ += word.size();
    return true;
  }

  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

  bool SkipDigits() {
    const char* begin = at_;
    while (at_ != end_ && IsDigit(*at_)) ++at_;
    return at_ != begin;
  }

  /// JSON's grammar, not from_chars's: no leading zeros, digits on both sides of the point. Minus
  /// zero is left to the full parser, and so is what does not fit int64 or double.
  bool TakeNumber(Cell& cell) {
    const char* begin = at_;
    if (*at_ == '-') ++at_;
    if (at_ == end_) return false;
    const bool is_zero_led = *at_ == '0';
    const char* digits = at_;
    if (!SkipDigits() || (is_zero_led && (at_ - digits > 1 || *begin == '-'))) return false;
    bool is_integer = true;
    if (at_ != end_ && *at_ == '.') {
      ++at_;
      is_integer = false;
      if (!SkipDigits()) return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      is_integer = false;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!SkipDigits()) return false;
    }
    if (is_integer) {
      cell.kind = Cell::Kind::kInteger;
      const auto [stop, error] = std::from_chars(begin, at_, cell.integer);
      return error == std::errc() && stop == at_;
    }
    cell.kind = Cell::Kind::kDouble;
    const auto [stop, error] = std::from_chars(begin, at_, cell.number);
    return error == std::errc() && stop == at_;
  }

  const char* at_;
  const char* end_;
};

constexpr size_t kExtra = std::string::npos;

/// Which input each position of a row belongs to, as the first header or record says it.
struct Layout {
  std::vector<std::string_view> names;
  std::vector<size_t> inputs;
  std::vector<bool> is_there;

  /// False for a column that is there twice.
  bool Add(const model::Signature& signature, std::string_view name) {
    is_there.resize(signature.inputs.size());
    const size_t input = signature.FindInput(name).value_or(kExtra);
    if (input != kExtra && is_there[input]) return false;
    if (input != kExtra) is_there[input] = true;
    for (std::string_view other : names) {
      if (other == name) return false;
    }
    names.push_back(name);
    inputs.push_back(input);
    return names.size() <= kColumnCountMax;
  }

  bool IsComplete(const model::Signature& signature) {
    is_there.resize(signature.inputs.size());
    for (const bool one : is_there) {
      if (!one) return false;
    }
    return true;
  }

  static constexpr size_t kColumnCountMax = 1000;  // Add compares each name with all before
};

/// [[1, "a"], [2, "b"]]
bool ReadSplitRows(Scanner& scanner, const Layout& layout, RowsBuilder& builder,
                   int64_t row_count_max, int64_t& row_count) {
  if (!scanner.Take('[')) return false;
  if (scanner.Take(']')) return true;
  Cell cell;
  do {
    if (++row_count > row_count_max || !scanner.Take('[')) return false;
    for (size_t c = 0; c < layout.inputs.size(); ++c) {
      if (c > 0 && !scanner.Take(',')) return false;
      if (!scanner.TakeScalar(cell)) return false;
      if (layout.inputs[c] != kExtra && !builder.Append(layout.inputs[c], cell)) return false;
    }
    if (!scanner.Take(']')) return false;
  } while (scanner.Take(','));
  return scanner.Take(']');
}

bool ReadSplit(Scanner& scanner, const model::Signature& signature, RowsBuilder& builder,
               int64_t row_count_max, int64_t& row_count) {
  std::string_view key;
  if (!scanner.Take('{') || !scanner.TakeKey(key) || key != "columns" || !scanner.Take('[')) {
    return false;
  }
  Layout layout;
  std::string_view name;
  do {
    if (!scanner.TakeString(name) || !layout.Add(signature, name)) return false;
  } while (scanner.Take(','));
  return scanner.Take(']') && layout.IsComplete(signature) && scanner.Take(',') &&
         scanner.TakeKey(key) && key == "data" &&
         ReadSplitRows(scanner, layout, builder, row_count_max, row_count) && scanner.Take('}');
}

bool ReadRecords(Scanner& scanner, const model::Signature& signature, RowsBuilder& builder,
                 int64_t row_count_max, int64_t& row_count) {
  if (!scanner.Take('[') || scanner.Peek(']')) return false;
  Layout layout;
  std::string_view key;
  Cell cell;
  do {
    if (++row_count > row_count_max || !scanner.Take('{')) return false;
    const bool is_first = row_count == 1;
    size_t member_count = 0;
    do {
      if (!scanner.TakeKey(key)) return false;
      if (is_first ? !layout.Add(signature, key)
                   : member_count == layout.names.size() || layout.names[member_count] != key) {
        return false;
      }
      const size_t input = layout.inputs[member_count++];
      if (!scanner.TakeScalar(cell)) return false;
      if (input != kExtra && !builder.Append(input, cell)) return false;
    } while (scanner.Take(','));
    if (!scanner.Take('}') || member_count != layout.names.size()) return false;
    if (is_first && !layout.IsComplete(signature)) return false;
  } while (scanner.Take(','));
  return scanner.Take(']');
}

}  // namespace

std::optional<ParsedRequest> ParseUsualJsonRequest(const model::Signature& signature,
                                                   std::string_view body, int64_t row_count_max) {
  Scanner scanner(body);
  std::string_view format;
  if (!scanner.Take('{') || !scanner.TakeKey(format)) return std::nullopt;
  RowsBuilder builder(signature);
  int64_t row_count = 0;
  const bool is_read = format == "dataframe_split"
                           ? ReadSplit(scanner, signature, builder, row_count_max, row_count)
                           : format == "dataframe_records" &&
                                 ReadRecords(scanner, signature, builder, row_count_max, row_count);
  if (!is_read || !scanner.Take('}') || !scanner.IsAtEnd()) return std::nullopt;
  return ParsedRequest{.rows = builder.Finish(row_count), .wants_probabilities = false};
}

}  // namespace sluice::serve::internal
