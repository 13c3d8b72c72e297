// How every registry must answer searches. Instantiated beside store_contract.h.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "registry/testing/store_contract.h"

namespace sluice::registry {

class RegistrySearchContract : public RegistryStoreContract {
 protected:
  using Names = std::vector<std::string>;

  Names Models(const std::string& filter, std::vector<std::string> order_by = {}) {
    Result<ModelPage> page = store().SearchModels({.filter = filter, .order_by = order_by});
    EXPECT_TRUE(page.ok()) << filter << ": " << page.error().ToString();
    Names names;
    if (page.ok()) {
      for (const RegisteredModel& model : page->models) names.push_back(model.name);
    }
    return names;
  }
  /// "name/version" each.
  Names Versions(const std::string& filter, std::vector<std::string> order_by = {}) {
    Result<VersionPage> page = store().SearchVersions({.filter = filter, .order_by = order_by});
    EXPECT_TRUE(page.ok()) << filter << ": " << page.error().ToString();
    Names names;
    if (page.ok()) {
      for (const ModelVersion& version : page->versions)
        names.push_back(version.name + "/" + std::to_string(version.version));
    }
    return names;
  }
  std::string WhyNotModels(const std::string& filter, std::vector<std::string> order_by = {}) {
    Result<ModelPage> page = store().SearchModels({.filter = filter, .order_by = order_by});
    if (page.ok()) return "it is taken";
    EXPECT_EQ(page.error().code(), ErrorCode::kInvalidArgument);
    return page.error().message();
  }
  std::string WhyNotVersions(const std::string& filter, std::vector<std::string> order_by = {}) {
    Result<VersionPage> page = store().SearchVersions({.filter = filter, .order_by = order_by});
    if (page.ok()) return "it is taken";
    EXPECT_EQ(page.error().code(), ErrorCode::kInvalidArgument);
    return page.error().message();
  }
  void MakeModel(const std::string& name, std::vector<Tag> tags = {}) {
    EXPECT_TRUE(store().CreateModel(name, "", tags).ok());
    clock_.AdvanceMs(1);
  }
  void Register(const std::string& name, const std::string& run_id, const std::string& source,
                std::vector<Tag> tags = {}) {
    EXPECT_TRUE(store()
                    .CreateVersion(
                        {.name = name, .source = source, .run_id = run_id, .tags = std::move(tags)})
                    .ok());
    clock_.AdvanceMs(1);
  }
};

TEST_P(RegistrySearchContract, FindsModels) {
  MakeModel("Beta", {{"team", "a"}, {"size", "10"}});
  MakeModel("alpha", {{"team", "b"}});
  MakeModel("beta_2", {{"team", "a"}});
  MakeModel("gamma");
  EXPECT_EQ(Models(""), (Names{"Beta", "alpha", "beta_2", "gamma"}));
  EXPECT_EQ(Models("name = 'alpha'"), Names{"alpha"});
  EXPECT_EQ(Models("name != 'alpha' AND name LIKE '%eta%'"), (Names{"Beta", "beta_2"}));
  EXPECT_EQ(Models("name LIKE 'beta%'"), Names{"beta_2"});
  EXPECT_EQ(Models("attribute.name ILIKE 'BETA%'"), (Names{"Beta", "beta_2"}));
  EXPECT_EQ(Models("name IN ('alpha', 'gamma', 'x')"), (Names{"alpha", "gamma"}));
  EXPECT_EQ(Models("tags.team = 'a'"), (Names{"Beta", "beta_2"}));
  EXPECT_EQ(Models("tag.`team` != 'a'"), Names{"alpha"});
  EXPECT_EQ(Models("tags.team = 'a' AND tags.size LIKE '1_'"), Names{"Beta"});
  EXPECT_EQ(Models("tags.team IS NULL"), Names{"gamma"});
  EXPECT_EQ(Models("tags.size IS NOT NULL"), Names{"Beta"});
  EXPECT_EQ(Models("tags.team IN ('b', 'c') OR NOT (name != 'gamma')"), (Names{"alpha", "gamma"}));
  EXPECT_EQ(Models("NOT tags.team = 'a'"), (Names{"alpha", "gamma"}));
  EXPECT_EQ(Models("name = 'x'' OR 1=1 --'"), Names{});
  EXPECT_EQ(Models("", {"name DESC"}), (Names{"gamma", "beta_2", "alpha", "Beta"}));
  EXPECT_EQ(Models("", {"last_updated_timestamp DESC"}),
            (Names{"gamma", "beta_2", "alpha", "Beta"}));
  EXPECT_EQ(Models("", {"timestamp"}), (Names{"Beta", "alpha", "beta_2", "gamma"}));
  std::vector<RegisteredModel> whole =
      store().SearchModels({.filter = "name = 'Beta'"}).value().models;
  EXPECT_EQ(whole.at(0).tags, (std::vector<Tag>{{"size", "10"}, {"team", "a"}}));
}

TEST_P(RegistrySearchContract, FindsVersions) {
  Register("a", "r1", "s3://x/1", {{"stage", "dev"}});
  Register("a", "r2", "s3://x/2", {{"stage", "prod"}, {"k", std::string(300, 'v')}});
  Register("b", "r1", "s3://y/1");
  Register("b", "", "dbfs:/z");
  EXPECT_EQ(Versions(""), (Names{"b/2", "b/1", "a/2", "a/1"}));
  EXPECT_EQ(Versions("name = 'a'"), (Names{"a/2", "a/1"}));
  EXPECT_EQ(Versions("run_id = 'r1'"), (Names{"b/1", "a/1"}));
  EXPECT_EQ(Versions("run_id IN ('r1', 'r9')"), (Names{"b/1", "a/1"}));
  EXPECT_EQ(Versions("run_id NOT IN ('r1', '')"), Names{"a/2"});
  EXPECT_EQ(Versions("source_path LIKE 's3://x/%'"), (Names{"a/2", "a/1"}));
  EXPECT_EQ(Versions("version_number > 1"), (Names{"b/2", "a/2"}));
  EXPECT_EQ(Versions("version_number = '1' and name ilike 'B'"), Names{"b/1"});
  EXPECT_EQ(Versions("version_number BETWEEN 2 AND 3 AND name NOT IN ('b')"), Names{"a/2"});
  EXPECT_EQ(Versions("tags.stage = 'dev'"), Names{"a/1"});
  EXPECT_EQ(Versions("tags.stage != 'dev'"), Names{"a/2"});
  EXPECT_EQ(Versions("tags.k = '" + std::string(300, 'v') + "'"), Names{"a/2"});
  EXPECT_EQ(Versions("tags.k = '" + std::string(299, 'v') + "'"), Names{});
  EXPECT_EQ(Versions("", {"name", "version_number"}), (Names{"a/1", "a/2", "b/1", "b/2"}));
  EXPECT_EQ(Versions("", {"version_number DESC"}), (Names{"a/2", "b/2", "a/1", "b/1"}));
  EXPECT_EQ(Versions("", {"creation_timestamp ASC"}), (Names{"a/1", "a/2", "b/1", "b/2"}));
  ASSERT_TRUE(store().DeleteVersion("b", 2).ok());
  EXPECT_EQ(Versions("name = 'b'"), Names{"b/1"});
  EXPECT_EQ(Versions("run_id = ''"), Names{});
  EXPECT_EQ(store().SearchVersions({.filter = "tags.stage = 'dev'"}).value().versions.at(0).tags,
            (std::vector<Tag>{{"stage", "dev"}}));
}

TEST_P(RegistrySearchContract, HidesPromptsUnlessAskedFor) {
  const std::string tag(kIsPromptTag);
  MakeModel("model");
  MakeModel("told", {{tag, "false"}});
  MakeModel("prompt", {{tag, "true"}});
  Register("model", "", "s");
  Register("prompt", "", "dummy-source", {{tag, "true"}});
  const std::string quoted = "tags.`" + tag + "`";
  EXPECT_EQ(Models(""), (Names{"model", "told"}));
  EXPECT_EQ(Models("name != 'x' AND " + quoted + " != 'true'"), (Names{"model", "told"}));
  EXPECT_EQ(Models(quoted + " = 'false'"), (Names{"model", "told"}));
  EXPECT_EQ(Models(quoted + " = 'true'"), Names{"prompt"});
  EXPECT_EQ(Models("name = 'prompt' OR name = 'told' AND " + quoted + " != 'true'"), Names{"told"});
  EXPECT_EQ(Models("name = 'prompt' AND (" + quoted + " = 'true' OR name = 'told')"),
            Names{"prompt"});
  EXPECT_EQ(Versions(""), Names{"model/1"});
  EXPECT_EQ(Versions("name = 'prompt'"), Names{});
  EXPECT_EQ(Versions("name = 'prompt' AND " + quoted + " = 'true'"), Names{"prompt/1"});
}

TEST_P(RegistrySearchContract, PagesWithoutGapsWhateverTheOrder) {
  for (int i = 0; i < 7; ++i) MakeModel("m" + std::to_string(i));
  for (int i = 0; i < 7; ++i) {
    // Every other pair at one time, so that times tie.
    ASSERT_TRUE(store().CreateVersion({.name = "m" + std::to_string(i % 3), .source = "s"}).ok());
    if (i % 2 == 1) clock_.AdvanceMs(1);
  }
  for (const std::vector<std::string>& order :
       std::vector<std::vector<std::string>>{{},
                                             {"name DESC"},
                                             {"version_number ASC"},
                                             {"last_updated_timestamp ASC"},
                                             {"creation_timestamp DESC", "name DESC"}}) {
    const Names all = Versions("", order);
    ASSERT_EQ(all.size(), 7u);
    Names paged;
    SearchRequest request{.order_by = order, .max_results = 2};
    do {
      VersionPage page = store().SearchVersions(request).value();
      for (const ModelVersion& version : page.versions)
        paged.push_back(version.name + "/" + std::to_string(version.version));
      request.page_token = page.next_page_token;
    } while (!request.page_token.empty() && paged.size() < 20);
    EXPECT_EQ(paged, all);
  }
  ModelPage first = store().SearchModels({.max_results = 6}).value();
  EXPECT_EQ(first.models.size(), 6u);
  ModelPage rest =
      store().SearchModels({.max_results = 6, .page_token = first.next_page_token}).value();
  EXPECT_EQ(rest.models.size(), 1u);
  EXPECT_EQ(rest.next_page_token, "");
  EXPECT_EQ(store().SearchModels({.max_results = 7}).value().next_page_token, "");
  for (const std::string& token :
       {std::string("a b"), std::string("AAAA"), std::string("e30"), std::string(100'000, 'A')}) {
    EXPECT_EQ(store().SearchModels({.page_token = token}).error().code(),
              ErrorCode::kInvalidArgument)
        << token.substr(0, 10);
  }
  // Of another search.
  EXPECT_FALSE(
      store().SearchModels({.filter = "name = 'x'", .page_token = first.next_page_token}).ok());
  EXPECT_FALSE(store().SearchVersions({.page_token = first.next_page_token}).ok());
}

TEST_P(RegistrySearchContract, SaysWhatItCannotSearchFor) {
  EXPECT_NE(WhyNotModels("creation_timestamp > 1").find("Invalid attribute key"),
            std::string::npos);
  EXPECT_NE(WhyNotModels("metrics.x > 1").find("metrics"), std::string::npos);
  EXPECT_NE(WhyNotModels("name = 3"), "it is taken");
  EXPECT_NE(WhyNotModels("name IS NULL"), "it is taken");
  EXPECT_NE(WhyNotModels("name ="), "it is taken");
  EXPECT_NE(WhyNotModels("", {"creation_timestamp"}).find("Invalid order by key"),
            std::string::npos);
  EXPECT_NE(WhyNotModels("", {"name", "name DESC"}).find("duplicate fields"), std::string::npos);
  EXPECT_NE(WhyNotModels("", {"timestamp", "last_updated_timestamp"}).find("duplicate fields"),
            std::string::npos);
  EXPECT_NE(WhyNotVersions("version_number = 1.5").find("numeric attribute 'version_number'"),
            std::string::npos);
  EXPECT_NE(WhyNotVersions("version_number LIKE '1'"), "it is taken");
  EXPECT_NE(WhyNotVersions("last_updated_timestamp > 1"), "it is taken");
  EXPECT_NE(WhyNotVersions("", {"run_id"}), "it is taken");
  for (int64_t wrong : {int64_t{0}, int64_t{-1}, kSearchModelsMax + 1})
    EXPECT_FALSE(store().SearchModels({.max_results = wrong}).ok());
  EXPECT_EQ(store().SearchVersions({.max_results = 0}).error().message(),
            "Invalid value for max_results. It must be a positive integer, but got 0");
  EXPECT_FALSE(store().SearchVersions({.max_results = kSearchVersionsMax + 1}).ok());
}

}  // namespace sluice::registry
