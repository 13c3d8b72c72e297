#include "table/internal/csv_tokenizer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "table/internal/parse_number.h"

namespace sluice::table::internal {

namespace {

constexpr size_t kBatchBlocks = 64;  // 4 KiB of text: text and masks stay in the first-level cache

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

/// std::popcount is a call into a library on processors this old that the compiler must reckon
/// with.
unsigned CountBits(uint64_t bits) {
  bits -= bits >> 1 & 0x5555555555555555;
  bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
  bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F;
  return static_cast<unsigned>(bits * 0x0101010101010101 >> 56);
}

enum class State : uint8_t {
  kRowBegin,
  kFieldBegin,
  kUnquoted,
  kQuoted,
  kQuotedEscape,
  kBehindQuote,
  kComment
};

/// `text` without blanks at both ends; a delimiter that is a blank is not in it.
std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

class Tokenizer {
 public:
  Tokenizer(const CsvRegion& region, const CsvSyntax& syntax, CsvTokens& tokens)
      : text_(region.text), region_(region), syntax_(syntax), tokens_(tokens) {}

  TokenizeEnd Run() {
    tokens_.Clear();
    size_t position = 0;
    bool is_complete = text_.empty();
    while (!is_complete && position < text_.size()) {
      size_t batch_bytes = std::min(text_.size() - position, kBatchBlocks * kBlockBytes);
      tokens_.Reserve(batch_bytes + kBlockBytes);
      ScanBatch(position, batch_bytes);
      position += batch_bytes;
      if (position >= region_.wanted_bytes) is_complete = CutBehindWanted();
      if (!is_complete && position - row_begin_ > region_.max_row_bytes) {
        return DropOpenRow(TokenizeEnd::kTooLong);
      }
    }
    if (!is_complete) {
      if (state_ == State::kQuoted || state_ == State::kQuotedEscape) {
        return DropOpenRow(TokenizeEnd::kOpenQuote);
      }
      if (row_begin_ < text_.size()) {  // the last line has no line end
        tokens_.Reserve(1);
        AddFieldEnd(text_.size());
        AddRowEnd(text_.size());
      }
    }
    tokens_.size_bytes = row_begin_;
    return CutAtLongRow(TokenizeEnd::kComplete);
  }

 private:
  void AddFieldEnd(size_t position) {
    tokens_.field_ends[tokens_.field_count++] = static_cast<uint32_t>(position);
  }

  /// After AddFieldEnd(position).
  void AddRowEnd(size_t position) {
    tokens_.row_field_counts.push_back(static_cast<uint32_t>(tokens_.field_count));
    row_begin_ = std::min(position + 1, text_.size());
  }

  /// Removes what was found behind the first row that ends the region. False: it does not end yet.
  bool CutBehindWanted() {
    std::vector<uint32_t>& rows = tokens_.row_field_counts;
    auto end_of_row = [&](uint32_t field_count) { return tokens_.field_ends[field_count - 1]; };
    auto last = std::partition_point(rows.begin(), rows.end(), [&](uint32_t field_count) {
      return end_of_row(field_count) + size_t{1} < region_.wanted_bytes;
    });
    if (last == rows.end()) return false;
    tokens_.field_count = *last;
    row_begin_ = end_of_row(*last) + size_t{1};
    rows.erase(last + 1, rows.end());
    while (!tokens_.broken_quotes.empty() && tokens_.broken_quotes.back() >= row_begin_)
      tokens_.broken_quotes.pop_back();
    return true;
  }

  /// A closed row may be too long all the same: whether the loop notices depends on where batches
  /// end. Without one, `end`.
  TokenizeEnd CutAtLongRow(TokenizeEnd end_without) {
    if (row_begin_ <= region_.max_row_bytes) return end_without;
    size_t begin = 0;
    uint32_t field_count = 0;
    for (size_t row = 0; row < tokens_.row_field_counts.size(); ++row) {
      size_t end = tokens_.field_ends[tokens_.row_field_counts[row] - 1];
      if (end - begin > region_.max_row_bytes) {
        tokens_.row_field_counts.resize(row);
        tokens_.field_count = field_count;
        tokens_.size_bytes = begin;
        return TokenizeEnd::kTooLong;
      }
      field_count = tokens_.row_field_counts[row];
      begin = end + 1;
    }
    return end_without;
  }

