// YAML 1.2's common part, as a tree in which every node knows where it stands. Tags are refused,
// aliases too (a pipeline file has no use for them, and a "billion laughs" bomb does), duplicate
// keys are errors.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::formats {

struct YamlText;  ///< the file's name and lines, shared by all nodes of one document

/// A node of a parsed document. A plain value (copies share the text); thread-safe once parsed.
class YamlNode {
 public:
  enum class Kind : uint8_t { kNull, kScalar, kSequence, kMapping };
  struct Entry;

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_scalar() const { return kind_ == Kind::kScalar; }
  bool is_sequence() const { return kind_ == Kind::kSequence; }
  bool is_mapping() const { return kind_ == Kind::kMapping; }
  /// "nothing", "a text", "a list", "a mapping": for messages.
  std::string_view KindName() const;

  /// The scalar's text (empty for null), and whether it was quoted or a block (then it is always a
  /// string).
  const std::string& text() const { return text_; }
  bool is_quoted() const { return is_quoted_; }
  const std::vector<YamlNode>& items() const { return items_; }
  const std::vector<Entry>& entries() const { return entries_; }
  /// The value of `key` in a mapping, or null.
  const YamlNode* Find(std::string_view key) const;

  /// Where the node begins, with the line's text for the caret.
  Source source() const;
  /// "file:line:column: message" as an error: kInvalidArgument.
  Error ErrorHere(std::string message) const;

  // The scalar read as a type by YAML 1.2's core schema: true/false, 12, 0x1F, 1.5, .inf, .nan;
  // null, ~ and empty. Quoted text is only ever a string. Errors: kInvalidArgument at the node,
  // naming what was expected and found.
  Result<bool> AsBool() const;
  Result<int64_t> AsInteger() const;
  Result<double> AsDouble() const;       ///< takes integers
  Result<std::string> AsString() const;  ///< any scalar, as written
  /// The whole node as JSON, scalars typed by the core schema.
  Json ToJson() const;

 private:
  friend class YamlBuilder;
  Kind kind_ = Kind::kNull;
  bool is_quoted_ = false;
  int line_ = 0;
  int column_ = 0;
  std::string text_;
  std::vector<YamlNode> items_;
  std::vector<Entry> entries_;
  std::shared_ptr<const YamlText> document_;
};

/// One `key: value`; the key is a scalar node, so that errors can point at it.
struct YamlNode::Entry {
  YamlNode key;
  YamlNode value;
};

struct YamlParseOptions {
  std::string file = "yaml";  ///< named in errors
  int max_depth = 64;
  int64_t max_size_bytes = int64_t{16} << 20;
  int64_t max_node_count = 1'000'000;
};

/// One document. Empty text is a null node. Errors: kInvalidArgument with file:line:column for bad
/// syntax, tags, anchors, aliases, merge keys, several documents, duplicate or non-scalar keys,
/// bytes that are not UTF-8; kResourceExhausted for depth, size or count.
Result<YamlNode> ParseYaml(std::string_view text, const YamlParseOptions& options = {});

}  // namespace sluice::formats
