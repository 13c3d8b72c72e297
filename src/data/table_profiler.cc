#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include <limits>
#include <map>

#include "base/check.h"
#include "base/guarded.h"
#include "base/thread_pool.h"
#include "data/internal/profile/worker.h"
#include "data/profile.h"

namespace sluice::data {

namespace {

using internal::OrderedSums;
using internal::ProfileLayout;
using internal::Worker;

/// Ordered sums are added in block order; those that came early wait.
struct Shared {
  std::vector<std::unique_ptr<Worker>> idle_workers;
  int64_t next_block = 0;
  OrderedSums total;
  std::map<int64_t, OrderedSums> waiting;

  void AddInOrder(int64_t block_index, OrderedSums sums) {
    CHECK_MSG(block_index >= next_block, "block profiled twice");
    CHECK_MSG(waiting.emplace(block_index, std::move(sums)).second, "block profiled twice");
    while (!waiting.empty() && waiting.begin()->first == next_block) MergeFirst();
  }
  void MergeFirst() {
    next_block = waiting.begin()->first + 1;
    total.Merge(waiting.begin()->second);
    waiting.erase(waiting.begin());
  }
};

void Flag(ColumnProfile& profile) {
  constexpr double kSketchedIdShare = 0.97;
  constexpr double kMaxIdLength = 64;
  constexpr double kMaxCategories = 100;
  constexpr double kMaxIntegerCategories = 20;
  constexpr double kRowsPerCategory = 10;
  auto value_count = static_cast<double>(profile.row_count - profile.null_count);
  bool is_integer = profile.type == ColumnType::kInt64;
  bool is_text = profile.type == ColumnType::kString;
  profile.is_constant =
      profile.row_count > 0 &&
      (value_count == 0 ||
       (profile.null_count == 0 && profile.distinct_count == 1 && profile.is_distinct_exact));
  bool all_differ = profile.is_distinct_exact
                        ? profile.distinct_count == value_count
                        : profile.distinct_count >= kSketchedIdShare * value_count;
  profile.is_likely_id = profile.row_count > 1 && profile.null_count == 0 && all_differ &&
                         (is_integer || (is_text && profile.text->mean_length <= kMaxIdLength));
  double category_limit = is_integer ? kMaxIntegerCategories : kMaxCategories;
  profile.is_likely_category = (is_integer || is_text || profile.type == ColumnType::kBool) &&
                               profile.is_distinct_exact && profile.distinct_count >= 2 &&
                               profile.distinct_count <= category_limit &&
                               value_count >= kRowsPerCategory * profile.distinct_count;
}

void AddCorrelations(const ProfileLayout& layout, const OrderedSums& sums, TableProfile& profile) {
  size_t count = layout.correlated.size();
  profile.correlations.assign(count,
                              std::vector<double>(count, std::numeric_limits<double>::quiet_NaN()));
  size_t pair = 0;
  for (size_t i = 0; i < count; ++i) {
    profile.correlation_columns.push_back(layout.names[layout.correlated[i]]);
    const internal::Moments& moments = sums.columns[layout.correlated[i]];
    if (moments.count > 1 && moments.m2 > 0) profile.correlations[i][i] = 1;
    for (size_t j = i + 1; j < count; ++j) {
      double value = sums.pairs[pair++].Correlation();
      profile.correlations[i][j] = value;
      profile.correlations[j][i] = value;
    }
  }
}

}  // namespace

struct TableProfiler::State {
  ProfileLayout layout;
  ProfileOptions options;
  Guarded<Shared> shared;
};

TableProfiler::TableProfiler(std::unique_ptr<State> state) : state_(std::move(state)) {}
TableProfiler::~TableProfiler() = default;

Result<std::unique_ptr<TableProfiler>> TableProfiler::Create(const arrow::Schema& schema,
                                                             ProfileOptions options) {
  auto state = std::make_unique<State>();
  state->options = options;
  ProfileLayout& layout = state->layout;
  for (const std::shared_ptr<arrow::Field>& field : schema.fields()) {
    ASSIGN_OR_RETURN(ColumnType type, ColumnTypeOf(*field->type(), field->name()));
    bool is_correlated = IsNumeric(type) || type == ColumnType::kBool;
    if (is_correlated && layout.correlated.size() < options.max_correlation_columns) {
      layout.correlated.push_back(layout.types.size());
    }
    layout.names.push_back(field->name());
    layout.types.push_back(type);
  }
  state->shared.With([&](Shared& shared) {
    shared.total.columns.resize(layout.types.size());
    shared.total.pairs.resize(layout.pair_count());
  });
  return std::unique_ptr<TableProfiler>(new TableProfiler(std::move(state)));
}

void TableProfiler::Add(int64_t block_index, const arrow::RecordBatch& batch) {
  CHECK(block_index >= 0);
  std::unique_ptr<Worker> worker = state_->shared.With([](Shared& shared) {
    std::unique_ptr<Worker> idle;
    if (!shared.idle_workers.empty()) {
      idle = std::move(shared.idle_workers.back());
      shared.idle_workers.pop_back();
    }
    return idle;
  });
  if (worker == nullptr) worker = std::make_unique<Worker>(state_->layout, state_->options);
  OrderedSums sums = worker->AddBlock(block_index, batch);
  state_->shared.With([&](Shared& shared) {
    shared.idle_workers.push_back(std::move(worker));
    shared.AddInOrder(block_index, std::move(sums));
  });
}

TableProfile TableProfiler::Finish(size_t thread_count) {
  const ProfileLayout& layout = state_->layout;
  OrderedSums sums;
  std::vector<std::unique_ptr<Worker>> workers;
  state_->shared.With([&](Shared& shared) {
    while (!shared.waiting.empty()) shared.MergeFirst();
    sums = std::move(shared.total);
    workers = std::move(shared.idle_workers);
  });
  if (workers.empty()) workers.push_back(std::make_unique<Worker>(layout, state_->options));
  Worker& all = *workers.front();
  // Nothing that is merged here depends on the order of workers, which is whatever threads made it.
  for (size_t i = 1; i < workers.size(); ++i) all.Merge(*workers[i]);
  TableProfile profile;
  profile.row_count = all.row_count();
  profile.memory_size_bytes = all.memory_size_bytes();
  profile.columns.resize(layout.types.size());
  ParallelFor(thread_count, layout.types.size(), [&](size_t i) {
    ColumnProfile& column = profile.columns[i];
    column.name = layout.names[i];
    column.type = layout.types[i];
    column.row_count = profile.row_count;
    all.column(i).Finish(sums.columns[i], state_->options, column);
    Flag(column);
  });
  profile.duplicate_row_count = all.duplicates().Count(thread_count);
  profile.are_duplicates_exact = all.duplicates().is_exact();
  AddCorrelations(layout, sums, profile);
  return profile;
}

Result<TableProfile> ProfileTable(const arrow::Table& table, size_t thread_count,
                                  const ProfileOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<TableProfiler> profiler,
                   TableProfiler::Create(*table.schema(), options));
  // Blocks are cut from the start of the table, whatever its chunks are: equal rows give equal
  // blocks.
  auto block_count =
      static_cast<size_t>((table.num_rows() + kProfileBlockRows - 1) / kProfileBlockRows);
  ParallelFor(thread_count, block_count, [&](size_t block) {
    auto index = static_cast<int64_t>(block);
    std::shared_ptr<arrow::Table> rows = table.Slice(index * kProfileBlockRows, kProfileBlockRows);
    arrow::Result<std::shared_ptr<arrow::RecordBatch>> batch = rows->CombineChunksToBatch();
    CHECK_MSG(batch.ok(), batch.status().ToString());
    profiler->Add(index, **batch);
  });
  return profiler->Finish(thread_count);
}

}  // namespace sluice::data
