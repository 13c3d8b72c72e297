#include "model/model.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/testing/scratch_folder.h"
#include "io/fs.h"
#include "model/folder.h"
#include "model/rows_json.h"
#include "model/testing/fixtures.h"
#include "table/time_text.h"

namespace sluice::model {
namespace {

using testing::MakeTable;
using testing::Target;
using testing::TrainAndLoad;
using testing::WriteTrainedModel;

struct Case {
  Target target;
  std::string learner;
};

class EveryModelTest : public ::testing::TestWithParam<Case> {};

TEST_P(EveryModelTest, PredictsTheSameForRowsBatchesTablesAndThreads) {
  const auto model = TrainAndLoad(GetParam().target, GetParam().learner);
  const auto table = MakeTable(GetParam().target);
  const auto all = model->PredictTable(table);
  ASSERT_TRUE(all.ok()) << all.error().message();
  EXPECT_EQ(all->row_count, table->num_rows());
  const auto threaded = model->PredictTable(table, 4);
  EXPECT_EQ(threaded->values, all->values);
  EXPECT_EQ(threaded->probabilities, all->probabilities);
  const size_t width = model->description().classes.size();
  for (int64_t row = 0; row < table->num_rows(); ++row) {
    const auto one = model->PredictTable(table->Slice(row, 1));
    ASSERT_TRUE(one.ok());
    const auto at = static_cast<size_t>(row);
    if (model->description().is_classifier()) {
      EXPECT_EQ(one->class_index[0], all->class_index[at]);
      double sum = 0;
      for (size_t k = 0; k < width; ++k) {
        EXPECT_EQ(one->probabilities[k], all->probabilities[at * width + k]);
        sum += one->probabilities[k];
      }
      EXPECT_NEAR(sum, 1, 1e-6);  // XGBoost computes in floats
    } else {
      EXPECT_EQ(one->values[0], all->values[at]);
    }
  }
}

TEST_P(EveryModelTest, ThreadsShareAModel) {
  const auto model = TrainAndLoad(GetParam().target, GetParam().learner);
  const auto table = MakeTable(GetParam().target);
  const auto expected = model->PredictTable(table);
  std::vector<std::thread> threads;
  std::atomic<int> equal_count = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const auto got = model->PredictTable(table);
        equal_count += got.ok() && got->values == expected->values &&
                       got->probabilities == expected->probabilities;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal_count, 20);
}

TEST_P(EveryModelTest, PackagesAndProves) {
  const ScratchFolder folder;
  WriteTrainedModel(GetParam().target, GetParam().learner, folder.Join("trained"));
  const PackageParts parts{.trained_dir = folder.Join("trained"),
                           .golden_rows = MakeTable(GetParam().target),
                           .training_statistics = formats::Json::MakeObject({{"version", 1}}),
                           .run_id = "r1"};
  const Status packaged = PackageModel(parts, folder.Join("package"));
  ASSERT_TRUE(packaged.ok()) << packaged.error().message();
  const Status proven = ProveModelFolder(folder.Join("package"), nullptr);
  EXPECT_TRUE(proven.ok()) << proven.error().message();
  // Equal parts, equal bytes.
  ASSERT_TRUE(PackageModel(parts, folder.Join("again")).ok());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.Join("package"))) {
    if (!entry.is_regular_file()) continue;
    const std::string name =
        std::filesystem::relative(entry.path(), folder.Join("package")).string();
    EXPECT_EQ(io::RealFs().ReadFile(entry.path().string()).value(),
              io::RealFs().ReadFile(folder.Join("again/" + name)).value())
        << name;
  }
  EXPECT_EQ(PackageModel(parts, folder.Join("again")).error().code(), ErrorCode::kAlreadyExists);
}

INSTANTIATE_TEST_SUITE_P(All, EveryModelTest,
                         ::testing::Values(Case{Target::kBinaryText, "linear"},
                                           Case{Target::kBinaryText, "gbdt"},
                                           Case{Target::kBinaryBool, "linear"},
                                           Case{Target::kMulticlassInteger, "linear"},
                                           Case{Target::kMulticlassInteger, "gbdt"},
                                           Case{Target::kRegression, "linear"},
                                           Case{Target::kRegression, "gbdt"}));

