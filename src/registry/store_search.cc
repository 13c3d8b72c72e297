// Searches: the tables' words, and pages put together. The SQL is made by internal/search_sql.h.
#include <algorithm>

#include "registry/internal/search_sql.h"
#include "registry/internal/sql_store.h"
#include "registry/internal/version_rows.h"

namespace sluice::registry::internal {
namespace {

using formats::Filter;
using formats::FilterCondition;
using formats::Json;
using formats::OrderBy;
using sql::Query;
using sql::Reader;
using sql::Row;

OrderBy By(std::string name, bool is_ascending) {
  OrderBy order;
  order.key.name = std::move(name);
  order.is_ascending = is_ascending;
  return order;
}

const SearchedTable& ModelTable() {
  static const SearchedTable table{.columns = "m.name, m.description, m.created_ms, m.updated_ms",
                                   .from = "registered_models m",
                                   .name_column = "m.name",
                                   .tag_table = "registered_model_tags",
                                   .tag_join = "t.name = m.name",
                                   .always = "1 = 1",
                                   .attributes = {{.name = "name", .column = "m.name"},
                                                  {.name = "timestamp",
                                                   .column = "m.updated_ms",
                                                   .is_number = true,
                                                   .can_filter = false},
                                                  {.name = "last_updated_timestamp",
                                                   .column = "m.updated_ms",
                                                   .is_number = true,
                                                   .can_filter = false}},
                                   .default_order = {By("name", true)},
                                   .tie_breakers = {By("name", true)},
                                   .results_max = kSearchModelsMax};
  return table;
}

const SearchedTable& VersionTable() {
  static const SearchedTable table{
      .columns = SLUICE_VERSION_COLUMNS,
      .from = "model_versions v",
      .name_column = "v.name",
      .tag_table = "model_version_tags",
      .tag_join = "t.name = v.name AND t.version = v.version",
      .always = "v.is_deleted = 0",
      .attributes = {{.name = "name", .column = "v.name"},
                     {.name = "version_number", .column = "v.version", .is_number = true},
                     {.name = "run_id", .column = "v.run_id", .can_order = false},
                     {.name = "source_path", .column = "v.source", .can_order = false},
                     {.name = "creation_timestamp",
                      .column = "v.created_ms",
                      .is_number = true,
                      .can_filter = false},
                     {.name = "last_updated_timestamp",
                      .column = "v.updated_ms",
                      .is_number = true,
                      .can_filter = false}},
      .default_order = {By("last_updated_timestamp", false), By("name", true),
                        By("version_number", false)},
      .tie_breakers = {By("name", true), By("version_number", false)},
      .results_max = kSearchVersionsMax};
  return table;
}

Json ValueOf(const RegisteredModel& model, std::string_view attribute) {
  return attribute == "name" ? Json(model.name) : Json(model.updated_ms);
}

Json ValueOf(const ModelVersion& version, std::string_view attribute) {
  if (attribute == "name") return version.name;
  if (attribute == "version_number") return version.version;
  return attribute == "creation_timestamp" ? version.created_ms : version.updated_ms;
}

/// Takes the row that was one too many off the page.
template <typename T>
std::string CutPage(const SearchStatement& statement, int64_t max_results, std::vector<T>& rows) {
  if (rows.size() <= static_cast<size_t>(max_results)) return {};
  rows.pop_back();
  return statement.TokenAfter(
      [&](std::string_view attribute) { return ValueOf(rows.back(), attribute); });
}

/// The condition to begin with: the rarest tag, if it is rare. Null: none.
Result<const FilterCondition*> ChooseFirst(Reader& reader, const SearchedTable& table,
                                           const Filter& filter) {
  constexpr size_t kAskedMax = 4;
  std::vector<const FilterCondition*> equalities = FindTagEqualities(filter);
  equalities.resize(std::min(equalities.size(), kAskedMax));
  const std::string text = CountTagsText(table);
  const FilterCondition* first = nullptr;
  int64_t fewest = kFewTags + 1;
  for (const FilterCondition* condition : equalities) {
    ASSIGN_OR_RETURN(std::optional<int64_t> count,
                     reader.FindOne(Query{"registry.count_tags", text},
                                    {condition->key.name, condition->values[0].text},
                                    [](const Row& row) { return row.GetInt64(0); }));
    if (count.value_or(fewest) >= fewest) continue;
    fewest = *count;
    first = condition;
  }
  return first;
}

}  // namespace

Result<ModelPage> SqlStore::SearchModels(const SearchRequest& request) {
  ASSIGN_OR_RETURN(Filter filter, formats::ParseFilter(request.filter));
  return db_.Read([&](Reader& reader) -> Result<ModelPage> {
    ASSIGN_OR_RETURN(const FilterCondition* first, ChooseFirst(reader, ModelTable(), filter));
    ASSIGN_OR_RETURN(SearchStatement statement,
                     SearchStatement::Make(ModelTable(), request, filter, first));
    ModelPage page;
    ASSIGN_OR_RETURN(page.models, reader.FindAll(Query{"registry.search_models", statement.text()},
                                                 statement.params(), ModelFromRow));
    page.next_page_token = CutPage(statement, request.max_results, page.models);
    RETURN_IF_ERROR(LoadModelParts(reader, page.models));
    return page;
  });
}

Result<VersionPage> SqlStore::SearchVersions(const SearchRequest& request) {
  ASSIGN_OR_RETURN(Filter filter, formats::ParseFilter(request.filter));
  return db_.Read([&](Reader& reader) -> Result<VersionPage> {
    ASSIGN_OR_RETURN(const FilterCondition* first, ChooseFirst(reader, VersionTable(), filter));
    ASSIGN_OR_RETURN(SearchStatement statement,
                     SearchStatement::Make(VersionTable(), request, filter, first));
    VersionPage page;
    ASSIGN_OR_RETURN(page.versions,
                     reader.FindAll(Query{"registry.search_versions", statement.text()},
                                    statement.params(), VersionFromRow));
    page.next_page_token = CutPage(statement, request.max_results, page.versions);
    RETURN_IF_ERROR(LoadTags(reader, page.versions));
    return page;
  });
}

}  // namespace sluice::registry::internal
