#include "app/cli/gc_store.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "api/artifact_service.h"
#include "app/store_database.h"
#include "base/clock.h"
#include "formats/json.h"
#include "tracking/purge.h"

namespace sluice::app {

namespace {

using Ids = std::vector<std::string>;
using PurgeFunction = Result<Ids> (tracking::Purger::*)(const tracking::PurgeRequest&);

/// One kind of thing that can be purged.
struct Kind {
  std::string_view option;
  std::string_view word;
  PurgeFunction purge;
};
// Runs and models before the experiments that hold them, so that each is told.
constexpr Kind kKinds[] = {
    {"run-ids", "Run", &tracking::Purger::PurgeRuns},
    {"logged-model-ids", "Logged model", &tracking::Purger::PurgeLoggedModels},
    {"experiment-ids", "Experiment", &tracking::Purger::PurgeExperiments},
};

Ids SplitIds(std::string_view text) {
  Ids ids;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) ids.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return ids;
}

/// Removes what purges have left, these and earlier ones, and says what it could not.
Result<formats::Json> RemoveArtifacts(tracking::Purger& purger, api::ArtifactService& artifacts) {
  constexpr size_t kAtOnce = 1000;
  int64_t removed_count = 0;
  formats::Json kept = formats::Json::MakeArray();
  while (true) {
    // Those that could not be removed stay at the head of the list.
    ASSIGN_OR_RETURN(const std::vector<tracking::ArtifactRemoval> removals,
                     purger.ListArtifactRemovals(kept.size() + kAtOnce));
    if (removals.size() == kept.size()) break;
    kept = formats::Json::MakeArray();
    for (const tracking::ArtifactRemoval& removal : removals) {
      const Status removed = artifacts.Delete(removal.artifact_uri);
      if (!removed.ok()) {
        kept.Append(formats::Json::MakeObject(
            {{"artifact_uri", removal.artifact_uri}, {"reason", removed.error().message()}}));
        continue;
      }
      RETURN_IF_ERROR(purger.FinishArtifactRemoval(removal.id));
      ++removed_count;
    }
  }
  return formats::Json::MakeObject(
      {{"removed_artifact_count", removed_count}, {"kept_artifacts", std::move(kept)}});
}

Result<std::unique_ptr<api::ArtifactService>> OpenArtifacts(const Arguments& arguments) {
  api::ArtifactServiceOptions options;
  options.destination = arguments.Get("artifacts-destination");
  options.local_roots = arguments.GetAll("artifact-root");
  if (options.local_roots.empty()) options.local_roots.push_back("./mlruns");
  return api::ArtifactService::Open(std::move(options));
}

void PrintIds(const Kind& kind, const Ids& ids, bool is_dry_run) {
  for (const std::string& id : ids) {
    fmt::print("{} with ID {} {} permanently deleted.\n", kind.word, id,
               is_dry_run ? "would be" : "has been");
  }
}

}  // namespace

