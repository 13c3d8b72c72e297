#include "serve/serve.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_folder.h"
#include "http/client.h"
#include "http/server.h"
#include "model/folder.h"
#include "model/rows_json.h"
#include "model/testing/fixtures.h"

namespace sluice::serve {
namespace {

using model::testing::MakeTable;
using model::testing::Target;
using model::testing::TrainAndLoad;

std::string Row(std::string_view changed = "", std::string_view value = "") {
  const std::vector<std::pair<std::string, std::string>> good = {
      {"age", "40"},      {"income", "310.5"},          {"city", "\"Bern\""},
      {"member", "true"}, {"joined", "\"2020-01-02\""}, {"seen", "\"2020-01-02T10:00:00\""},
      {"visits", "3"}};
  std::string body = R"({"dataframe_records": [{)";
  for (const auto& [key, usual] : good) {
    if (key == changed && value.empty()) continue;
    body += (body.back() == '{' ? "\"" : ", \"") + key +
            "\": " + (key == changed ? std::string(value) : usual);
  }
  return body + "}]}";
}

http::Response Ask(const model::Model& model, std::string_view body,
                   std::string_view type = "application/json") {
  return Invoke(model, ServeOptions(), type, body);
}

TEST(InvokeTest, ClassifiersAnswerClassesAndOnRequestProbabilities) {
  const auto model = TrainAndLoad(Target::kBinaryText, "gbdt");
  const http::Response labels = Ask(*model, Row());
  EXPECT_EQ(labels.status, 200);
  EXPECT_EQ(labels.content_type, "application/json");
  EXPECT_TRUE(labels.body == R"({"predictions": ["<=50K"]})" ||
              labels.body == R"({"predictions": [">50K"]})")
      << labels.body;
  std::string body = Row();
  body.insert(body.size() - 1, R"(, "params": {"predict_method": "predict_proba"})");
  const auto json = formats::ParseJson(Ask(*model, body).body);
  ASSERT_TRUE(json.ok());
  ASSERT_EQ(json->At("predictions").At(0).size(), 2u);
  const double positive = json->At("predictions").At(0).At(1).AsDouble();
  EXPECT_EQ(labels.body.find(">50K") != std::string::npos, positive >= 0.5);
}

TEST(InvokeTest, ClassesKeepTheirTypes) {
  const auto is_one_of = [](const std::string& text, std::initializer_list<const char*> options) {
    for (const char* option : options) {
      if (text == std::string(R"({"predictions": [)") + option + "]}") return true;
    }
    return false;
  };
  const std::string booleans = Ask(*TrainAndLoad(Target::kBinaryBool, "linear"), Row()).body;
  EXPECT_TRUE(is_one_of(booleans, {"true", "false"})) << booleans;
  const std::string integers = Ask(*TrainAndLoad(Target::kMulticlassInteger, "linear"), Row()).body;
  EXPECT_TRUE(is_one_of(integers, {"-1", "10", "20"})) << integers;
  const std::string number = Ask(*TrainAndLoad(Target::kRegression, "linear"), Row()).body;
  const auto json = formats::ParseJson(number);
  EXPECT_TRUE(json->At("predictions").At(0).is_double()) << number;
}

TEST(InvokeTest, RegressionHasNoProbabilities) {
  const auto model = TrainAndLoad(Target::kRegression, "linear");
  std::string body = Row();
  body.insert(body.size() - 1, R"(, "params": {"predict_method": "predict_proba"})");
  const http::Response response = Ask(*model, body);
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("INVALID_PARAMETER_VALUE"), std::string::npos);
}

// The three oddities of real traffic at once: a category never seen, a missing value, an extra
// column.
TEST(InvokeTest, UnseenMissingAndExtraAreTakenAsTheSignatureSays) {
  const auto model = TrainAndLoad(Target::kBinaryText, "gbdt");
  EXPECT_EQ(Ask(*model, Row("city", "\"Atlantis\"")).status, 200);
  EXPECT_EQ(Ask(*model, Row("income", "null")).status, 200);
  EXPECT_EQ(Ask(*model, Row("visits", "null")).status, 200);
  EXPECT_EQ(Ask(*model, Row("visits")).status, 200);  // optional: may be absent
  EXPECT_EQ(Ask(*model, Row("visits", "3, \"extra\": [1]")).status, 200);
  const http::Response missing = Ask(*model, Row("age"));
  EXPECT_EQ(missing.status, 400);
  const auto json = formats::ParseJson(missing.body);
  EXPECT_EQ(json->At("error_code").AsString(), "INVALID_PARAMETER_VALUE");
  EXPECT_TRUE(json->At("message").AsString().ends_with("Model is missing inputs ['age']."));
  const http::Response wrong = Ask(*model, Row("age", "\"old\""));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(formats::ParseJson(wrong.body)->At("error_code").AsString(), "BAD_REQUEST");
  EXPECT_NE(wrong.body.find("Failed to convert column age to type 'int64'"), std::string::npos);
}

TEST(InvokeTest, ContentTypesFollowMlflow) {
  const auto model = TrainAndLoad(Target::kBinaryText, "linear");
  struct Case {
    std::string type;
    int status;
    std::string text;
  };
  const std::vector<Case> cases = {
      {"application/json", 200, ""},
      {"Application/JSON; charset=UTF-8", 200, ""},
      {"application/json; charset=latin-1", 415, "The scoring server only supports UTF-8"},
      {"application/json; format=pandas-split", 415,
       "Unrecognized content type parameters: format."},
      {"application/xml", 415,
       "This predictor only supports the following content types: Types: ['text/csv', "
       "'application/json']. Got 'application/xml'."},
      {"", 415,
       "This predictor only supports the following content types: Types: ['text/csv', "
       "'application/json']. Got ''."},
      {"text/csv", 400, ""},
  };
  for (const Case& one : cases) {
    const http::Response response = Ask(*model, Row(), one.type);
    EXPECT_EQ(response.status, one.status) << one.type;
    if (one.text.empty()) continue;
    EXPECT_EQ(response.body, one.text);
    EXPECT_TRUE(response.content_type.starts_with("text/plain"));
  }
}

class WireTest : public ::testing::TestWithParam<std::pair<Target, std::string>> {};

// JSON and CSV, one row or all, over a socket or not: the same bits as Model::Predict.
TEST_P(WireTest, PackagedModelsAreProvenThroughTheServingPath) {
  const auto& [target, learner] = GetParam();
  const ScratchFolder folder;
  model::testing::WriteTrainedModel(target, learner, folder.Join("trained"));
  ASSERT_TRUE(
      model::PackageModel({.trained_dir = folder.Join("trained"), .golden_rows = MakeTable(target)},
                          folder.Join("package"))
          .ok());
  const Status proven = model::ProveModelFolder(folder.Join("package"), PredictThroughWire);
  EXPECT_TRUE(proven.ok()) << proven.error().message();
}

INSTANTIATE_TEST_SUITE_P(All, WireTest,
                         ::testing::Values(std::pair{Target::kBinaryText, "gbdt"},
                                           std::pair{Target::kBinaryBool, "linear"},
                                           std::pair{Target::kMulticlassInteger, "gbdt"},
                                           std::pair{Target::kRegression, "linear"}));

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = TrainAndLoad(Target::kBinaryText, "gbdt");
    auto server = http::Server::Start(
        {}, http::Router(BuildRoutes(model_, ServeOptions{.version = "1.2.3"})));
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(server).value();
    client_ = http::Client::Connect("127.0.0.1", server_->port()).value();
  }

  std::shared_ptr<const model::Model> model_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
};

