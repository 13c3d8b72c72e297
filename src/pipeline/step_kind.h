// What a native step (`uses: train`) takes and makes, as rows of a table. The parser, the JSON
// Schema, the reference page and shell completion all read these rows, so a new kind needs no code
// here. Plain data; functions are pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/json.h"

namespace sluice::pipeline {

/// What a setting of a native step may hold, and as what it arrives in the step (JSON).
enum class SettingType : uint8_t {
  kString,    ///< any scalar, as written → string
  kInteger,   ///< → integer
  kNumber,    ///< integers are taken too → double
  kBool,      ///< true or false
  kDuration,  ///< "90s", "1h30m" → the text, as written
  kSize,      ///< "512MiB" → the text, as written
  kShare,     ///< "20%" or 0.2, from 0 to 1 → double
  kColumn,    ///< one column's name → string
  kColumns,   ///< one name or a list of names → list of strings
  kStrings,   ///< one text or a list of texts → list of strings
  kList,      ///< a list of anything
  kMap,       ///< a mapping of anything
  kAny,       ///< anything
};
/// "text", "whole number", "list of columns", ...: for messages and the reference page.
std::string_view SettingTypeName(SettingType type);

/// What flows along an edge of the graph.
enum class DataType : uint8_t {
  kFile,      ///< a file or folder of any content: sources, and whatever a command makes
  kTable,     ///< a folder with data.arrow
  kFeatures,  ///< a fitted feature graph
  kModel,     ///< a trained model's folder
  kReport,    ///< an evaluation
  kVerdict,   ///< a gate's answer
};
/// "file", "table", "features", "model", "report", "verdict".
std::string_view DataTypeName(DataType type);

/// A key of a native step that holds a value.
struct SettingRow {
  std::string name = {};
  SettingType type = SettingType::kString;
  bool is_required = false;
  formats::Json default_value = {};  ///< null: none, the key is then absent from the step's request
  std::optional<double> min = {};    ///< kInteger, kNumber, kShare; inclusive
  std::optional<double> max = {};
  std::vector<std::string> choices = {};  ///< kString: the only values
  std::string help = {};                  ///< one sentence
};

/// A key of a native step that names data: a reference to another step's output, a dataset or files
/// of the project.
struct InputRow {
  std::string name = {};
  DataType type = DataType::kTable;
  bool is_required = true;
  bool takes_files =
      false;                ///< a path or glob in the project, or datasets.NAME, besides references
  bool takes_list = false;  ///< several of them
  std::string help = {};
};

struct OutputRow {
  std::string name = {};
  DataType type = DataType::kTable;
  bool is_main = false;  ///< what the step's bare name refers to; at most one row
  std::string file_name =
      {};  ///< of the file or folder in the attempt's folder, such as "profile.json"
  std::string help = {};
};

/// One native step kind. Rows are in the order in which a person would write or read them.
struct StepKind {
  std::string name = {};
  std::string help = {};
  std::vector<InputRow> inputs = {};
  std::vector<SettingRow> settings = {};
  std::vector<OutputRow> outputs = {};
  /// Raised when the step's outputs change for equal inputs; enters the cache key. Persisted: never
  /// lowered.
  int format_version = 1;
  /// Its outputs depend on the seed; otherwise a new seed does not make it run again.
  bool uses_seed = false;
  /// `format` and `options` of a dataset named in an input become defaults of this kind's settings
  /// (ingest).
  bool takes_dataset_options = false;
  /// Its request names every digest it comes from (see ProvenanceToJson in lineage.h).
  bool takes_provenance = false;
  /// What one setting cannot say for itself: settings that need each other, small languages inside
  /// a text. Called with resolved settings before anything runs; pure. Null: nothing to check.
  Status (*check)(const formats::Json& settings) = nullptr;

  const InputRow* FindInput(std::string_view name) const;
  const SettingRow* FindSetting(std::string_view name) const;
};

const StepKind* FindKind(std::span<const StepKind> kinds, std::string_view name);

/// `value` checked against `row` and brought to the row's type ("20%" → 0.2, one column → a list of
/// one). Errors: kInvalidArgument naming the setting, what was expected and what was found (no
/// position).
Result<formats::Json> NormaliseSetting(const SettingRow& row, const formats::Json& value);

/// The table itself: names well formed and distinct (also across inputs, settings and the common
/// step keys), at most one main output, defaults within their own bounds. For a test over the
/// table. Errors: kInternal naming the row.
Status CheckKinds(std::span<const StepKind> kinds);

}  // namespace sluice::pipeline