  TokenizeEnd DropOpenRow(TokenizeEnd end) {
    tokens_.field_count = tokens_.row_field_counts.empty() ? 0 : tokens_.row_field_counts.back();
    tokens_.size_bytes = row_begin_;
    return CutAtLongRow(end);
  }

  void ScanBatch(size_t position, size_t size) {
    if (syntax_.NeedsStateMachine()) {
      ScanTraits(position, size);
      ScanBytes(position, position + size);
      return;
    }
    BlockCharacters characters{syntax_.delimiter, syntax_.line_end,
                               syntax_.quote.value_or(syntax_.line_end)};
    size_t block_count = size / kBlockBytes;
    BlockMasks masks[kBatchBlocks + 1];
    ClassifyBlocks(text_.data() + position, block_count, characters, masks, tokens_.traits);
    if (size_t rest = size % kBlockBytes; rest != 0) {
      char padded[kBlockBytes];
      std::memset(padded, ' ', sizeof padded);
      std::memcpy(padded, text_.data() + position + block_count * kBlockBytes, rest);
      ClassifyBlocks(padded, 1, characters, &masks[block_count], tokens_.traits);
      uint64_t valid = (uint64_t{1} << rest) - 1;  // a blank may be the delimiter
      masks[block_count].delimiters &= valid;
      masks[block_count].line_ends &= valid;
      masks[block_count].quotes &= valid;
      ++block_count;
    }
    for (size_t block = 0; block < block_count; ++block) {
      if (!syntax_.quote) masks[block].quotes = 0;
      ScanBlock(position + block * kBlockBytes, masks[block]);
    }
  }

  void ScanTraits(size_t position, size_t size) {
    for (char c : text_.substr(position, size)) {
      tokens_.traits.has_non_ascii |= (static_cast<unsigned char>(c) & 0x80) != 0;
      tokens_.traits.has_nul |= c == '\0';
    }
  }

  void ScanBlock(size_t position, const BlockMasks& masks) {
    uint64_t structural = masks.delimiters | masks.line_ends;
    bool is_inside = state_ == State::kQuoted;
    bool is_behind_quote = state_ == State::kBehindQuote;
    if (masks.quotes == 0 && !is_behind_quote) {
      if (is_inside) return;
    } else {
      uint64_t inside = PrefixXor(masks.quotes) ^ (is_inside ? ~uint64_t{0} : 0);
      uint64_t opening = masks.quotes & inside;
      uint64_t closing = masks.quotes & ~inside;
      structural &= ~inside;
      bool is_field_begin = state_ == State::kFieldBegin || state_ == State::kRowBegin;
      uint64_t may_open =
          (structural << 1) | (closing << 1) | uint64_t{is_field_begin || is_behind_quote};
      if ((opening & ~may_open) != 0) {
        ScanBytes(position, std::min(position + kBlockBytes, text_.size()));
        return;
      }
      uint64_t behind_quote = (closing << 1) | uint64_t{is_behind_quote};
      NoteTextBehindQuotes(position, behind_quote & ~structural & ~opening);
      is_inside = (inside >> 63) != 0;
      is_behind_quote = (closing >> 63) != 0;
    }
    state_ = is_inside                 ? State::kQuoted
             : is_behind_quote         ? State::kBehindQuote
             : (structural >> 63) != 0 ? State::kFieldBegin
                                       : State::kUnquoted;
    Emit(position, structural, masks.line_ends & structural);
  }

  /// Field ends for each bit; eight at a time without asking, for a block rarely has more.
  void Emit(size_t position, uint64_t structural, uint64_t line_ends) {
    uint32_t* out = tokens_.field_ends.get() + tokens_.field_count;
    auto base = static_cast<uint32_t>(position);
    size_t count = CountBits(structural);
    uint64_t rest = structural;
    for (size_t i = 0; i < 8; ++i) {
      out[i] = base + static_cast<uint32_t>(std::countr_zero(rest));
      rest &= rest - 1;
    }
    for (size_t i = 8; i < count; ++i) {
      out[i] = base + static_cast<uint32_t>(std::countr_zero(rest));
      rest &= rest - 1;
    }
    for (; line_ends != 0; line_ends &= line_ends - 1) {
      uint64_t up_to = line_ends ^ (line_ends - 1);  // the lowest line end and all bits below
      size_t fields = tokens_.field_count + CountBits(structural & up_to);
      tokens_.row_field_counts.push_back(static_cast<uint32_t>(fields));
      row_begin_ = position + static_cast<size_t>(std::countr_zero(line_ends)) + 1;
    }
    tokens_.field_count += count;
  }

