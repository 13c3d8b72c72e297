// The adapter to libyaml: the only file that includes yaml.h. libyaml's event stream is turned into
// nodes with an explicit stack; everything that is not plain data (tags, anchors, aliases, merge
// keys) ends the parse where it stands, so no document can be larger in memory than in text by more
// than a constant factor.
//
// libyaml counts columns in characters and some of its reader's errors have no position at all.
// Bytes are therefore checked before it sees them, and its columns are turned into bytes with the
// line's text.
#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <unordered_map>

#include "base/utf8.h"
#include "formats/internal/yaml_text.h"
#include "formats/yaml.h"

namespace sluice::formats {

namespace {

// Bytes of the line break at text[at], or 0: what libyaml takes for one (LF, CR, CRLF, NEL, LS,
// PS).
size_t BreakLength(std::string_view text, size_t at) {
  if (text[at] == '\n') return 1;
  if (text[at] == '\r') return at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1;
  if (text.substr(at, 2) == "\xC2\x85") return 2;
  if (text.substr(at, 3) == "\xE2\x80\xA8" || text.substr(at, 3) == "\xE2\x80\xA9") return 3;
  return 0;
}

// YAML's c-printable without what BreakLength takes.
bool IsPrintable(std::string_view sequence) {
  unsigned char lead = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return lead == '\t' || (lead >= 0x20 && lead < 0x7F);
  if (lead == 0xC2) return static_cast<unsigned char>(sequence[1]) >= 0xA0;
  return sequence != "\xEF\xBF\xBE" && sequence != "\xEF\xBF\xBF" && sequence != "\xEF\xBB\xBF";
}

Source SourceAtByte(const YamlText& text, size_t offset) {
  auto after = std::upper_bound(text.line_starts.begin(), text.line_starts.end(), offset);
  int line = static_cast<int>(after - text.line_starts.begin());
  size_t begin = text.line_starts[static_cast<size_t>(line - 1)];
  return {.file = text.file,
          .line = line,
          .column = static_cast<int>(offset - begin) + 1,
          .text = std::string(text.ShownLine(line))};
}

// Finds the lines, and checks every byte.
Status ScanText(YamlText& text) {
  std::string_view bytes = text.text;
  text.line_starts = {0};
  std::optional<std::pair<size_t, std::string>> bad;
  size_t at = 0;
  while (at < bytes.size()) {
    if (size_t length = BreakLength(bytes, at); length > 0) {
      at += length;
      if (!bad) text.line_starts.push_back(at);
      if (bad) break;  // now the bad line's end is known
      continue;
    }
    size_t length = Utf8CharacterSize(bytes.substr(at));
    unsigned byte = static_cast<unsigned char>(bytes[at]);
    if (length == 0) {
      if (!bad) {
        bad = {at, fmt::format("byte 0x{:02X} is not UTF-8; save the file as UTF-8", byte)};
      }
      length = 1;
    } else if (!IsPrintable(bytes.substr(at, length)) && !bad) {
      bad = {at, length == 1 ? fmt::format("control character 0x{:02X} may not be here", byte)
                             : std::string("this character may not be here: it cannot be seen")};
    }
    at += length;
  }
  if (!bad) return Ok();
  if (at < bytes.size()) text.line_starts.push_back(at);
  Source source = SourceAtByte(text, bad->first);
  // The line may hold bytes that a terminal cannot show.
  std::string shown;
  for (size_t i = 0; i < source.text.size();) {
    size_t length = Utf8CharacterSize(std::string_view(source.text).substr(i));
    std::string_view sequence =
        std::string_view(source.text).substr(i, std::max<size_t>(length, 1));
    shown += length > 0 && IsPrintable(sequence) ? std::string(sequence) : "?";
    i += sequence.size();
  }
  source.text = shown;
  return InvalidArgument(bad->second).At(std::move(source));
}

struct Position {
  int line = 1;
  int column = 1;
};

// Turns libyaml's marks into positions. Marks come in ascending order but for few, so the work on a
// line is done once, however many values stand on it.
class MarkReader {
 public:
  explicit MarkReader(const YamlText& text) : text_(text) {}

