// The name of a step's result before it exists: equal keys, equal outputs. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"
#include "formats/json.h"

namespace sluice::pipeline {

/// One item of an input.
struct InputIngredient {
  std::string name;     ///< the input's name in the step
  std::string origin;   ///< as written: "parts.train", "data/*.csv". For people; not in the key
  std::string pattern;  ///< path or glob of source files (file names can decide a format); empty
                        ///< for a step's output
  Digest digest;

  friend bool operator==(const InputIngredient&, const InputIngredient&) = default;
};

struct CodeIngredient {
  std::string pattern;
  Digest digest;

  friend bool operator==(const CodeIngredient&, const CodeIngredient&) = default;
};

/// Everything that decides what a step makes, by part, so that two of them can be compared and the
/// difference named.
struct Ingredients {
  std::string kind;                ///< "train"; "command"; "shell"
  int format_version = 1;          ///< the kind's; kCommandFormatVersion for commands
  std::vector<std::string> words;  ///< a command's, as written (references unfilled)
  formats::Json settings = formats::Json::MakeObject();  ///< a native step's, resolved
  std::vector<std::pair<std::string, formats::Json>>
      params;  ///< a command's: name and value, sorted by name
  std::vector<std::pair<std::string, std::string>> env;  ///< a command's, filled in, sorted by name
  std::vector<InputIngredient> inputs;  ///< sorted by name; items of a list in the file's order
  std::vector<CodeIngredient> code;     ///< sorted by pattern
  std::vector<std::pair<std::string, std::vector<std::string>>>
      outputs;              ///< a command's: name and paths, sorted
  Digest environment_lock;  ///< what the environment pins (interpreter, packages, image)
  int64_t seed = 0;

  friend bool operator==(const Ingredients&, const Ingredients&) = default;
};

inline constexpr int kCommandFormatVersion = 1;

/// SHA-256 over the canonical encoding described in cache_key.cc, which is persisted in run caches:
/// it never changes silently (a test pins digests); a change takes a new leading version string. No
/// errors. O(bytes).
Digest ComputeCacheKey(const Ingredients& ingredients);

/// For the record of a successful run, so that a later plan can name what changed. FromJson takes
/// exactly what ToJson makes. Errors: kDataLoss naming the member.
formats::Json IngredientsToJson(const Ingredients& ingredients);
Result<Ingredients> IngredientsFromJson(const formats::Json& json);

}  // namespace sluice::pipeline