  static uint64_t PrefixXor(uint64_t bits) {
    for (unsigned shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
  }

  void NoteTextBehindQuotes(size_t position, uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      size_t at = position + static_cast<size_t>(std::countr_zero(bits));
      if (at < text_.size() && !EndsField(at))
        tokens_.broken_quotes.push_back(static_cast<uint32_t>(at));
    }
  }

  /// Whether a field that was closed right before `at` ends there, allowing "\r\n" and blanks that
  /// are trimmed.
  bool EndsField(size_t at) const {
    if (syntax_.trim_blanks) {
      while (at < text_.size() && IsBlank(text_[at]) && text_[at] != syntax_.delimiter) ++at;
    }
    if (at < text_.size() && text_[at] == '\r' && syntax_.line_end == '\n') ++at;
    return at >= text_.size() || text_[at] == syntax_.delimiter || text_[at] == syntax_.line_end;
  }

  /// With trimming, the blanks before `position` may lead back to where the field begins.
  bool IsFieldBeginBefore(size_t position) const {
    while (position > 0 && IsBlank(text_[position - 1]) && text_[position - 1] != syntax_.delimiter)
      --position;
    return position == 0 || text_[position - 1] == syntax_.delimiter ||
           text_[position - 1] == syntax_.line_end;
  }

  void ScanBytes(size_t begin, size_t end) {
    if (syntax_.trim_blanks && state_ == State::kUnquoted && IsFieldBeginBefore(begin))
      state_ = State::kFieldBegin;
    for (size_t at = begin; at < end; ++at) ScanByte(at, text_[at]);
    if (!syntax_.NeedsStateMachine() && state_ == State::kRowBegin) state_ = State::kFieldBegin;
  }

  void ScanByte(size_t at, char c) {
    switch (state_) {
      case State::kComment:
        if (c == syntax_.line_end) EndField(at, c);
        return;
      case State::kQuotedEscape: state_ = State::kQuoted; return;
      case State::kQuoted:
        if (syntax_.escape && c == *syntax_.escape) {
          state_ = State::kQuotedEscape;
        } else if (c == *syntax_.quote) {
          state_ = State::kBehindQuote;
        }
        return;
      case State::kRowBegin:
        if (!syntax_.comment_prefix.empty() &&
            text_.substr(at).starts_with(syntax_.comment_prefix)) {
          state_ = State::kComment;
          return;
        }
        [[fallthrough]];
      case State::kFieldBegin:
        if (c == syntax_.delimiter || c == syntax_.line_end) {
          EndField(at, c);
        } else if (syntax_.quote && c == *syntax_.quote) {
          state_ = State::kQuoted;
        } else {
          state_ = syntax_.trim_blanks && IsBlank(c) ? State::kFieldBegin : State::kUnquoted;
        }
        return;
      case State::kUnquoted:
        if (c == syntax_.delimiter || c == syntax_.line_end) EndField(at, c);
        return;
      case State::kBehindQuote:
        if (c == syntax_.delimiter || c == syntax_.line_end) {
          EndField(at, c);
        } else if (c == *syntax_.quote) {
          state_ = State::kQuoted;
        } else {
          if (!EndsField(at)) tokens_.broken_quotes.push_back(static_cast<uint32_t>(at));
          state_ = State::kUnquoted;
        }
        return;
    }
  }

  void EndField(size_t at, char c) {
    AddFieldEnd(at);
    state_ = State::kFieldBegin;
    if (c == syntax_.line_end) {
      AddRowEnd(at);
      state_ = State::kRowBegin;
    }
  }

