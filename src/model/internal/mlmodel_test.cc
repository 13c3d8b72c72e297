#include "model/internal/mlmodel.h"

#include <gtest/gtest.h>

#include "formats/yaml.h"

namespace sluice::model::internal {
namespace {

TEST(QuoteYamlTest, RoundTripsWhateverIsInside) {
  for (const std::string& text :
       {std::string("plain"), std::string("a\"b\\c'd"), std::string("\n\t\x01\x7f"),
        std::string("Zürich € 😀"), std::string("a: b # c"), std::string()}) {
    const auto parsed = formats::ParseYaml("key: " + QuoteYaml(text) + "\n");
    ASSERT_TRUE(parsed.ok()) << parsed.error().ToString();
    EXPECT_EQ(parsed->Find("key")->text(), text);
  }
}

TEST(MlmodelTest, HoldsSignatureAndFlavor) {
  Description description;
  description.task = Task::kBinary;
  description.classes = {"no", "yes"};
  description.learner = "linear";
  description.signature.inputs = {{.name = "it's \"x\"", .type = ColumnType::kDouble}};
  const std::string text = PrintMlmodel({.description = description,
                                         .model_uuid = std::string(32, 'a'),
                                         .run_id = "r1",
                                         .model_size_bytes = 12});
  const auto yaml = formats::ParseYaml(text);
  ASSERT_TRUE(yaml.ok()) << yaml.error().ToString() << text;
  EXPECT_EQ(yaml->Find("run_id")->text(), "r1");
  EXPECT_EQ(yaml->Find("flavors")->Find("sluice")->Find("task")->text(), "binary");
  const auto inputs = formats::ParseJson(yaml->Find("signature")->Find("inputs")->text());
  ASSERT_TRUE(inputs.ok());
  EXPECT_EQ(inputs->At(0).At("name").AsString(), "it's \"x\"");
  const auto outputs = formats::ParseJson(yaml->Find("signature")->Find("outputs")->text());
  EXPECT_EQ(outputs->At(0).At("type").AsString(), "string");
  EXPECT_EQ(text.find("utc_time_created"), std::string::npos);
}

}  // namespace
}  // namespace sluice::model::internal