  Position PositionOf(const yaml_mark_t& mark) {
    int line_number = static_cast<int>(mark.line) + 1;
    if (line_number != line_ || mark.column < character_) {
      line_ = line_number;
      character_ = 0;
      byte_ = 0;
    }
    std::string_view line = text_.Line(line_);
    for (; character_ < mark.column && byte_ < line.size(); ++character_) {
      byte_ += std::max<size_t>(Utf8CharacterSize(line.substr(byte_)), 1);
    }
    return {.line = line_, .column = static_cast<int>(byte_) + 1};
  }

 private:
  const YamlText& text_;
  int line_ = 0;
  size_t character_ = 0;
  size_t byte_ = 0;
};

Source SourceOf(const YamlText& text, Position position) {
  return {.file = text.file,
          .line = position.line,
          .column = position.column,
          .text = std::string(text.ShownLine(position.line))};
}

class Parser {
 public:
  explicit Parser(std::string_view text) {
    is_made_ = yaml_parser_initialize(&parser_) != 0;
    if (!is_made_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() {
    if (is_made_) yaml_parser_delete(&parser_);
  }
  bool is_made() const { return is_made_; }
  yaml_parser_t* get() { return &parser_; }

 private:
  yaml_parser_t parser_;
  bool is_made_;
};

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { Clear(); }
  void Clear() {
    if (is_filled_) yaml_event_delete(&event_);
    is_filled_ = false;
  }
  bool Next(yaml_parser_t* parser) {
    Clear();
    is_filled_ = yaml_parser_parse(parser, &event_) != 0;
    return is_filled_;
  }
  const yaml_event_t& operator*() const { return event_; }
  const yaml_event_t* operator->() const { return &event_; }

 private:
  yaml_event_t event_ = {};
  bool is_filled_ = false;
};

// What a person can do about libyaml's complaint.
std::string Advice(std::string_view problem, std::string_view context, std::string_view rest) {
  char c = rest.empty() ? '\0' : rest[0];
  if (problem == "found character that cannot start any token") {
    if (c == '\t') return "a tab cannot indent; use blanks";
    return fmt::format("a text cannot begin with '{}' here; put it in quotes", c);
  }
  if (problem.starts_with("found a tab character")) return "a tab cannot indent; use blanks";
  if (context == "while scanning an alias" || context == "while scanning an anchor") {
    return fmt::format("a text that begins with '{}' must be in quotes",
                       context.ends_with("alias") ? '*' : '&');
  }
  if (problem == "mapping values are not allowed in this context") {
    return "a ':' may not stand here: check the indentation, and put a text that holds ': ' in "
           "quotes";
  }
  if (problem == "could not find expected ':'") return "expected ':' after the key before this";
  if (problem == "did not find expected key") {
    return "expected a key here: check the indentation of this line and the ones before";
  }
  if (problem == "did not find expected '-' indicator") {
    return "expected '-' here: check the indentation of this line and the ones before";
  }
  if (problem == "block sequence entries are not allowed in this context") {
    return "a list may not begin here: put it on lines of its own";
  }
  if (problem == "found unexpected end of stream") return "this quoted text never ends";
  if (problem == "did not find expected node content") {
    return c == '\0' ? std::string("expected a value here")
                     : fmt::format("expected a value here, found '{}'",
                                   rest.substr(0, Utf8CharacterSize(rest)));
  }
  if (problem == "did not find expected ',' or ']'") return "expected ',' or ']' here";
  if (problem == "did not find expected ',' or '}'") return "expected ',' or '}' here";
  if (problem == "did not find expected <document start>") {
    return "expected the end of the file here";
  }
  if (problem == "found unknown escape character") {
    return "unknown escape in a double-quoted text; in single quotes a backslash is only itself";
  }
  return fmt::format("not YAML: {}", problem);
}

Error SyntaxError(const yaml_parser_t& parser, const YamlText& text) {
  MarkReader marks(text);
  if (parser.error == YAML_MEMORY_ERROR)
    return ResourceExhausted("out of memory while reading YAML");
  auto string = [](const char* chars) { return std::string_view(chars == nullptr ? "" : chars); };
  std::string_view problem = string(parser.problem);
  // Where a quoted text or an alias begins says more than where it could not go on.
  bool is_better_at_start = problem == "found unexpected end of stream" ||
                            problem == "did not find expected alphabetic or numeric character";
  const yaml_mark_t& mark = is_better_at_start ? parser.context_mark : parser.problem_mark;
  Position position = marks.PositionOf(mark);
  std::string_view line = text.Line(position.line);
  size_t at = std::min(static_cast<size_t>(position.column - 1), line.size());
  std::string message = Advice(problem, string(parser.context), line.substr(at));
  if (parser.context != nullptr &&
      parser.context_mark.line + 1 < static_cast<size_t>(position.line)) {
    message += fmt::format(" (what began on line {})", parser.context_mark.line + 1);
  }
  return InvalidArgument(std::move(message)).At(SourceOf(text, position));
}

std::string_view View(const yaml_char_t* chars) {
  return chars == nullptr ? std::string_view() : reinterpret_cast<const char*>(chars);
}

bool IsNullText(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

}  // namespace

/// Builds the tree from events.
class YamlBuilder {
 public:
  YamlBuilder(std::shared_ptr<const YamlText> text, const YamlParseOptions& options)
      : text_(std::move(text)), options_(options), marks_(*text_) {}

