// Reading typed values from YAML nodes, with errors collected instead of returned.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/yaml.h"
#include "pipeline/graph.h"

namespace sluice::pipeline {

// What is wrong so far. When full, further errors are dropped and the parser stops.
class Errors {
 public:
  void Add(Error error);
  void Add(const formats::YamlNode& node, std::string message) {
    Add(node.ErrorHere(std::move(message)));
  }
  bool is_full() const { return errors_.size() >= static_cast<size_t>(kMaxErrorCount); }
  bool empty() const { return errors_.empty(); }
  size_t count() const { return errors_.size(); }
  // In the order of the file.
  std::vector<Error> TakeSorted();

 private:
  std::vector<Error> errors_;
};

using formats::YamlNode;

// "; did you mean 'x'?", at bounded cost for thousands of candidates.
std::string Suggestion(std::string_view name, std::span<const std::string> candidates);

// The place of the byte `offset` of a scalar's text, if the text stands in the file as it is; else
// the node's.
Source SourceInside(const YamlNode& scalar, size_t offset);

// Typed reads. What does not fit is added to `errors`, and nothing comes back. `what` is named in
// messages: "'seed'".
class Reader {
 public:
  explicit Reader(Errors& errors) : errors_(errors) {}

  Errors& errors() { return errors_; }
  bool IsMapping(const YamlNode& node, std::string_view what);
  std::optional<std::string> Text(const YamlNode& node, std::string_view what);
  std::optional<int64_t> Integer(const YamlNode& node, std::string_view what, int64_t min,
                                 int64_t max);
  std::optional<double> Number(const YamlNode& node, std::string_view what);
  std::optional<bool> Bool(const YamlNode& node, std::string_view what);
  std::optional<int64_t> DurationMs(const YamlNode& node, std::string_view what);
  // A key that becomes a name of ours: checked against NameRule.
  bool IsGoodName(const YamlNode& key, std::string_view what);
  // A list of texts; a single text counts as a list of one. Nodes, so that errors can point at
  // each.
  std::vector<const YamlNode*> Texts(const YamlNode& node, std::string_view what);
  // Every key of `mapping` is one of `known`, or an error with the nearest one.
  void OnlyKeys(const YamlNode& mapping, std::string_view what, std::span<const std::string> known);

 private:
  template <typename T>
  std::optional<T> Take(Result<T> result, std::string_view what);

  Errors& errors_;
};

}  // namespace sluice::pipeline