TEST(ModelTest, DescribesItself) {
  const auto model = TrainAndLoad(Target::kMulticlassInteger, "linear");
  const Description& description = model->description();
  EXPECT_EQ(description.label, "target");
  EXPECT_EQ(description.task, Task::kMulticlass);
  EXPECT_EQ(description.classes, (std::vector<formats::Json>{-1, 10, 20}));
  EXPECT_EQ(description.seed, 7);
  ASSERT_EQ(description.signature.inputs.size(), 7u);
  const std::vector<InputColumn> expected = {
      {.name = "age", .type = ColumnType::kInt64, .is_required = true},
      {.name = "income", .type = ColumnType::kDouble, .is_required = false},
      {.name = "city", .type = ColumnType::kString, .is_required = false},
      {.name = "member", .type = ColumnType::kBool, .is_required = true},
      {.name = "joined", .type = ColumnType::kDate, .is_required = true},
      {.name = "seen", .type = ColumnType::kTimestamp, .is_required = true},
      {.name = "visits", .type = ColumnType::kInt64, .is_required = false}};
  EXPECT_EQ(description.signature.inputs, expected);
  const auto again = Description::FromJson(description.ToJson());
  ASSERT_TRUE(again.ok()) << again.error().message();
  EXPECT_EQ(again->ToJson(), description.ToJson());
}

TEST(ModelTest, TheThresholdDecidesBinaryClasses) {
  const auto model = TrainAndLoad(Target::kBinaryText, "linear");
  const auto predictions = model->PredictTable(MakeTable(Target::kBinaryText));
  const auto table = PredictionsTable(model->description(), *predictions);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ((*table)->schema()->field_names(),
            (std::vector<std::string>{"prediction", "probability_<=50K", "probability_>50K"}));
  for (size_t i = 0; i < predictions->class_index.size(); ++i) {
    EXPECT_EQ(predictions->class_index[i], predictions->probabilities[2 * i + 1] >= 0.5 ? 1 : 0);
  }
}

// Every file of the folder is an outsider's: what is wrong with it is said, with the file's name.
TEST(ModelTest, LoadNamesWhatIsWrong) {
  const ScratchFolder folder;
  const std::string dir = folder.Join("m");
  WriteTrainedModel(Target::kBinaryText, "gbdt", dir);
  ASSERT_TRUE(Model::Load(dir).ok());
  io::Fs& fs = io::RealFs();
  const std::string model_json = fs.ReadFile(dir + "/model.json").value();
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string text = model_json;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "model.json"},
      {"[]", "not a JSON object"},
      {"{", "model.json"},
      {replaced("\"model\"", "\"profile\""), "kind"},
      {replaced("\"version\": 1", "\"version\": 9"), "version"},
      {replaced("\"binary\"", "\"regression\""), "classes"},
      {replaced("\"binary\"", "\"x\""), "task"},
      {replaced("\">50K\"", "\">51K\""), "classes"},
      {replaced("\">50K\"", "7"), "classes"},
      {replaced("\"threshold\": 0.5", "\"threshold\": 1.5"), "threshold"},
      {replaced("\"label\": \"target\"", "\"label\": \"x\""), "label"},
      {replaced("\"age\"", "\"agee\""), "inputs"},
      {replaced("\"int64\"", "\"int65\""), "inputs[0].type"},
      {replaced("\"age\"", "\"city\""), "twice"},
      {replaced("\"learner\": \"gbdt\"", "\"learner\": \"linear\""), "learner"},
      {replaced("\"seed\": 7", "\"seed\": \"7\""), "seed"},
  };
  for (const auto& [text, expected] : cases) {
    ASSERT_TRUE(fs.WriteFileAtomic(dir + "/model.json", text, io::Durability::kFast).ok());
    const auto model = Model::Load(dir);
    ASSERT_FALSE(model.ok()) << text;
    EXPECT_NE(model.error().ToString().find("model.json"), std::string::npos)
        << model.error().ToString();
    EXPECT_NE(model.error().ToString().find(expected), std::string::npos)
        << model.error().ToString();
  }
  ASSERT_TRUE(fs.WriteFileAtomic(dir + "/model.json", model_json, io::Durability::kFast).ok());
  ASSERT_TRUE(Model::Load(dir).ok());

  for (const std::string name : {"features.json", "learner/learner.json", "learner/model.ubj"}) {
    const std::string path = dir + "/" + name;
    const std::string bytes = fs.ReadFile(path).value();
    for (const std::string& bad : {std::string(), bytes.substr(0, bytes.size() / 2)}) {
      ASSERT_TRUE(fs.WriteFileAtomic(path, bad, io::Durability::kFast).ok());
      const auto model = Model::Load(dir);
      ASSERT_FALSE(model.ok()) << name;
      EXPECT_NE(model.error().ToString().find(io::BaseName(name)), std::string::npos)
          << model.error().ToString();
    }
    ASSERT_TRUE(fs.Remove(path).ok());
    EXPECT_EQ(Model::Load(dir).error().code(), ErrorCode::kNotFound) << name;
    // A link is no file of the folder, wherever it leads.
    ASSERT_TRUE(fs.Symlink("/etc/passwd", path).ok());
    EXPECT_NE(Model::Load(dir).error().message().find("not a regular file"), std::string::npos);
    ASSERT_TRUE(fs.Remove(path).ok());
    ASSERT_TRUE(fs.WriteFileAtomic(path, bytes, io::Durability::kFast).ok());
  }
  EXPECT_TRUE(Model::Load(dir).ok());
  EXPECT_EQ(Model::Load(folder.Join("none")).error().code(), ErrorCode::kNotFound);
}