  Result<YamlNode> Build() {
    Parser parser(text_->text);
    if (!parser.is_made()) return ResourceExhausted("out of memory while reading YAML");
    root_ = MakeNode({});
    Event event;
    do {
      if (!event.Next(parser.get())) return SyntaxError(*parser.get(), *text_);
      RETURN_IF_ERROR(Take(*event));
    } while (event->type != YAML_STREAM_END_EVENT);
    return std::move(root_);
  }

 private:
  // A collection that is still open.
  struct Frame {
    YamlNode node;
    std::optional<YamlNode> key;                       // of a mapping, waiting for its value
    std::unordered_map<std::string, int> line_of_key;  // of a mapping
  };

  Error ErrorAt(const yaml_mark_t& mark, std::string message) {
    return InvalidArgument(std::move(message)).At(SourceOf(*text_, marks_.PositionOf(mark)));
  }

  YamlNode MakeNode(const yaml_mark_t& mark) {
    YamlNode node;
    Position position = marks_.PositionOf(mark);
    node.line_ = position.line;
    node.column_ = position.column;
    node.document_ = text_;
    return node;
  }

  Status Take(const yaml_event_t& event) {
    const yaml_mark_t& mark = event.start_mark;
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (document_count_++ > 0) {
          return ErrorAt(mark, "a second document begins here; keep one document in a file");
        }
        if (event.data.document_start.tag_directives.start !=
            event.data.document_start.tag_directives.end) {
          return ErrorAt(mark, "%TAG is not accepted; write plain values");
        }
        return Ok();
      case YAML_ALIAS_EVENT:
        return ErrorAt(mark, fmt::format("aliases (*{}) are not accepted; write the value again, "
                                         "or put a text that begins with '*' in quotes",
                                         View(event.data.alias.anchor)));
      case YAML_SCALAR_EVENT: return TakeScalar(event);
      case YAML_SEQUENCE_START_EVENT:
        RETURN_IF_ERROR(
            CheckProperties(mark, event.data.sequence_start.anchor, event.data.sequence_start.tag));
        return Open(mark, YamlNode::Kind::kSequence);
      case YAML_MAPPING_START_EVENT:
        RETURN_IF_ERROR(
            CheckProperties(mark, event.data.mapping_start.anchor, event.data.mapping_start.tag));
        return Open(mark, YamlNode::Kind::kMapping);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: {
        YamlNode node = std::move(stack_.back().node);
        stack_.pop_back();
        Place(std::move(node));
        return Ok();
      }
      default: return Ok();
    }
  }

