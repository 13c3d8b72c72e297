// A parsed pipeline: plain data, complete and checked (every reference resolved, no cycle). Made by
// ParsePipeline; thread-safe as const.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formats/json.h"
#include "pipeline/step_kind.h"
#include "pipeline/template.h"

namespace sluice::pipeline {

// Limits of one pipeline file; beyond them parsing fails with kResourceExhausted or
// kInvalidArgument.
inline constexpr int64_t kMaxFileSizeBytes = int64_t{4} << 20;
inline constexpr int kMaxStepCount = 10'000;
inline constexpr int kMaxParamCount = 1'000;
inline constexpr int kMaxNameBytes = 64;
inline constexpr int kMaxPathBytes = 1'024;
inline constexpr int kMaxWordCount = 4'096;     ///< of a command, and items of any list
inline constexpr int kMaxTextBytes = 64 << 10;  ///< of any one scalar
inline constexpr int kMaxErrorCount = 50;       ///< reported at once

enum class ParamType : uint8_t { kString, kInteger, kNumber, kBool };
/// "string", "int", "float", "bool": as written in the file.
std::string_view ParamTypeName(ParamType type);

/// A parameter of the whole pipeline, read as ${params.NAME} and set with `sluice run --param
/// NAME=VALUE`.
struct Param {
  std::string name;
  ParamType type = ParamType::kString;
  std::optional<formats::Json> default_value;  ///< absent: must be given for every run
  std::optional<double> min;                   ///< numbers only, inclusive
  std::optional<double> max;
  std::vector<formats::Json> choices;  ///< of the param's type; empty: anything
  std::string help;
  Source source;
};

/// A name for source files.
struct Dataset {
  std::string name = {};
  std::vector<std::string> patterns = {};  ///< project-relative paths or globs
  formats::Json options = {};              ///< an object: `options`, and `format` if given
  Source source = {};
};

/// One thing an input is read from: another step's output, or files of the project.
struct InputItem {
  int producer_step = -1;    ///< index into Pipeline::steps; -1: files
  int producer_output = -1;  ///< index into that step's outputs
  std::string pattern = {};  ///< project-relative path or glob, '/' separated, normalised; empty
                             ///< for a step's output
  bool is_glob = false;      ///< has *, ? or [
  std::string written = {};  ///< as in the file: "parts.train", "datasets.adult", "data/*.csv"

  bool is_files() const { return producer_step < 0; }
};

struct Input {
  std::string name = {};
  std::vector<InputItem> items = {};  ///< at least one
  bool is_list = false;               ///< handed over as a list even if it has one item
  DataType type = DataType::kFile;
  Source source = {};
};

struct Output {
  std::string name = {};
  DataType type = DataType::kFile;
  bool is_main = false;
  /// Native: one file or folder name inside the attempt's folder. Command: where it is put in the
  /// project, one or more project-relative paths.
  std::vector<std::string> paths = {};
  bool is_list = false;     ///< written as a list of paths
  bool is_metrics = false;  ///< a JSON file whose numbers are logged as metrics
  Source source = {};
};

/// A key and value of a native step, before parameters are filled in.
struct Setting {
  std::string name = {};
  formats::Json value = {};  ///< strings may hold ${params.NAME}; see ResolveSettings in params.h
  Source source = {};
};

struct Command {
  /// The argument vector; words[0] is the program. With `shell: true`, one word: the line for
  /// /bin/sh -c.
  std::vector<Template> words;
  std::vector<std::string> written;  ///< the words as in the file, references unfilled
  bool is_shell = false;
};

struct EnvVariable {
  std::string name = {};
  Template value = {};
  std::string written = {};  ///< the value as in the file
};

struct Retries {
  int count = 0;               ///< attempts after the first
  int64_t backoff_ms = 1'000;  ///< before the first retry; doubles each time, up to kMaxBackoffMs
};
inline constexpr int64_t kMaxBackoffMs = 10 * 60 * 1'000;

struct Step {
  std::string name;
  std::string description;
  const StepKind* kind =
      nullptr;  ///< null for a command; points into the table given to ParsePipeline
  std::vector<Setting>
      settings;     ///< native: those written (or from a dataset's options), in file order
  Command command;  ///< when `kind` is null
  std::vector<Input> inputs;      ///< native: in the kind's order; commands: in file order
  std::vector<Output> outputs;    ///< native: the kind's, all of them, in its order
  std::vector<std::string> code;  ///< project-relative paths or globs whose digests enter the key
  std::vector<EnvVariable> env;
  std::vector<std::string> params;  ///< names of pipeline params it reads, sorted, distinct
  std::vector<int> needs;           ///< steps that must end well first, without data from them
  std::vector<int> parents;         ///< every step it waits for, by data or need; sorted, distinct
  std::optional<int64_t> seed;      ///< its own; else the pipeline's
  int64_t timeout_ms = 0;           ///< of one attempt; 0: none
  Retries retries;
  bool is_cacheable = true;  ///< `cache: false` always runs
  Source source;

  bool is_native() const { return kind != nullptr; }
  /// "train", or "command".
  std::string_view KindName() const;
  const Input* FindInput(std::string_view name) const;
  const Output* FindOutput(std::string_view name) const;
};

struct Pipeline {
  std::string name;
  std::string description;
  int64_t seed = 0;
  std::vector<Param> params;
  std::vector<Dataset> datasets;
  std::vector<Step> steps;  ///< in file order
  std::vector<int> order;   ///< indexes of steps, parents first; file order where free
  std::vector<std::vector<int>> children;  ///< by step index: who waits for it; sorted

  /// Index of the step `name`, or -1. O(1).
  int FindStep(std::string_view name) const;
  const Param* FindParam(std::string_view name) const;
  std::vector<std::string> StepNames() const;
  int64_t SeedOf(const Step& step) const { return step.seed.value_or(seed); }

  /// name → index; filled by Finalise.
  std::vector<std::pair<std::string, int>> steps_by_name;
};

/// Fills order, children and steps_by_name from the steps' parents. Errors: kInvalidArgument at one
/// step of a cycle, printing it as "a → b → a", each step before what waits for it. O(steps log
/// steps + edges).
Status Finalise(Pipeline& pipeline);

/// The steps named in `targets` ("model", or "parts.train" for the step of an output) and all they
/// depend on, as indexes in topological order; all steps if `targets` is empty. O(steps + edges).
/// Errors: kNotFound naming the unknown target, with the nearest name.
Result<std::vector<int>> Select(const Pipeline& pipeline, std::span<const std::string> targets);

/// A file or glob that some step reads, and why: what must be hashed before planning.
struct SourcePattern {
  std::string pattern;
  bool is_glob = false;
  bool is_code = false;
};
/// All of them for the given steps (indexes), sorted by pattern, distinct by (pattern, is_code).
std::vector<SourcePattern> SourcePatterns(const Pipeline& pipeline, std::span<const int> steps);

}  // namespace sluice::pipeline
