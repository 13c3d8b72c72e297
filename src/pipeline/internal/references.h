// Joining steps: what inputs and `needs` name, and what paths of different steps have to do with
// each other.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline/internal/step_parser.h"

namespace sluice::pipeline {

class ReferenceResolver {
 public:
  // All must outlive the resolver. Step i of `steps` gets index i.
  ReferenceResolver(Reader& reader, const Pipeline& pipeline, std::vector<ParsedStep>& steps);

  // Fills inputs, needs and parents of every step.
  void ResolveAll();

 private:
  void ResolveInput(size_t index, const PendingInput& pending);
  // One item; nothing after an error.
  void ResolveItem(size_t index, const PendingInput& pending, const YamlNode& node, Input& input);
  void ResolveDataset(size_t index, const PendingInput& pending, const YamlNode& node,
                      Input& input);
  void ResolveFile(size_t index, const PendingInput& pending, const YamlNode& node, Input& input);
  void ResolveOutput(size_t index, const PendingInput& pending, const YamlNode& node, int producer,
                     Input& input);
  void TakeDatasetOptions(size_t index, const Dataset& dataset, const YamlNode& node);
  void ResolveNeeds(size_t index);
  void CheckOutputPaths();
  void CheckFilesAgainstOutputs(size_t index);

  int FindStep(std::string_view name) const;
  bool LooksLikeFile(std::string_view text) const;
  // "applications.csv" where a step is called `applications`: no output of its is called so, or
  // nearly so.
  bool IsFileBesideStep(std::string_view dot_and_rest, int producer) const;

  struct MadePath {
    std::string path;
    int step = 0;
    std::string output;
    const YamlNode* node = nullptr;
  };
  const MadePath* FindMade(const std::string& pattern) const;

  Reader& reader_;
  Errors& errors_;
  const Pipeline& pipeline_;
  std::vector<ParsedStep>& steps_;
  std::map<std::string, int, std::less<>> index_by_name_;
  std::vector<std::string> names_;
  std::vector<MadePath> made_;  // by commands, sorted by path
};

}  // namespace sluice::pipeline
