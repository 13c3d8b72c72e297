#include "pipeline/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "formats/duration.h"
#include "formats/size.h"
#include "formats/yaml.h"
#include "pipeline/internal/keys.h"
#include "pipeline/internal/reader.h"
#include "pipeline/parse.h"

namespace sluice::pipeline {

namespace {

constexpr int64_t kMaxThreadCount = 4'096;
constexpr int64_t kMaxParallel = 10'000;
constexpr int64_t kMaxEnvironmentBytes = int64_t{1} << 20;

/// Known, but not built in.
bool IsLaterExecutor(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"container", "slurm", "kubernetes", "ssh"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

class EnvironmentParser {
 public:
  explicit EnvironmentParser(const std::string& name) : reader_(errors_) {
    environment_.name = name;
  }

  Result<Environment> Parse(std::string_view text, const std::string& file) {
    ASSIGN_OR_RETURN(YamlNode root,
                     formats::ParseYaml(text, {.file = file,
                                               .max_depth = 8,
                                               .max_size_bytes = kMaxEnvironmentBytes,
                                               .max_node_count = 100'000}));
    if (!root.is_null() && reader_.IsMapping(root, "an environment")) ParseTop(root);
    std::vector<Error> errors = errors_.TakeSorted();
    if (!errors.empty()) return std::move(errors.front());
    return std::move(environment_);
  }

 private:
  void ParseTop(const YamlNode& root) {
    static const std::vector<std::string> kKeys = {"executor", "max_parallel", "defaults",
                                                   "steps",    "env",          "secrets",
                                                   "tracking", "store",        "lock"};
    reader_.OnlyKeys(root, "an environment", kKeys);
    if (const YamlNode* node = root.Find("executor")) ParseExecutor(*node);
    if (const YamlNode* node = root.Find("max_parallel")) {
      environment_.max_parallel =
          static_cast<int>(reader_.Integer(*node, "'max_parallel'", 1, kMaxParallel).value_or(0));
    }
    if (const YamlNode* node = root.Find("defaults"))
      environment_.defaults = ParseResources(*node, "'defaults'", {});
    if (const YamlNode* node = root.Find("steps");
        node != nullptr && reader_.IsMapping(*node, "'steps'")) {
      for (const YamlNode::Entry& entry : node->entries()) {
        if (!reader_.IsGoodName(entry.key, "step")) continue;
        environment_.by_step[entry.key.text()] = ParseResources(
            entry.value, fmt::format("step '{}'", entry.key.text()), environment_.defaults);
      }
    }
    if (const YamlNode* node = root.Find("env")) ParseEnv(*node);
    if (const YamlNode* node = root.Find("secrets")) ParseSecrets(*node);
    if (const YamlNode* node = root.Find("tracking")) ParseTracking(*node);
    if (const YamlNode* node = root.Find("store")) ParseStore(*node);
    if (const YamlNode* node = root.Find("lock")) ParseLock(*node);
  }

  void ParseExecutor(const YamlNode& node) {
    std::optional<std::string> name = reader_.Text(node, "'executor'");
    if (!name || *name == "local") return;
    static const std::vector<std::string> kNames = {"local"};
    errors_.Add(
        node, IsLaterExecutor(*name)
                  ? fmt::format("the executor '{}' is not available in this version; write `local`",
                                *name)
                  : fmt::format("there is no executor '{}'; there is `local`{}",
                                name->substr(0, 80), Suggestion(*name, kNames)));
  }

  /// What is written, over `base`.
  Resources ParseResources(const YamlNode& node, std::string_view what, Resources base) {
    if (!reader_.IsMapping(node, what)) return base;
    static const std::vector<std::string> kKeys = {"threads", "memory", "time"};
    reader_.OnlyKeys(node, what, kKeys);
    if (const YamlNode* threads = node.Find("threads")) {
      base.thread_count =
          static_cast<int>(reader_.Integer(*threads, "'threads'", 1, kMaxThreadCount).value_or(0));
    }
    if (const YamlNode* memory = node.Find("memory")) {
      std::optional<std::string> text = reader_.Text(*memory, "'memory'");
      Result<int64_t> bytes = text ? formats::ParseSizeBytes(*text) : Result<int64_t>(0);
      if (!bytes.ok())
        errors_.Add(std::move(bytes).error().With("'memory'").At(memory->source()));
      else if (text && *bytes == 0)
        errors_.Add(*memory, "'memory' must be more than nothing");
      else
        base.memory_bytes = *bytes;
    }
    if (const YamlNode* time = node.Find("time")) {
      std::optional<int64_t> ms = reader_.DurationMs(*time, "'time'");
      if (ms && *ms == 0)
        errors_.Add(*time, "'time' must be longer than nothing; leave it out for no limit");
      base.time_ms = ms.value_or(0);
    }
    return base;
  }

  bool IsVariable(const YamlNode& node) {
    const std::string& name = node.text();
    bool is_good = !name.empty() && name.size() <= 128 && !(name[0] >= '0' && name[0] <= '9') &&
                   std::all_of(name.begin(), name.end(), [](char c) {
                     return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '_';
                   });
    if (!is_good) {
      errors_.Add(node,
                  fmt::format("'{}' is no name for an environment variable: letters, digits and _",
                              name.substr(0, 80)));
    }
    return is_good;
  }

  void ParseEnv(const YamlNode& node) {
    if (!reader_.IsMapping(node, "'env'")) return;
    for (const YamlNode::Entry& entry : node.entries()) {
      if (!IsVariable(entry.key)) continue;
      if (entry.value.is_sequence() || entry.value.is_mapping()) {
        errors_.Add(entry.value, fmt::format("env '{}' must be a text, found {}", entry.key.text(),
                                             entry.value.KindName()));
        continue;
      }
      environment_.env.emplace_back(entry.key.text(), entry.value.text());
    }
    std::sort(environment_.env.begin(), environment_.env.end());
  }

  void ParseSecrets(const YamlNode& node) {
    if (node.is_mapping()) {
      errors_.Add(node,
                  "'secrets' is a list of names; the values come from the environment of whoever "
                  "runs Sluice");
      return;
    }
    for (const YamlNode* text : reader_.Texts(node, "'secrets'")) {
      if (IsVariable(*text)) environment_.secrets.push_back(text->text());
    }
    std::sort(environment_.secrets.begin(), environment_.secrets.end());
    auto end = std::unique(environment_.secrets.begin(), environment_.secrets.end());
    environment_.secrets.erase(end, environment_.secrets.end());
  }

  void ParseTracking(const YamlNode& node) {
    if (!reader_.IsMapping(node, "'tracking'")) return;
    static const std::vector<std::string> kKeys = {"uri"};
    reader_.OnlyKeys(node, "'tracking'", kKeys);
    const YamlNode* uri = node.Find("uri");
    std::optional<std::string> text = uri != nullptr ? reader_.Text(*uri, "'uri'") : std::nullopt;
    if (!text) return;
    if (!text->starts_with("http://") && !text->starts_with("https://")) {
      errors_.Add(
          *uri,
          fmt::format(
              "'{}' is no address of a tracking server; it begins with http:// or https://; leave "
              "'tracking' out to use the project's own store",
              text->substr(0, 80)));
      return;
    }
    environment_.tracking_uri = *text;
  }

  void ParseStore(const YamlNode& node) {
    std::optional<std::string> text = reader_.Text(node, "'store'");
    if (!text) return;
    if (text->empty()) {
      errors_.Add(node, "'store' is empty; name a folder, or leave it out for .sluice/objects");
    } else if (text->find("://") != text->npos) {
      errors_.Add(node,
                  fmt::format("the store '{}' is not available in this version; name a folder",
                              text->substr(0, 80)));
    } else {
      environment_.store = *text;
    }
  }

  void ParseLock(const YamlNode& node) {
    for (const YamlNode* text : reader_.Texts(node, "'lock'")) {
      Result<std::string> path = CheckProjectPath(text->text(), false);
      if (path.ok()) {
        environment_.lock_files.push_back(*path);
      } else {
        errors_.Add(std::move(path).error().At(text->source()));
      }
    }
    std::sort(environment_.lock_files.begin(), environment_.lock_files.end());
  }

  Errors errors_;
  Reader reader_;
  Environment environment_;
};

}  // namespace

const Resources& Environment::ResourcesOf(std::string_view step_name) const {
  auto found = by_step.find(std::string(step_name));
  return found == by_step.end() ? defaults : found->second;
}

Result<Environment> ParseEnvironment(std::string_view text, const std::string& file,
                                     const std::string& name) {
  return EnvironmentParser(name).Parse(text, file);
}

}  // namespace sluice::pipeline