Result<int64_t> ParseAgeMs(std::string_view text) {
  struct Unit {
    char letter;
    double ms;
  };
  constexpr Unit kUnits[] = {{'d', 86'400'000}, {'h', 3'600'000}, {'m', 60'000}, {'s', 1000}};
  const Error wrong = InvalidArgument(fmt::format(
      "Could not parse any time information from '{}'. Examples of valid strings: '8h', "
      "'2d8h5m20s', '2m4s'",
      text));
  constexpr double kMaxMs = 1e15;  // longer ago than anything
  double age_ms = 0;
  size_t next_unit = 0;
  if (text.empty()) return wrong;
  while (!text.empty()) {
    double number = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || end == text.data() + text.size() || !(number >= 0)) return wrong;
    while (next_unit < std::size(kUnits) && kUnits[next_unit].letter != *end) ++next_unit;
    if (next_unit == std::size(kUnits)) return wrong;
    age_ms += number * kUnits[next_unit++].ms;
    text.remove_prefix(static_cast<size_t>(end + 1 - text.data()));
  }
  if (age_ms > kMaxMs) return wrong;
  return static_cast<int64_t>(age_ms);
}

std::vector<CliOption> StoreGcOptionRows() {
  return {
      {"backend-store-uri", '\0', "URI",
       "instead: purge what was deleted in this database, as `mlflow gc` does"},
      {"older-than", '\0', "AGE", "only what was deleted so long ago: 30d, 1.5d2h"},
      {"run-ids", '\0', "IDS", "only these deleted runs, separated by commas"},
      {"experiment-ids", '\0', "IDS", "only these deleted experiments, with all their runs"},
      {"logged-model-ids", '\0', "IDS", "only these deleted logged models"},
      {"artifacts-destination", '\0', "URI",
       "what stands behind mlflow-artifacts:, as the server has it", false, "./mlartifacts",
       "MLFLOW_ARTIFACTS_DESTINATION"},
      {"artifact-root", '\0', "DIR",
       "a folder below which artifacts at plain paths may be removed; default ./mlruns", true},
  };
}

bool WantsStoreGc(const Arguments& arguments) {
  for (const CliOption& option : StoreGcOptionRows()) {
    // A variable alone changes nothing.
    if (option.variable.empty() && arguments.Has(option.name)) return true;
  }
  return false;
}

Result<int> RunStoreGc(const Arguments& arguments) {
  const std::string uri = arguments.Get("backend-store-uri");
  if (uri.empty()) {
    return InvalidArgument(
        "say which database: --backend-store-uri sqlite:///PATH or postgresql://...");
  }
  std::optional<int64_t> deleted_before_ms;
  if (const std::string age = arguments.Get("older-than"); !age.empty()) {
    ASSIGN_OR_RETURN(const int64_t age_ms, ParseAgeMs(age));
    deleted_before_ms = SystemClock().NowMs() - age_ms;
  }
  ASSIGN_OR_RETURN(std::unique_ptr<sql::Db> db, OpenStoreDatabase(uri));
  ASSIGN_OR_RETURN(std::unique_ptr<api::ArtifactService> artifacts, OpenArtifacts(arguments));
  tracking::Purger purger(*db);
  const bool is_dry_run = arguments.Has("dry-run");
  const bool prints_json = arguments.Has("json");
  bool names_any = false;
  for (const Kind& kind : kKinds) names_any |= arguments.Has(kind.option);

  formats::Json report = formats::Json::MakeObject();
  if (!is_dry_run) RETURN_IF_ERROR(purger.Resume());
  for (const Kind& kind : kKinds) {
    Ids purged;
    if (arguments.Has(kind.option) || !names_any) {
      tracking::PurgeRequest request{.ids = SplitIds(arguments.Get(kind.option)),
                                     .deleted_before_ms = deleted_before_ms,
                                     .is_dry_run = is_dry_run};
      if (names_any && request.ids.empty())
        return InvalidArgument(fmt::format("--{} names nothing", kind.option));
      ASSIGN_OR_RETURN(purged, (purger.*kind.purge)(request));
    }
    if (!prints_json) PrintIds(kind, purged, is_dry_run);
    formats::Json ids = formats::Json::MakeArray();
    for (std::string& id : purged) ids.Append(std::move(id));
    std::string member(kind.option);
    std::replace(member.begin(), member.end(), '-', '_');
    report[member] = std::move(ids);
  }
  if (!is_dry_run) {
    ASSIGN_OR_RETURN(const formats::Json removed, RemoveArtifacts(purger, *artifacts));
    for (const auto& [name, value] : removed.AsObject()) report[name] = value;
    for (const formats::Json& kept : removed.At("kept_artifacts").AsArray()) {
      if (prints_json) break;
      fmt::print("kept the artifacts {}: {}\n", kept.At("artifact_uri").AsString(),
                 kept.At("reason").AsString());
    }
  }
  if (prints_json) fmt::print("{}\n", formats::PrintJson(report));
  return 0;
}

}  // namespace sluice::app