  Status CheckProperties(const yaml_mark_t& mark, const yaml_char_t* anchor,
                         const yaml_char_t* tag) {
    if (tag != nullptr) {
      return ErrorAt(mark, fmt::format("tags ({}) are not accepted; write a plain value",
                                       View(tag).substr(0, 80)));
    }
    if (anchor != nullptr) {
      return ErrorAt(mark, fmt::format("anchors (&{}) are not accepted; write the value where it "
                                       "is used, or put a text that begins with '&' in quotes",
                                       View(anchor).substr(0, 80)));
    }
    return Ok();
  }

  Status CountNode(const yaml_mark_t& mark) {
    if (++node_count_ <= options_.max_node_count) return Ok();
    return ResourceExhausted(
               fmt::format("more than {} values in one file", options_.max_node_count))
        .At(SourceOf(*text_, marks_.PositionOf(mark)));
  }

  Status Open(const yaml_mark_t& mark, YamlNode::Kind kind) {
    if (IsAtKey()) return ErrorAt(mark, "a key must be a plain text, not a list or a mapping");
    if (stack_.size() >= static_cast<size_t>(options_.max_depth)) {
      return ResourceExhausted(fmt::format("nested deeper than {} levels", options_.max_depth))
          .At(SourceOf(*text_, marks_.PositionOf(mark)));
    }
    RETURN_IF_ERROR(CountNode(mark));
    Frame frame{.node = MakeNode(mark), .key = std::nullopt, .line_of_key = {}};
    frame.node.kind_ = kind;
    stack_.push_back(std::move(frame));
    return Ok();
  }

  Status TakeScalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    RETURN_IF_ERROR(CheckProperties(event.start_mark, scalar.anchor, scalar.tag));
    RETURN_IF_ERROR(CountNode(event.start_mark));
    YamlNode node = MakeNode(event.start_mark);
    node.is_quoted_ = scalar.style != YAML_PLAIN_SCALAR_STYLE;
    std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (IsAtKey()) return TakeKey(std::move(node), text);
    if (node.is_quoted_ || !IsNullText(text)) {
      node.kind_ = YamlNode::Kind::kScalar;
      node.text_ = text;
    }
    Place(std::move(node));
    return Ok();
  }

  Status TakeKey(YamlNode key, std::string_view text) {
    key.kind_ = YamlNode::Kind::kScalar;
    key.text_ = text;
    if (text == "<<" && !key.is_quoted_) {
      return key.ErrorHere("merge keys (<<) are not accepted; write the keys out");
    }
    if (text.empty()) return key.ErrorHere("a key is missing before the ':'");
    Frame& frame = stack_.back();
    auto [first, is_new] = frame.line_of_key.emplace(key.text_, key.line_);
    if (!is_new) {
      return key.ErrorHere(fmt::format("the key '{}' is here twice; it is first on line {}",
                                       text.substr(0, 80), first->second));
    }
    frame.key = std::move(key);
    return Ok();
  }

  // The next event is a key, or ends the mapping.
  bool IsAtKey() const {
    return !stack_.empty() && stack_.back().node.is_mapping() && !stack_.back().key.has_value();
  }

  void Place(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.is_sequence()) {
      frame.node.items_.push_back(std::move(node));
      return;
    }
    frame.node.entries_.push_back({.key = *std::move(frame.key), .value = std::move(node)});
    frame.key.reset();
  }

  std::shared_ptr<const YamlText> text_;
  const YamlParseOptions& options_;
  MarkReader marks_;
  YamlNode root_;
  std::vector<Frame> stack_;
  int64_t node_count_ = 0;
  int document_count_ = 0;
};

Result<YamlNode> ParseYaml(std::string_view text, const YamlParseOptions& options) {
  Source start{.file = options.file, .line = 1, .column = 1, .text = {}};
  if (static_cast<int64_t>(text.size()) > options.max_size_bytes) {
    start.column = 0;
    return ResourceExhausted(fmt::format("{} bytes are more than the {} that are read", text.size(),
                                         options.max_size_bytes))
        .At(std::move(start));
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return InvalidArgument("the file is UTF-16; save it as UTF-8").At(std::move(start));
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  auto shared = std::make_shared<YamlText>();
  shared->file = options.file;
  shared->text = text;
  RETURN_IF_ERROR(ScanText(*shared));
  return YamlBuilder(std::move(shared), options).Build();
}

}  // namespace sluice::formats