TEST_F(ServerTest, AnswersAllRoutes) {
  for (const char* path : {"/ping", "/health"}) {
    const auto response = client_->Get(path);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "\n");
  }
  EXPECT_EQ(client_->Get("/version")->body, "1.2.3");
  EXPECT_EQ(client_->Get("/invocations")->status, 405);
  EXPECT_EQ(client_->Get("/nope")->status, 404);
  const auto response = client_->Post("/invocations", "application/json", Row());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, Ask(*model_, Row()).body);
  EXPECT_EQ(client_->Post("/invocations", "application/json", "{")->status, 400);
}

TEST_F(ServerTest, SmallAndLargeRequestsGiveTheSameBits) {
  const auto table = MakeTable(Target::kBinaryText, 3000)->SelectColumns({0, 1, 2, 3, 4, 5, 6});
  const auto batch = table.ValueOrDie()->CombineChunksToBatch().ValueOrDie();
  const auto ask = [&](const arrow::RecordBatch& rows) {
    const auto response =
        client_->Post("/invocations", "application/json",
                      R"({"dataframe_split":)" + model::PrintSplitJson(rows).value() +
                          R"(,"params":{"predict_method":"predict_proba"}})");
    EXPECT_EQ(response->status, 200);
    return formats::ParseJson(response->body)->At("predictions");
  };
  const formats::Json all = ask(*batch);  // far over the inline limit: from the pool
  ASSERT_EQ(all.size(), 3000u);
  for (int64_t row = 0; row < 3000; row += 100) {
    EXPECT_EQ(ask(*batch->Slice(row, 1)).At(0), all.At(static_cast<size_t>(row)));
  }
}

}  // namespace
}  // namespace sluice::serve