  const std::string_view text_;
  const CsvRegion& region_;
  const CsvSyntax& syntax_;
  CsvTokens& tokens_;
  State state_ = State::kRowBegin;
  size_t row_begin_ = 0;
};

}  // namespace

void CsvTokens::Clear() {
  field_count = 0;
  row_field_counts.clear();
  broken_quotes.clear();
  traits = {};
  size_bytes = 0;
}

void CsvTokens::Reserve(size_t count) {
  if (field_capacity - field_count >= count) return;
  size_t capacity = std::max(field_capacity * 2, field_count + count);
  auto larger = std::make_unique_for_overwrite<uint32_t[]>(capacity);
  if (field_count > 0) std::memcpy(larger.get(), field_ends.get(), field_count * sizeof(uint32_t));
  field_ends = std::move(larger);
  field_capacity = capacity;
}

TokenizeEnd TokenizeCsv(const CsvRegion& region, const CsvSyntax& syntax, CsvTokens& tokens) {
  CHECK(region.max_row_bytes > 0);
  return Tokenizer(region, syntax, tokens).Run();
}

std::optional<size_t> FindOpenQuote(std::string_view row, const CsvSyntax& syntax) {
  if (!syntax.quote) return std::nullopt;
  State state = State::kFieldBegin;
  size_t open = 0;
  for (size_t at = 0; at < row.size(); ++at) {
    char c = row[at];
    if (state == State::kQuotedEscape) {
      state = State::kQuoted;
    } else if (state == State::kQuoted) {
      if (syntax.escape && c == *syntax.escape) {
        state = State::kQuotedEscape;
      } else if (c == *syntax.quote) {
        state = State::kBehindQuote;
      }
    } else if (c == syntax.delimiter || c == syntax.line_end) {
      state = State::kFieldBegin;
    } else if (c == *syntax.quote &&
               (state == State::kFieldBegin || state == State::kBehindQuote)) {
      if (state == State::kFieldBegin) open = at;
      state = State::kQuoted;
    } else if (state != State::kFieldBegin || !syntax.trim_blanks || !IsBlank(c)) {
      state = State::kUnquoted;
    }
  }
  if (state == State::kQuoted || state == State::kQuotedEscape) return open;
  return std::nullopt;
}

CsvField UnwrapField(const char* begin, const char* end, const CsvSyntax& syntax,
                     std::string& scratch) {
  std::string_view text(begin, static_cast<size_t>(end - begin));
  if (syntax.trim_blanks) text = Trimmed(text);
  if (!syntax.quote || text.size() < 2 || text.front() != *syntax.quote ||
      text.back() != *syntax.quote) {
    return {text, false};
  }
  text = text.substr(1, text.size() - 2);
  const char quote = *syntax.quote;
  bool has_escapes = text.find(quote) != std::string_view::npos ||
                     (syntax.escape && text.find(*syntax.escape) != std::string_view::npos);
  if (!has_escapes) return {text, true};
  scratch.clear();
  scratch.reserve(text.size() + 64);
  for (size_t at = 0; at < text.size(); ++at) {
    if (at + 1 < text.size() &&
        (text[at] == quote || (syntax.escape && text[at] == *syntax.escape)))
      ++at;
    scratch += text[at];
  }
  return {scratch, true};
}

CsvLine ReadCsvLine(std::string_view text, const CsvSyntax& syntax) {
  CsvLine line;
  CsvTokens tokens;
  CsvRegion region{.text = text, .wanted_bytes = 1, .max_row_bytes = SIZE_MAX / 2};
  TokenizeEnd end = TokenizeCsv(region, syntax, tokens);
  if (end != TokenizeEnd::kComplete) {
    line.is_open = true;
    line.size_bytes = text.size();
    return line;
  }
  line.size_bytes = tokens.size_bytes;
  std::string_view row = text.substr(0, tokens.size_bytes);
  if (!row.empty() && row.back() == syntax.line_end) row.remove_suffix(1);
  if (syntax.line_end == '\n' && !row.empty() && row.back() == '\r') row.remove_suffix(1);
  line.is_blank = (!syntax.comment_prefix.empty() && row.starts_with(syntax.comment_prefix)) ||
                  std::all_of(row.begin(), row.end(),
                              [&](char c) { return IsBlank(c) && c != syntax.delimiter; });
  std::string scratch;
  size_t begin = 0;
  for (size_t i = 0; i < tokens.field_count && !line.is_blank; ++i) {
    size_t field_end = std::min<size_t>(tokens.field_ends[i], row.size());
    line.fields.emplace_back(
        UnwrapField(row.data() + begin, row.data() + field_end, syntax, scratch).text);
    begin = field_end + 1;
  }
  return line;
}

}  // namespace sluice::table::internal
