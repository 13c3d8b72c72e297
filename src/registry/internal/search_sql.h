// A search request as SQL: what it keeps, in which order, from where on. Pure. Every value is
// bound.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/filter.h"
#include "formats/json.h"
#include "registry/store.h"
#include "sql/value.h"

namespace sluice::registry::internal {

/// What can be asked of a table, and how.
struct SearchedAttribute {
  std::string_view name;    ///< in filters and orders
  std::string_view column;  ///< "v.name"
  bool is_number = false;
  bool can_filter = true;
  bool can_order = true;
};
struct SearchedTable {
  std::string_view columns;      ///< "v.name, v.version, ..."
  std::string_view from;         ///< "model_versions v"
  std::string_view name_column;  ///< "v.name"
  std::string_view tag_table;    ///< "model_version_tags"
  /// A tag t belongs to a row: "t.name = v.name AND t.version = v.version"
  std::string_view tag_join;
  std::string_view always;  ///< "v.is_deleted = 0", or "1 = 1"
  std::vector<SearchedAttribute> attributes;
  std::vector<formats::OrderBy> default_order;
  std::vector<formats::OrderBy> tie_breakers;
  int64_t results_max = 0;
};

/// Conditions `tag = 'value'` that every hit must fulfil. If few tags do, the search should begin
/// with those (SearchStatement::Make's `first`) in place of walking all rows in order.
std::vector<const formats::FilterCondition*> FindTagEqualities(const formats::Filter& filter);
/// Up to this many tags.
inline constexpr int64_t kFewTags = 2000;
/// "SELECT ..., one row": how many tags there are like that, kFewTags + 1 for more. Parameters: key
/// and value.
std::string CountTagsText(const SearchedTable& table);

/// One statement, and how to read tokens off its rows.
class SearchStatement {
 public:
  SearchStatement(SearchStatement&&) = default;
  SearchStatement& operator=(SearchStatement&&) = default;
  SearchStatement(const SearchStatement&) = delete;  // params_ borrows from texts_
  SearchStatement& operator=(const SearchStatement&) = delete;

  /// `filter` is that of the request; `first` one of its FindTagEqualities, or null. Errors:
  /// kInvalidArgument, see Store::SearchModels.
  static Result<SearchStatement> Make(const SearchedTable& table, const SearchRequest& request,
                                      const formats::Filter& filter,
                                      const formats::FilterCondition* first);

  const std::string& text() const { return text_; }
  const std::vector<sql::Param>& params() const { return params_; }
  /// The token of the page that ends with this row, whose attributes are given by name.
  template <typename ValueOf>
  std::string TokenAfter(ValueOf value_of) const {
    formats::Json position = formats::Json::MakeArray();
    for (const SearchedAttribute* attribute : order_) position.Append(value_of(attribute->name));
    return MakeToken(position);
  }

 private:
  SearchStatement() = default;
  std::string MakeToken(const formats::Json& position) const;
  std::string Bind(std::string value);
  std::string Bind(int64_t value);

  Status AddOrder(const SearchedTable& table, const SearchRequest& request);
  Status AddPosition(const SearchRequest& request);
  Result<std::string> Where(const SearchedTable& table, const formats::Filter& filter);
  Result<std::string> Condition(const SearchedTable& table, const formats::Filter& filter,
                                const formats::FilterNode& node);
  Result<std::string> TagCondition(const SearchedTable& table, const formats::Filter& filter,
                                   const formats::FilterCondition& condition);
  Result<std::string> PromptCondition(const SearchedTable& table,
                                      const formats::FilterCondition& condition);
  Result<std::string> NumberCondition(const formats::Filter& filter,
                                      const formats::FilterCondition& condition,
                                      std::string_view column);
  std::string TextComparison(const formats::FilterCondition& condition, std::string_view column);

  std::string text_;
  std::vector<std::string> request_;
  std::vector<const SearchedAttribute*> order_;
  std::vector<bool> is_ascending_;
  std::string order_text_;
  std::string position_text_;
  bool drops_prompt_conditions_ = false;
  const formats::FilterCondition* first_ = nullptr;
  std::deque<std::string> texts_;  ///< what params_ borrows
  std::vector<sql::Param> params_;
};

}  // namespace sluice::registry::internal