TEST(FolderTest, TheProofFindsASingleChangedBit) {
  const ScratchFolder folder;
  WriteTrainedModel(Target::kRegression, "linear", folder.Join("trained"));
  ASSERT_TRUE(PackageModel({.trained_dir = folder.Join("trained"),
                            .golden_rows = MakeTable(Target::kRegression)},
                           folder.Join("p"))
                  .ok());
  const std::string path = folder.Join("p/golden_predictions.arrow");
  std::string bytes = io::RealFs().ReadFile(path).value();
  const auto model = Model::Load(folder.Join("p"));
  const auto predictions = (*model)->PredictTable(MakeTable(Target::kRegression));
  double value = predictions->values[3];
  std::string needle(reinterpret_cast<const char*>(&value), sizeof value);
  const size_t at = bytes.find(needle);
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  ASSERT_TRUE(io::RealFs().WriteFileAtomic(path, bytes, io::Durability::kFast).ok());
  const Status proven = ProveModelFolder(folder.Join("p"), nullptr);
  ASSERT_FALSE(proven.ok());
  EXPECT_EQ(proven.error().message(), "golden row 3: column 'prediction' is not what was stored");
  // A serving path that is off by one bit is found too.
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  ASSERT_TRUE(io::RealFs().WriteFileAtomic(path, bytes, io::Durability::kFast).ok());
  const auto wire = [](const Model& m, const std::shared_ptr<arrow::RecordBatch>& rows) {
    auto out = m.Predict(rows);
    if (rows->num_rows() == 1) out->values[0] = -out->values[0];
    return out;
  };
  EXPECT_EQ(ProveModelFolder(folder.Join("p"), wire).error().message(),
            "golden row 0: the value differs when predicted alone through the serving path");
}

TEST(FolderTest, GarbledGoldenRowsAreDataLoss) {
  const ScratchFolder folder;
  WriteTrainedModel(Target::kBinaryText, "linear", folder.Join("trained"));
  ASSERT_TRUE(PackageModel({.trained_dir = folder.Join("trained"),
                            .golden_rows = MakeTable(Target::kBinaryText)},
                           folder.Join("p"))
                  .ok());
  const std::string path = folder.Join("p/golden_rows.arrow");
  const std::string bytes = io::RealFs().ReadFile(path).value();
  for (const std::string& bad : {std::string(), std::string("ARROW1"), bytes.substr(0, 2000)}) {
    ASSERT_TRUE(io::RealFs().WriteFileAtomic(path, bad, io::Durability::kFast).ok());
    EXPECT_EQ(ProveModelFolder(folder.Join("p"), nullptr).error().code(), ErrorCode::kDataLoss);
  }
}

TEST(RowsJsonTest, PrintsEveryTypeExactly) {
  const auto table = MakeTable(Target::kBinaryText, 4)->SelectColumns({0, 1, 2, 3, 4, 5, 6});
  const auto batch = table.ValueOrDie()->CombineChunksToBatch().ValueOrDie();
  const auto json = formats::ParseJson(PrintSplitJson(*batch).value());
  ASSERT_TRUE(json.ok()) << json.error().ToString();
  EXPECT_EQ(json->At("columns").size(), 7u);
  const auto& incomes = static_cast<const arrow::DoubleArray&>(*batch->column(1));
  for (size_t row = 0; row < 3; ++row) {
    EXPECT_EQ(json->At("data").At(row).At(1).AsDouble(), incomes.Value(static_cast<int64_t>(row)));
    const std::string date = json->At("data").At(row).At(4).AsString();
    EXPECT_EQ(
        table::ParseIsoDate(date),
        static_cast<const arrow::Date32Array&>(*batch->column(4)).Value(static_cast<int64_t>(row)));
    const std::string time = json->At("data").At(row).At(5).AsString();
    EXPECT_EQ(table::ParseIsoTimestamp(time),
              static_cast<const arrow::TimestampArray&>(*batch->column(5))
                  .Value(static_cast<int64_t>(row)));
  }
  EXPECT_TRUE(json->At("data").At(3).At(1).is_null());
}

TEST(RowsJsonTest, DatesOutsideFourDigitYearsAreAnErrorThatNamesThem) {
  arrow::Date32Builder builder;
  ASSERT_TRUE(builder.Append(4'000'000).ok());
  const auto column = builder.Finish().ValueOrDie();
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("joined", arrow::date32())}), 1, arrow::ArrayVector{column});
  EXPECT_EQ(PrintSplitJson(*batch).error().message(),
            "column 'joined', row 0: a date outside the years 0001 to 9999 has no JSON form");
}

}  // namespace
}  // namespace sluice::model
