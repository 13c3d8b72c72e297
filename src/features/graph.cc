#include "features/graph.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/suggest.h"
#include "base/thread_pool.h"
#include "features/internal/graph_state.h"
#include "features/internal/read_column.h"

namespace sluice::features {
namespace {

using internal::Chain;

/// Rows transformed at a time: small enough that a block of some hundred features stays in the
/// second-level cache.
constexpr int64_t kBlockRows = 512;
/// Rows of a unit of parallel work.
constexpr int64_t kPartRows = 16'384;

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Status CheckColumnExists(const arrow::Schema& schema, const std::string& name,
                         std::string_view role) {
  std::vector<int> found = schema.GetAllFieldIndices(name);
  if (found.size() == 1) return Ok();
  if (found.size() > 1)
    return InvalidArgument(
        fmt::format("column '{}': the table has {} of them", name, found.size()));
  return InvalidArgument(fmt::format("{}: the table has no column '{}'{}", role, name,
                                     DidYouMean(name, schema.field_names())));
}

Status CheckSpecColumns(const arrow::Schema& schema, const FeatureSpec& spec) {
  if (!spec.label.empty()) RETURN_IF_ERROR(CheckColumnExists(schema, spec.label, "label"));
  if (!spec.weight.empty()) RETURN_IF_ERROR(CheckColumnExists(schema, spec.weight, "weight"));
  for (const std::string& name : spec.drop)
    RETURN_IF_ERROR(CheckColumnExists(schema, name, "drop"));
  for (const auto& [name, chain] : spec.columns)
    RETURN_IF_ERROR(CheckColumnExists(schema, name, "columns"));
  return Ok();
}

const ChainSpec& DefaultChain(const FeatureSpec& spec, ColumnType type) {
  switch (type) {
    case ColumnType::kBool: return spec.bool_default;
    case ColumnType::kInt64:
    case ColumnType::kDouble: return spec.numeric_default;
    case ColumnType::kString: return spec.text_default;
    case ColumnType::kDate:
    case ColumnType::kTimestamp: break;
  }
  return spec.date_default;
}

struct Planned {
  InputColumn input;
  int column_index;
  const ChainSpec* chain;
};

bool HasMissing(const arrow::ChunkedArray& column) {
  if (column.null_count() > 0) return true;
  if (column.type()->id() != arrow::Type::DOUBLE) return false;
  for (const std::shared_ptr<arrow::Array>& chunk : column.chunks()) {
    const double* values = static_cast<const arrow::DoubleArray&>(*chunk).raw_values();
    if (std::any_of(values, values + chunk->length(),
                    [](double value) { return !std::isfinite(value); }))
      return true;
  }
  return false;
}

/// Which columns become inputs, with what chain, in the table's order.
Result<std::vector<Planned>> PlanInputs(const arrow::Table& table, const FeatureSpec& spec) {
  std::vector<Planned> planned;
  for (int i = 0; i < table.num_columns(); ++i) {
    const std::string& name = table.field(i)->name();
    if (name == spec.label || name == spec.weight || Contains(spec.drop, name)) continue;
    const ChainSpec* chain = nullptr;
    for (const auto& [declared, declared_chain] : spec.columns) {
      if (declared == name) chain = &declared_chain;
    }
    if (chain != nullptr && chain->is_dropped) continue;
    std::optional<ColumnType> type = table::CanonicalType(*table.field(i)->type());
    if (!type.has_value()) {
      return InvalidArgument(
          fmt::format("column '{}': has type {}, which features cannot read; convert or drop it",
                      name, table.field(i)->type()->ToString()));
    }
    if (chain == nullptr) chain = &DefaultChain(spec, *type);
    if (chain->is_dropped) continue;
    RETURN_IF_ERROR(CheckColumnExists(*table.schema(), name, "table"));
    planned.push_back(
        {{.name = name, .type = *type, .is_nullable = HasMissing(*table.column(i))}, i, chain});
  }
  if (planned.empty()) return InvalidArgument("no column is left to make features of");
  return planned;
}

/// The error of the first index that has one: the same for any number of threads.
Status FirstError(std::vector<Status>& statuses) {
  for (Status& status : statuses) {
    if (!status.ok()) return std::move(status);
  }
  return Ok();
}

Status ApplyRows(const FeatureGraph::State& state, const std::vector<const arrow::Array*>& columns,
                 int64_t row_count, double* out) {
  size_t stride = state.feature_names.size();
  internal::Block block;
  for (int64_t offset = 0; offset < row_count; offset += kBlockRows) {
    int64_t count = std::min(kBlockRows, row_count - offset);
    double* target = out + static_cast<size_t>(offset) * stride;
    for (size_t c = 0; c < state.chains.size(); ++c) {
      RETURN_IF_ERROR(state.chains[c].Apply(*columns[c], offset, count, block, target, stride));
    }
  }
  return Ok();
}

std::string QuotedList(const std::vector<std::string>& names) {
  return fmt::format("['{}']", fmt::join(names, "', '"));
}

Error MissingInputs(const std::vector<InputColumn>& inputs, const arrow::Schema& schema,
                    const LabelEncoder* label) {
  std::vector<std::string> missing, extra, known;
  for (const InputColumn& input : inputs) {
    known.push_back(input.name);
    if (schema.GetFieldIndex(input.name) < 0) missing.push_back(input.name);
  }
  for (const std::string& name : schema.field_names()) {
    if (!Contains(known, name) && (label == nullptr || label->name() != name))
      extra.push_back(name);
  }
  std::string message = fmt::format("Model is missing inputs {}.", QuotedList(missing));
  if (!extra.empty())
    message += fmt::format(" Note that there were extra inputs: {}.", QuotedList(extra));
  return InvalidArgument(std::move(message));
}

Result<std::vector<double>> ReadWeights(const arrow::ChunkedArray& column,
                                        const std::string& name) {
  InputColumn input{.name = name, .type = ColumnType::kDouble, .is_nullable = false};
  std::vector<double> weights;
  internal::Block block;
  for (const std::shared_ptr<arrow::Array>& chunk : column.chunks()) {
    RETURN_IF_ERROR(internal::ReadColumn(input, *chunk, 0, chunk->length(), block));
    for (double value : block.numbers) {
      if (!(value >= 0)) {
        return InvalidArgument(fmt::format(
            "weight '{}': row {} holds {}; weights are finite and not negative", name,
            weights.size() + 1, std::isnan(value) ? "no number" : fmt::format("{}", value)));
      }
      weights.push_back(value);
    }
  }
  return weights;
}

/// Keeps the rows of `data` that have a label.
void DropUnlabelled(LabelledData& data) {
  size_t width = static_cast<size_t>(data.features.column_count);
  size_t kept = 0;
  for (size_t row = 0; row < data.labels.size(); ++row) {
    if (std::isnan(data.labels[row])) continue;
    if (kept != row) {
      std::copy_n(data.features.values.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                  data.features.values.begin() + static_cast<std::ptrdiff_t>(kept * width));
      data.labels[kept] = data.labels[row];
      data.rows[kept] = data.rows[row];
      if (!data.weights.empty()) data.weights[kept] = data.weights[row];
    }
    ++kept;
  }
  data.features.values.resize(kept * width);
  data.features.row_count = static_cast<int64_t>(kept);
  data.labels.resize(kept);
  data.rows.resize(kept);
  if (!data.weights.empty()) data.weights.resize(kept);
}

}  // namespace

FeatureGraph::FeatureGraph(std::unique_ptr<State> state) : state_(std::move(state)) {}
FeatureGraph::FeatureGraph(FeatureGraph&&) noexcept = default;
FeatureGraph& FeatureGraph::operator=(FeatureGraph&&) noexcept = default;
FeatureGraph::~FeatureGraph() = default;

const std::vector<InputColumn>& FeatureGraph::inputs() const { return state_->inputs; }
const std::vector<std::string>& FeatureGraph::feature_names() const {
  return state_->feature_names;
}
const std::vector<int>& FeatureGraph::feature_inputs() const { return state_->feature_inputs; }
const LabelEncoder* FeatureGraph::label() const {
  return state_->label.has_value() ? &*state_->label : nullptr;
}
const std::string& FeatureGraph::weight_column() const { return state_->weight; }
const std::vector<std::string>& FeatureGraph::warnings() const { return state_->warnings; }

Result<FeatureGraph> FeatureGraph::Fit(const arrow::Table& table, const FeatureSpec& spec,
                                       int thread_count) {
  if (table.num_rows() == 0)
    return InvalidArgument("the training part has no rows to fit features on");
  RETURN_IF_ERROR(CheckSpecColumns(*table.schema(), spec));
  std::unique_ptr<State> state = std::make_unique<State>();
  state->weight = spec.weight;
  if (!spec.label.empty()) {
    ASSIGN_OR_RETURN(state->label, LabelEncoder::Fit(*table.GetColumnByName(spec.label), spec));
  }
  ASSIGN_OR_RETURN(std::vector<Planned> planned, PlanInputs(table, spec));
  std::vector<Chain> chains(planned.size());
  std::vector<Status> statuses(planned.size());
  std::vector<std::vector<std::string>> warnings(planned.size());
  ParallelFor(static_cast<size_t>(std::max(thread_count, 1)), planned.size(), [&](size_t i) {
    const Planned& plan = planned[i];
    Result<Chain> chain =
        internal::FitChain(plan.input, *table.column(plan.column_index), *plan.chain, warnings[i]);
    if (chain.ok()) {
      chains[i] = std::move(chain).value();
    } else {
      statuses[i] = std::move(chain).error();
    }
  });
  RETURN_IF_ERROR(FirstError(statuses));
  state->chains = std::move(chains);
  for (std::vector<std::string>& some : warnings) {
    state->warnings.insert(state->warnings.end(), some.begin(), some.end());
  }
  RETURN_IF_ERROR(state->Assemble());
  return FeatureGraph(std::move(state));
}

Result<Binding> FeatureGraph::Bind(const arrow::Schema& schema) const {
  Binding binding;
  binding.column_indices.reserve(state_->inputs.size());
  for (const InputColumn& input : state_->inputs) {
    int index = schema.GetFieldIndex(input.name);
    if (index < 0) {
      if (schema.GetAllFieldIndices(input.name).size() > 1) {
        return InvalidArgument(fmt::format("column '{}': is there more than once", input.name));
      }
      return MissingInputs(state_->inputs, schema, label());
    }
    binding.column_indices.push_back(index);
  }
  return binding;
}

Status FeatureGraph::ApplyInto(const Binding& binding, const arrow::RecordBatch& batch,
                               std::span<double> out) const {
  CHECK(binding.column_indices.size() == state_->inputs.size());
  CHECK(out.size() == static_cast<size_t>(batch.num_rows()) * state_->feature_names.size());
  std::vector<const arrow::Array*> columns;
  columns.reserve(binding.column_indices.size());
  // The batch owns its arrays, and keeps them once they are asked for.
  for (int index : binding.column_indices) columns.push_back(batch.column(index).get());
  return ApplyRows(*state_, columns, batch.num_rows(), out.data());
}

Result<Matrix> FeatureGraph::Apply(const arrow::RecordBatch& batch) const {
  ASSIGN_OR_RETURN(Binding binding, Bind(*batch.schema()));
  Matrix matrix;
  matrix.row_count = batch.num_rows();
  matrix.column_count = static_cast<int64_t>(state_->feature_names.size());
  matrix.values.resize(static_cast<size_t>(matrix.row_count * matrix.column_count));
  RETURN_IF_ERROR(ApplyInto(binding, batch, matrix.values));
  return matrix;
}

Result<Matrix> FeatureGraph::Apply(const arrow::Table& table, int thread_count) const {
  ASSIGN_OR_RETURN(Binding binding, Bind(*table.schema()));
  Matrix matrix;
  matrix.row_count = table.num_rows();
  matrix.column_count = static_cast<int64_t>(state_->feature_names.size());
  matrix.values.resize(static_cast<size_t>(matrix.row_count * matrix.column_count));

  std::vector<std::shared_ptr<arrow::RecordBatch>> parts;
  arrow::TableBatchReader reader(table);
  reader.set_chunksize(kPartRows);
  for (std::shared_ptr<arrow::RecordBatch> part;;) {
    if (arrow::Status status = reader.ReadNext(&part); !status.ok())
      return Internal(status.ToString());
    if (part == nullptr) break;
    parts.push_back(std::move(part));
  }
  std::vector<size_t> first_rows(parts.size());
  for (size_t i = 1; i < parts.size(); ++i)
    first_rows[i] = first_rows[i - 1] + static_cast<size_t>(parts[i - 1]->num_rows());
  std::vector<Status> statuses(parts.size());
  size_t width = state_->feature_names.size();
  ParallelFor(static_cast<size_t>(std::max(thread_count, 1)), parts.size(), [&](size_t i) {
    std::span<double> out(matrix.values.data() + first_rows[i] * width,
                          static_cast<size_t>(parts[i]->num_rows()) * width);
    statuses[i] = ApplyInto(binding, *parts[i], out);
  });
  RETURN_IF_ERROR(FirstError(statuses));
  return matrix;
}

Result<LabelledData> FeatureGraph::ApplyLabelled(const arrow::Table& table,
                                                 int thread_count) const {
  if (!state_->label.has_value()) return FailedPrecondition("the feature graph has no label");
  const LabelEncoder& label = *state_->label;
  RETURN_IF_ERROR(CheckColumnExists(*table.schema(), label.name(), "label"));
  ASSIGN_OR_RETURN(EncodedLabels labels, label.Encode(*table.GetColumnByName(label.name())));
  if (labels.missing_count > 0 && !label.drops_missing()) {
    return InvalidArgument(fmt::format("label '{}': is missing in {} of {} rows", label.name(),
                                       labels.missing_count, table.num_rows()));
  }
  LabelledData data;
  data.labels = std::move(labels.values);
  if (!state_->weight.empty()) {
    RETURN_IF_ERROR(CheckColumnExists(*table.schema(), state_->weight, "weight"));
    ASSIGN_OR_RETURN(data.weights,
                     ReadWeights(*table.GetColumnByName(state_->weight), state_->weight));
  }
  ASSIGN_OR_RETURN(data.features, Apply(table, thread_count));
  data.rows.resize(data.labels.size());
  std::iota(data.rows.begin(), data.rows.end(), int64_t{0});
  if (labels.missing_count > 0) DropUnlabelled(data);
  return data;
}

}  // namespace sluice::features
