#include "runner/run_cache.h"

#include "runner/internal/facts_json.h"
#include "sluice_runner_embedded.h"

namespace sluice::runner {
namespace {

using sql::Query;
using sql::Row;

constexpr Query kFindEntry{
    "runner.find_cache_entry",
    "SELECT cache_key, step, run_id, created_ms, duration_ms, facts, ingredients FROM run_cache "
    "WHERE cache_key = $1"};
constexpr Query kListOutputs{
    "runner.list_cache_outputs",
    "SELECT cache_key, name, object_id, size_bytes FROM run_cache_outputs WHERE cache_key = $1 "
    "ORDER BY position"};
constexpr Query kListSuccesses{
    "runner.list_successes",
    "SELECT c.cache_key, s.step, c.run_id, c.created_ms, c.duration_ms, c.facts, c.ingredients "
    "FROM step_successes s JOIN run_cache c ON c.cache_key = s.cache_key WHERE s.pipeline = $1"};
constexpr Query kListSuccessOutputs{
    "runner.list_success_outputs",
    "SELECT DISTINCT o.cache_key, o.name, o.object_id, o.size_bytes, o.position "
    "FROM step_successes s JOIN run_cache_outputs o ON o.cache_key = s.cache_key "
    "WHERE s.pipeline = $1 ORDER BY o.cache_key, o.position"};
constexpr Query kPutEntry{
    "runner.put_cache_entry",
    "INSERT INTO run_cache (cache_key, step, run_id, created_ms, duration_ms, facts, ingredients) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (cache_key) DO UPDATE SET step = $2, "
    "run_id = $3, created_ms = $4, duration_ms = $5, facts = $6, ingredients = $7"};
constexpr Query kRemoveOutputs{"runner.remove_cache_outputs",
                               "DELETE FROM run_cache_outputs WHERE cache_key = $1"};
constexpr Query kPutOutput{
    "runner.put_cache_output",
    "INSERT INTO run_cache_outputs (cache_key, position, name, object_id, size_bytes) "
    "VALUES ($1, $2, $3, $4, $5)"};
constexpr Query kPutSuccess{
    "runner.put_success",
    "INSERT INTO step_successes (pipeline, step, cache_key, run_id, at_ms) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (pipeline, step) DO UPDATE SET cache_key = $3, "
    "run_id = $4, at_ms = $5"};
/// The ingredients stay, so that the next plan can say that the results are gone.
constexpr Query kListAllObjects{"runner.list_cache_objects",
                                "SELECT DISTINCT object_id FROM run_cache_outputs"};

Result<CacheEntry> EntryFromRow(const Row& row) {
  CacheEntry entry;
  ASSIGN_OR_RETURN(entry.key, Digest::FromHex(row.GetTextView(0)));
  entry.step = row.GetText(1);
  entry.run_id = row.GetText(2);
  entry.created_ms = row.GetInt64(3);
  entry.duration_ms = row.GetInt64(4);
  ASSIGN_OR_RETURN(entry.facts, ParseFacts(row.GetTextView(5)));
  ASSIGN_OR_RETURN(formats::Json ingredients,
                   formats::ParseJson(row.GetTextView(6), {.file = "run_cache.ingredients"}));
  ASSIGN_OR_RETURN(entry.ingredients, pipeline::IngredientsFromJson(ingredients));
  return entry;
}

struct OutputRow {
  std::string key;
  StepOutput output;
};

Result<OutputRow> OutputFromRow(const Row& row) {
  OutputRow output;
  output.key = row.GetText(0);
  output.output.name = row.GetText(1);
  ASSIGN_OR_RETURN(output.output.stored.id, objects::ObjectId::Parse(row.GetTextView(2)));
  output.output.stored.size_bytes = row.GetInt64(3);
  return output;
}

}  // namespace

std::vector<sql::Migration> RunnerMigrations() {
  return sql::MigrationsFromFiles(embedded::EmbeddedFiles());
}

Result<std::optional<CacheEntry>> RunCache::Find(const Digest& key) {
  std::string hex = key.ToHex();
  return db_.Read([&](sql::Reader& reader) -> Result<std::optional<CacheEntry>> {
    ASSIGN_OR_RETURN(std::optional<CacheEntry> entry,
                     reader.FindOne(kFindEntry, {hex}, EntryFromRow));
    if (!entry) return entry;
    ASSIGN_OR_RETURN(std::vector<OutputRow> rows,
                     reader.FindAll(kListOutputs, {hex}, OutputFromRow));
    for (OutputRow& row : rows) entry->outputs.push_back(std::move(row.output));
    return entry;
  });
}

Result<std::map<std::string, CacheEntry, std::less<>>> RunCache::LoadLastSuccesses(
    std::string_view pipeline) {
  using Entries = std::map<std::string, CacheEntry, std::less<>>;
  return db_.Read([&](sql::Reader& reader) -> Result<Entries> {
    ASSIGN_OR_RETURN(std::vector<CacheEntry> entries,
                     reader.FindAll(kListSuccesses, {pipeline}, EntryFromRow));
    std::map<std::string, std::vector<StepOutput>, std::less<>> outputs;
    RETURN_IF_ERROR(reader.ForEach(kListSuccessOutputs, {pipeline}, [&](const Row& row) -> Status {
      ASSIGN_OR_RETURN(OutputRow output, OutputFromRow(row));
      outputs[output.key].push_back(std::move(output.output));
      return Ok();
    }));
    Entries by_step;
    for (CacheEntry& entry : entries) {
      auto found = outputs.find(entry.key.ToHex());
      if (found != outputs.end()) entry.outputs = found->second;
      std::string step = entry.step;
      by_step.emplace(std::move(step), std::move(entry));
    }
    return by_step;
  });
}

Status RunCache::Record(std::string_view pipeline, const CacheEntry& entry) {
  std::string key = entry.key.ToHex();
  std::string facts = PrintFacts(entry.facts);
  std::string ingredients = formats::PrintJson(pipeline::IngredientsToJson(entry.ingredients));
  return db_.Write(
      [&](sql::Tx& tx) -> Status {
        RETURN_IF_ERROR(tx.Execute(kPutEntry, {key, entry.step, entry.run_id, entry.created_ms,
                                               entry.duration_ms, facts, ingredients}));
        RETURN_IF_ERROR(tx.Execute(kRemoveOutputs, {key}));
        for (size_t i = 0; i < entry.outputs.size(); ++i) {
          const StepOutput& output = entry.outputs[i];
          RETURN_IF_ERROR(tx.Execute(kPutOutput, {key, i, output.name, output.stored.id.ToString(),
                                                  output.stored.size_bytes}));
        }
        RETURN_IF_ERROR(
            tx.Execute(kPutSuccess, {pipeline, entry.step, key, entry.run_id, entry.created_ms}));
        return Ok();
      },
      io::Durability::kFast);
}

Status RunCache::MarkUsed(std::string_view pipeline, std::string_view run_id, int64_t now_ms,
                          const std::vector<std::pair<std::string, Digest>>& steps) {
  if (steps.empty()) return Ok();
  return db_.Write(
      [&](sql::Tx& tx) -> Status {
        for (const auto& [step, key] : steps) {
          std::string hex = key.ToHex();
          RETURN_IF_ERROR(tx.Execute(kPutSuccess, {pipeline, step, hex, run_id, now_ms}));
        }
        return Ok();
      },
      io::Durability::kFast);
}

Status RunCache::Forget(const Digest& key) {
  std::string hex = key.ToHex();
  return db_.Write(
      [&](sql::Tx& tx) -> Status {
        RETURN_IF_ERROR(tx.Execute(kRemoveOutputs, {hex}));
        return Ok();
      },
      io::Durability::kFast);
}

Result<std::vector<objects::ObjectId>> RunCache::ListObjects() {
  return db_.Read([&](sql::Reader& reader) {
    return reader.FindAll(kListAllObjects, {}, [](const Row& row) {
      return objects::ObjectId::Parse(row.GetTextView(0));
    });
  });
}

}  // namespace sluice::runner
