#include <benchmark/benchmark.h>

#include <filesystem>

#include "base/id.h"
#include "registry/store.h"
#include "sql/sqlite.h"

namespace sluice::registry {
namespace {

using sql::Query;

// 100,000 versions: half of them of one model, the others of 500 models; each with two tags, one of
// a hundred values and one of its own.
constexpr Query kModels{
    "bench.models",
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO "
    "registered_models (name, description, last_version, created_ms, updated_ms, life) SELECT "
    "'model_' || i, '', 100000, i, i, 'life_' || i FROM n"};
constexpr Query kVersions{
    "bench.versions",
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) INSERT INTO "
    "model_versions (name, version, source, model_id, run_id, description, verdict, "
    "verdict_digest, provenance, created_ms, updated_ms, is_deleted) SELECT CASE WHEN i < 50000 "
    "THEN 'model_0' ELSE 'model_' || (1 + i % 500) END, 1 + i, 's3://bucket/models/' || i, '', "
    "'run_' || i, '', 0, '', '', i, (i * 7919) % 100000, 0 FROM n"};
constexpr Query kTags{
    "bench.tags",
    "INSERT INTO model_version_tags (name, version, key, value) SELECT name, version, 'team', "
    "'team_' || (version % 100) FROM model_versions"};
constexpr Query kOwnTags{
    "bench.own_tags",
    "INSERT INTO model_version_tags (name, version, key, value) SELECT name, version, 'commit', "
    "'commit_' || version FROM model_versions"};

class Registry {
 public:
  Registry()
      : path_(std::filesystem::temp_directory_path() /
              ("sluice-bench-" + NewRandomHex(12) + ".db")) {
    db_ = sql::OpenSqlite(path_).value();
    (void)sql::Migrate(*db_, Migrations()).value();
    Status filled = db_->Write([](sql::Tx& tx) -> Status {
      for (const Query& query : {kModels, kVersions, kTags, kOwnTags})
        RETURN_IF_ERROR(tx.Execute(query));
      return Ok();
    });
    CHECK_MSG(filled.ok(), filled.error().ToString());
    store_ = OpenStore(*db_);
  }
  ~Registry() {
    store_.reset();
    db_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
  }
  Store& store() { return *store_; }

 private:
  const std::string path_;
  std::unique_ptr<sql::Db> db_;
  std::unique_ptr<Store> store_;
};

Registry& Shared() {
  static Registry registry;
  return registry;
}

const char* const kFilters[] = {"",
                                "name = 'model_0'",
                                "name = 'model_7' AND version_number > 50100",
                                "run_id = 'run_777'",
                                "tags.team = 'team_3'",
                                "tags.commit = 'commit_777'",
                                "name LIKE 'model_1%' AND tags.team != 'team_3'",
                                "source_path LIKE '%/99999'"};

void BM_SearchVersions(benchmark::State& state) {
  SearchRequest request{.filter = kFilters[state.range(0)], .max_results = 100};
  (void)Shared();
  for (auto _ : state) {
    Result<VersionPage> page = Shared().store().SearchVersions(request);
    if (!page.ok()) state.SkipWithError(page.error().message().c_str());
    benchmark::DoNotOptimize(page);
  }
  state.SetLabel(request.filter.empty() ? "everything" : request.filter);
}
BENCHMARK(BM_SearchVersions)->DenseRange(0, 7)->Unit(benchmark::kMicrosecond);

// The last page of many, by its token.
void BM_SearchVersionsDeepPage(benchmark::State& state) {
  SearchRequest request{.order_by = {"name", "version_number"}, .max_results = 20'000};
  std::string token;
  for (int i = 0; i < 4; ++i)
    request.page_token = Shared().store().SearchVersions(request).value().next_page_token;
  request.max_results = 100;
  for (auto _ : state)
    benchmark::DoNotOptimize(Shared().store().SearchVersions(request).value().versions.size());
}
BENCHMARK(BM_SearchVersionsDeepPage)->Unit(benchmark::kMicrosecond);

void BM_SearchModels(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(Shared().store().SearchModels({}).value().models.size());
}
BENCHMARK(BM_SearchModels)->Unit(benchmark::kMicrosecond);

void BM_GetModelOf50000Versions(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(Shared().store().GetModel("model_0").value().latest_version);
}
BENCHMARK(BM_GetModelOf50000Versions)->Unit(benchmark::kMicrosecond);

void BM_CreateVersion(benchmark::State& state) {
  Registry own;
  for (auto _ : state) {
    Result<ModelVersion> version =
        own.store().CreateVersion({.name = "model_1", .source = "s3://bucket/x"});
    if (!version.ok()) state.SkipWithError(version.error().message().c_str());
  }
}
BENCHMARK(BM_CreateVersion)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::registry
