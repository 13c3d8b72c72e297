// A native step as the child process sees it: the request that the runner wrote, and the door for
// what it reports.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "io/fs.h"

namespace sluice::app {

/// Reads the request file and writes the events file of one attempt. One thread at a time, except
/// Progress.
class StepContext {
 public:
  /// Errors: kInvalidArgument naming the file and the member that is missing or wrong.
  static Result<std::unique_ptr<StepContext>> Open(const std::string& request_path);

  const std::string& step() const { return step_; }
  const std::string& kind() const { return kind_; }
  const formats::Json& params() const { return params_; }
  int64_t seed() const { return seed_; }
  int thread_count() const { return thread_count_; }
  const std::string& project_root() const { return project_root_; }
  const std::string& run_id() const { return run_id_; }
  /// Every digest that this step's inputs come from, as the runner wrote it; null if it did not.
  const formats::Json* provenance() const { return provenance_.is_null() ? nullptr : &provenance_; }

  // Settings by name; the pipeline has checked types and filled in defaults, so a wrong one is a
  // bug (CHECK).
  std::string Text(std::string_view name) const { return params_.StringOr(name, ""); }
  std::vector<std::string> Texts(std::string_view name) const;

  bool HasInput(std::string_view name) const { return inputs_.Find(name) != nullptr; }
  /// The path of an input that must be there. Errors: kInvalidArgument naming it.
  Result<std::string> Input(std::string_view name) const;
  Result<std::vector<std::string>> Inputs(std::string_view name) const;
  /// What a person wrote for an input, for messages: "schemas/applications.yaml"; else the input's
  /// name.
  std::string SourceName(std::string_view input) const;
  /// Where to write an output. Errors: kInvalidArgument naming it.
  Result<std::string> Output(std::string_view name) const;

  // What the runner shows and records. Failures to write events are ignored: they are not the
  // step's result.
  void Progress(int64_t done, int64_t total, std::string_view unit);
  void Metric(std::string_view key, double value, int64_t step = 0);
  void Param(std::string_view key, std::string_view value);
  void Tag(std::string_view key, std::string_view value);
  void Warning(std::string_view text);
  /// One line for the end of the run: "32,561 rows, 15 columns".
  void Summary(std::string_view text);

 private:
  StepContext() = default;
  void Emit(const formats::Json& event);

  std::string step_, kind_, project_root_, run_id_;
  formats::Json params_, inputs_, outputs_, input_names_, provenance_;
  int64_t seed_ = 0;
  int thread_count_ = 1;
  std::unique_ptr<io::WritableFile> events_;
  int64_t last_progress_ns_ = 0;
};

/// One row per native kind. `run` reads inputs and writes every output of its kind.
struct StepFunction {
  std::string_view kind;
  Status (*run)(StepContext& context);
};
std::span<const StepFunction> StepFunctions();

// The kinds, one file each.
Status RunIngest(StepContext& context);
Status RunValidate(StepContext& context);
Status RunProfile(StepContext& context);
Status RunSplit(StepContext& context);
Status RunFeatures(StepContext& context);
Status RunTrain(StepContext& context);
Status RunEvaluate(StepContext& context);
Status RunGate(StepContext& context);
Status RunRegister(StepContext& context);
Status RunPackage(StepContext& context);

/// Writes JSON, indented, with a line end; atomically.
Status WriteJsonFile(const std::string& path, const formats::Json& json);
/// Errors: those of Fs and ParseJson, naming the file.
Result<formats::Json> ReadJsonFile(const std::string& path);
/// "32,561": for people.
std::string PrintCount(int64_t count);

}  // namespace sluice::app
