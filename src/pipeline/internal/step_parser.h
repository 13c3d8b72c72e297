// One entry under `steps:`, except for what other steps decide: references are resolved afterwards.
#pragma once

#include <span>
#include <vector>

#include "pipeline/graph.h"
#include "pipeline/internal/reader.h"
#include "pipeline/params.h"

namespace sluice::pipeline {

// An input as written.
struct PendingInput {
  std::string name;
  const InputRow* row = nullptr;  // null for a command's
  const YamlNode* key = nullptr;
  const YamlNode* value = nullptr;
};

struct ParsedStep {
  Step step;
  const YamlNode* key = nullptr;
  const YamlNode* needs = nullptr;
  std::vector<PendingInput> inputs;
  std::vector<const YamlNode*> code_nodes;  // one per step.code; null if inferred from the command
  std::vector<const YamlNode*> output_nodes;  // one per path of a command's outputs, in order
  bool are_outputs_known = true;              // false after an error that hides what the step makes
};

class StepParser {
 public:
  // All must outlive the parser; `pipeline` has its params and datasets already.
  StepParser(Reader& reader, const Pipeline& pipeline, std::span<const StepKind> kinds);

  ParsedStep Parse(const YamlNode::Entry& entry);

 private:
  void ParseCommon(const YamlNode& body, ParsedStep& parsed);
  void ParseRetries(const YamlNode& node, Step& step);

  void ParseNative(const YamlNode& uses, const YamlNode& body, ParsedStep& parsed);
  void ParseSetting(const SettingRow& row, const YamlNode::Entry& entry, Step& step);
  formats::Json SettingValue(const SettingRow& row, const YamlNode& node) const;
  void RefuseUnknownKey(const YamlNode::Entry& entry, const StepKind& kind);

  void ParseCommand(const YamlNode& run, const YamlNode& body, ParsedStep& parsed);
  bool IsCountGood(const YamlNode& node, std::string_view what);
  void ParseRun(const YamlNode& run, const YamlNode& body, Step& step);
  void ParseOutputs(const YamlNode& node, ParsedStep& parsed);
  void ParseCode(const YamlNode& node, ParsedStep& parsed);
  void InferCode(ParsedStep& parsed);
  void ParseEnv(const YamlNode& node, Step& step);
  void ParseParamNames(const YamlNode& node, Step& step);
  void ParseMetrics(const YamlNode& node, Step& step);

  // Parses `text`, a part of the scalar `node`, and checks that every name in it exists. `step` is
  // null where inputs and outputs may not be named.
  std::optional<Template> ParseText(const YamlNode& node, const std::string& text,
                                    const ParsedStep* parsed, Step& step);
  bool CheckPiece(const YamlNode& node, const Piece& piece, size_t offset, const ParsedStep* parsed,
                  Step& step);
  // Every ${...} in a setting's texts.
  bool CheckReferencesIn(const YamlNode& node, Step& step);

  Reader& reader_;
  Errors& errors_;
  const Pipeline& pipeline_;
  std::span<const StepKind> kinds_;
  ParamValues defaults_;  // of the params that have one
  std::vector<std::string> param_names_;
};

}  // namespace sluice::pipeline
