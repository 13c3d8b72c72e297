#include "model/testing/fixtures.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/table.h>

#include "base/check.h"
#include "base/random.h"
#include "base/testing/scratch_folder.h"
#include "features/graph.h"
#include "io/fs.h"
#include "learn/learners.h"
#include "model/folder.h"

namespace sluice::model::testing {
namespace {

template <typename Builder>
std::shared_ptr<arrow::Array> Finish(Builder& builder) {
  auto array = builder.Finish();
  CHECK_MSG(array.ok(), array.status().ToString());
  return *array;
}

void Must(const arrow::Status& status) { CHECK_MSG(status.ok(), status.ToString()); }

constexpr const char* kCities[] = {"Bern", "Zürich", "Genève, GE", "St. \"G\""};

}  // namespace

std::shared_ptr<arrow::Table> MakeTable(Target target, int64_t row_count) {
  Random random(7, "model fixtures");
  arrow::Int64Builder age, visits, label_integer;
  arrow::DoubleBuilder income, label_double;
  arrow::StringBuilder city, label_text;
  arrow::BooleanBuilder member, label_bool;
  arrow::Date32Builder joined;
  arrow::TimestampBuilder seen(arrow::timestamp(arrow::TimeUnit::MICRO),
                               arrow::default_memory_pool());
  for (int64_t i = 0; i < row_count; ++i) {
    const auto years = static_cast<int64_t>(18 + random.NextBelow(60));
    const double money = 1000 * random.NextDouble() + 0.1;
    const size_t place = random.NextBelow(4);
    const bool is_member = random.NextBelow(2) == 1;
    const auto day = static_cast<int32_t>(18'000 + random.NextBelow(900));
    Must(age.Append(years));
    Must(i % 9 == 3 ? income.AppendNull() : income.Append(money));
    Must(i % 11 == 5 ? city.AppendNull() : city.Append(kCities[place]));
    Must(member.Append(is_member));
    Must(joined.Append(day));
    Must(seen.Append(day * int64_t{86'400'000'000} +
                     static_cast<int64_t>(random.NextBelow(1u << 31))));
    Must(i % 7 == 2 ? visits.AppendNull()
                    : visits.Append(static_cast<int64_t>(random.NextBelow(30))));
    const double score = 0.05 * static_cast<double>(years) + 0.002 * money + (is_member ? 0.7 : 0) +
                         0.3 * static_cast<double>(place) + 0.5 * random.NextGaussian();
    Must(label_text.Append(score > 3.8 ? ">50K" : "<=50K"));
    Must(label_bool.Append(score > 3.8));
    Must(label_integer.Append(score > 4.5 ? 20 : score > 3.2 ? 10 : -1));
    Must(label_double.Append(score));
  }
  arrow::ArrayVector columns = {Finish(age),    Finish(income), Finish(city),  Finish(member),
                                Finish(joined), Finish(seen),   Finish(visits)};
  std::vector<std::string> names = {"age", "income", "city", "member", "joined", "seen", "visits"};
  names.push_back("target");
  switch (target) {
    case Target::kBinaryText: columns.push_back(Finish(label_text)); break;
    case Target::kBinaryBool: columns.push_back(Finish(label_bool)); break;
    case Target::kMulticlassInteger: columns.push_back(Finish(label_integer)); break;
    case Target::kRegression: columns.push_back(Finish(label_double)); break;
  }
  arrow::FieldVector fields;
  for (size_t i = 0; i < columns.size(); ++i) {
    fields.push_back(arrow::field(names[i], columns[i]->type()));
  }
  return arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns), row_count);
}

void WriteTrainedModel(Target target, const std::string& learner, const std::string& dir) {
  const auto table = MakeTable(target);
  const auto spec_json = formats::ParseJson(R"({
    "label": "target",
    "task": ")" + std::string(target == Target::kRegression ? "regression" : "classification") +
                                            R"(",
    "columns": {"income": [{"impute": "median"}, {"scale": "standard"}],
                "visits": [{"impute": "median"}],
                "city": ["one_hot"]}
  })");
  CHECK_MSG(spec_json.ok(), spec_json.error().ToString());
  const auto spec = features::FeatureSpec::FromJson(*spec_json);
  CHECK_MSG(spec.ok(), spec.error().ToString());
  const auto graph = features::FeatureGraph::Fit(*table, *spec);
  CHECK_MSG(graph.ok(), graph.error().ToString());
  const auto data = graph->ApplyLabelled(*table);
  CHECK_MSG(data.ok(), data.error().ToString());

  learn::TrainRequest request;
  request.task = target == Target::kRegression          ? learn::Task::kRegression
                 : target == Target::kMulticlassInteger ? learn::Task::kMulticlass
                                                        : learn::Task::kBinary;
  request.class_count = static_cast<int64_t>(graph->label()->classes().size());
  request.feature_names = graph->feature_names();
  request.train.features = {.values = data->features.values.data(),
                            .row_count = data->features.row_count,
                            .column_count = data->features.column_count};
  request.train.labels = data->labels;
  request.seed = 7;
  if (learner == "gbdt") {
    request.params = formats::Json::MakeObject({{"n_estimators", 20}, {"max_depth", 4}});
  }
  const auto model = learn::Train(learner, request);
  CHECK_MSG(model.ok(), model.error().ToString());
  const Status written = WriteModel({.features = *graph, .learner = **model, .seed = 7}, dir);
  CHECK_MSG(written.ok(), written.error().ToString());
}

std::shared_ptr<const Model> TrainAndLoad(Target target, const std::string& learner) {
  const ScratchFolder folder;
  WriteTrainedModel(target, learner, folder.path());
  const auto model = Model::Load(folder.path());
  CHECK_MSG(model.ok(), model.error().ToString());
  return *model;
}

}  // namespace sluice::model::testing
