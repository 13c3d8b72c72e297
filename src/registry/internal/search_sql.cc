#include "registry/internal/search_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "registry/internal/page_token.h"
#include "registry/internal/rules.h"

namespace sluice::registry::internal {
namespace {

using formats::Comparator;
using formats::Filter;
using formats::FilterCondition;
using formats::FilterEntity;
using formats::FilterNode;
using formats::FilterValue;
using formats::Json;

constexpr FilterEntity kEntities[] = {FilterEntity::kAttribute, FilterEntity::kTag};

std::string NamesOf(const SearchedTable& table, bool SearchedAttribute::*may) {
  std::string names;
  for (const SearchedAttribute& attribute : table.attributes) {
    if (attribute.*may) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", attribute.name);
  }
  return names;
}

const SearchedAttribute* FindAttribute(const SearchedTable& table, std::string_view name,
                                       bool SearchedAttribute::*may) {
  for (const SearchedAttribute& attribute : table.attributes) {
    if (attribute.name == name && attribute.*may) return &attribute;
  }
  return nullptr;
}

/// Not of the whole tree: of a filter made of ANDs only.
bool IsConjunction(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kCondition) return true;
  return node.kind == FilterNode::Kind::kAnd &&
         std::all_of(node.children.begin(), node.children.end(), IsConjunction);
}

bool IsAboutPrompts(const FilterCondition& condition) { return condition.key.name == kIsPromptTag; }

/// `= 'true'` or `!= 'false'`.
bool AsksForPrompts(const FilterCondition& condition) {
  if (condition.values.size() != 1) return false;
  const std::string& value = condition.values[0].text;
  return (condition.comparator == Comparator::kEqual && EqualsIgnoringCase(value, "true")) ||
         (condition.comparator == Comparator::kNotEqual && EqualsIgnoringCase(value, "false"));
}

void CollectPromptConditions(const FilterNode& node, std::vector<const FilterCondition*>& found) {
  if (node.kind == FilterNode::Kind::kCondition && IsAboutPrompts(node.condition))
    found.push_back(&node.condition);
  for (const FilterNode& child : node.children) CollectPromptConditions(child, found);
}

/// Comparators of numbers are refused in the words MLflow has for models and versions.
Status CheckText(const Filter& filter, const FilterCondition& condition, FilterEntity entity) {
  switch (formats::PositiveOf(condition.comparator)) {
    case Comparator::kLess:
    case Comparator::kLessOrEqual:
    case Comparator::kGreater:
    case Comparator::kGreaterOrEqual:
    case Comparator::kBetween:
      return filter.Fail(
          condition.position,
          fmt::format("Invalid comparator for {}: {}", formats::FilterEntityName(entity),
                      formats::ComparatorText(condition.comparator)));
    default: break;
  }
  return formats::CheckFilterValues(filter, condition, entity, formats::FilterValueType::kText);
}

void CollectTagEqualities(const FilterNode& node, std::vector<const FilterCondition*>& found) {
  if (node.kind == FilterNode::Kind::kAnd) {
    for (const FilterNode& child : node.children) CollectTagEqualities(child, found);
    return;
  }
  const FilterCondition& condition = node.condition;
  if (node.kind != FilterNode::Kind::kCondition || condition.comparator != Comparator::kEqual ||
      IsAboutPrompts(condition) || condition.values.size() != 1 ||
      condition.values[0].kind != FilterValue::Kind::kText) {
    return;
  }
  Result<FilterEntity> entity = formats::FindFilterEntity("", condition.key, kEntities);
  if (entity.ok() && *entity == FilterEntity::kTag) found.push_back(&condition);
}

// Finds tags by the index on keys and values, which holds the beginnings of values. With a plain
// `value = ...` beside it SQLite would put that constant into the expression, and miss the index.
constexpr std::string_view kTagIs =
    "{0}.key = {1} AND substr({0}.value, 1, 64) = substr({2}, 1, 64) AND substr({0}.value, 65) = "
    "substr({2}, 65)";

}  // namespace

std::vector<const FilterCondition*> FindTagEqualities(const Filter& filter) {
  std::vector<const FilterCondition*> found;
  if (filter.root != nullptr) CollectTagEqualities(*filter.root, found);
  return found;
}

std::string CountTagsText(const SearchedTable& table) {
  return fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {} h WHERE {} LIMIT {}) few",
                     table.tag_table, fmt::format(kTagIs, "h", "$1", "$2"), kFewTags + 1);
}

std::string SearchStatement::Bind(std::string value) {
  texts_.push_back(std::move(value));
  params_.emplace_back(texts_.back());
  return fmt::format("${}", params_.size());
}

std::string SearchStatement::Bind(int64_t value) {
  params_.emplace_back(value);
  return fmt::format("${}", params_.size());
}

std::string SearchStatement::MakeToken(const Json& position) const {
  return MakePageToken(request_, position);
}

Result<SearchStatement> SearchStatement::Make(const SearchedTable& table,
                                              const SearchRequest& request, const Filter& filter,
                                              const FilterCondition* first) {
  if (request.max_results < 1) {
    return InvalidArgument(
        fmt::format("Invalid value for max_results. It must be a positive integer, but got {}",
                    request.max_results));
  }
  if (request.max_results > table.results_max) {
    return InvalidArgument(
        fmt::format("Invalid value for request parameter max_results. It must be at most {}, but "
                    "got value {}",
                    table.results_max, request.max_results));
  }
  SearchStatement statement;
  statement.request_ = request.order_by;
  statement.request_.push_back(request.filter);
  statement.first_ = first;
  std::string begin = fmt::format("SELECT {} FROM {} WHERE", table.columns, table.from);
  if (first != nullptr) {
    // SQLite keeps the order of a CROSS JOIN: the tags first.
    std::string join(table.tag_join);
    for (size_t at = 0; (at = join.find("t.", at)) != std::string::npos;) join[at] = 'h';
    begin = fmt::format("SELECT {} FROM {} h CROSS JOIN {} WHERE {} AND {} AND", table.columns,
                        table.tag_table, table.from, join,
                        fmt::format(kTagIs, "h", statement.Bind(first->key.name),
                                    statement.Bind(first->values[0].text)));
  }
  ASSIGN_OR_RETURN(std::string where, statement.Where(table, filter));
  RETURN_IF_ERROR(statement.AddOrder(table, request));
  RETURN_IF_ERROR(statement.AddPosition(request));
  statement.text_ = fmt::format("{} {} AND {}{} ORDER BY {} LIMIT {}", begin, table.always, where,
                                statement.position_text_, statement.order_text_,
                                statement.Bind(request.max_results + 1));
  return statement;
}

Status SearchStatement::AddOrder(const SearchedTable& table, const SearchRequest& request) {
  auto add = [&](const SearchedAttribute& attribute, bool is_ascending) {
    order_.push_back(&attribute);
    is_ascending_.push_back(is_ascending);
    order_text_ += fmt::format("{}{}{}", order_text_.empty() ? "" : ", ", attribute.column,
                               is_ascending ? "" : " DESC");
  };
  auto is_ordered_by = [&](const SearchedAttribute& attribute) {
    return std::any_of(order_.begin(), order_.end(), [&](const SearchedAttribute* other) {
      return other->column == attribute.column;
    });
  };
  for (const std::string& clause : request.order_by) {
    ASSIGN_OR_RETURN(formats::OrderBy order, formats::ParseOrderBy(clause));
    Result<FilterEntity> entity = formats::FindFilterEntity(clause, order.key, kEntities);
    const SearchedAttribute* attribute =
        entity.ok() && *entity == FilterEntity::kAttribute
            ? FindAttribute(table, order.key.name, &SearchedAttribute::can_order)
            : nullptr;
    if (attribute == nullptr) {
      return InvalidArgument(fmt::format("Invalid order by key '{}' specified. Valid keys are {}",
                                         order.key.name,
                                         NamesOf(table, &SearchedAttribute::can_order)));
    }
    if (is_ordered_by(*attribute)) {
      std::string all;
      for (const std::string& text : request.order_by)
        all += fmt::format("{}'{}'", all.empty() ? "" : ", ", text);
      return InvalidArgument(fmt::format("`order_by` contains duplicate fields: [{}]", all));
    }
    add(*attribute, order.is_ascending);
  }
  const std::vector<formats::OrderBy>& rest =
      order_.empty() ? table.default_order : table.tie_breakers;
  for (const formats::OrderBy& order : rest) {
    const SearchedAttribute& attribute =
        *FindAttribute(table, order.key.name, &SearchedAttribute::can_order);
    if (!is_ordered_by(attribute)) add(attribute, order.is_ascending);
  }
  return Ok();
}

Status SearchStatement::AddPosition(const SearchRequest& request) {
  if (request.page_token.empty()) return Ok();
  ASSIGN_OR_RETURN(Json::Array values, ReadPageToken(request.page_token, request_, order_.size()));
  // Row values (a, b, c) after (x, y, z): a > x, or a = x and (b > y, or ...), each its own way up
  // or down. The bound on `a` alone is what an index can use.
  std::vector<std::string> bound;
  for (size_t i = 0; i < values.size(); ++i) {
    if (order_[i]->is_number ? !values[i].is_integer() : !values[i].is_string())
      return InvalidArgument("Invalid page token: it is none of this server's");
    bound.push_back(order_[i]->is_number ? Bind(values[i].AsInteger())
                                         : Bind(values[i].AsString()));
  }
  std::string after;
  for (size_t i = values.size(); i-- > 0;) {
    std::string beyond =
        fmt::format("{} {} {}", order_[i]->column, is_ascending_[i] ? '>' : '<', bound[i]);
    after = after.empty() ? beyond
                          : fmt::format("({} OR ({} = {} AND {}))", beyond, order_[i]->column,
                                        bound[i], after);
  }
  position_text_ = fmt::format(" AND {} {} {} AND {}", order_[0]->column,
                               is_ascending_[0] ? ">=" : "<=", bound[0], after);
  return Ok();
}

Result<std::string> SearchStatement::Where(const SearchedTable& table, const Filter& filter) {
  // MLflow keeps prompts in the registry and shows them only to who asks; models have no such tag,
  // and yet `!= 'true'` must find them. In a filter of its own grammar (ANDs) the first condition
  // on the tag decides, and unless that asks for prompts no condition on it counts.
  std::vector<const FilterCondition*> about_prompts;
  bool is_conjunction = true;
  if (filter.root != nullptr) {
    CollectPromptConditions(*filter.root, about_prompts);
    is_conjunction = IsConjunction(*filter.root);
  }
  const bool asks_for_prompts =
      is_conjunction ? !about_prompts.empty() && AsksForPrompts(*about_prompts.front())
                     : std::any_of(about_prompts.begin(), about_prompts.end(),
                                   [](const FilterCondition* condition) {
                                     return AsksForPrompts(*condition);
                                   });
  drops_prompt_conditions_ = is_conjunction && !asks_for_prompts;
  std::string where = "1 = 1";
  if (!asks_for_prompts) {
    where = fmt::format(
        "{} NOT IN (SELECT p.name FROM {} p WHERE p.key = {} AND substr(p.value, 1, 64) = 'true')",
        table.name_column, table.tag_table, Bind(std::string(kIsPromptTag)));
  }
  if (filter.root == nullptr) return where;
  ASSIGN_OR_RETURN(std::string condition, Condition(table, filter, *filter.root));
  return fmt::format("{} AND {}", where, condition);
}

Result<std::string> SearchStatement::Condition(const SearchedTable& table, const Filter& filter,
                                               const FilterNode& node) {
  switch (node.kind) {
    case FilterNode::Kind::kNot: {
      ASSIGN_OR_RETURN(std::string child, Condition(table, filter, node.children.at(0)));
      return fmt::format("NOT ({})", child);
    }
    case FilterNode::Kind::kAnd:
    case FilterNode::Kind::kOr: {
      std::string text;
      for (const FilterNode& child : node.children) {
        ASSIGN_OR_RETURN(std::string part, Condition(table, filter, child));
        text += fmt::format("{}{}",
                            text.empty()                          ? ""
                            : node.kind == FilterNode::Kind::kAnd ? " AND "
                                                                  : " OR ",
                            part);
      }
      return fmt::format("({})", text);
    }
    case FilterNode::Kind::kCondition: break;
  }
  const FilterCondition& condition = node.condition;
  ASSIGN_OR_RETURN(FilterEntity entity,
                   formats::FindFilterEntity(filter.text, condition.key, kEntities));
  if (entity == FilterEntity::kTag) return TagCondition(table, filter, condition);
  const SearchedAttribute* attribute =
      FindAttribute(table, condition.key.name, &SearchedAttribute::can_filter);
  if (attribute == nullptr) {
    return filter.Fail(
        condition.key.position,
        fmt::format("Invalid attribute key '{}' specified. Valid keys are {}", condition.key.name,
                    NamesOf(table, &SearchedAttribute::can_filter)));
  }
  if (condition.comparator == Comparator::kIsNull ||
      condition.comparator == Comparator::kIsNotNull) {
    return filter.Fail(condition.position,
                       fmt::format("IS NULL / IS NOT NULL is only supported for tags, not for "
                                   "attribute '{}'",
                                   condition.key.name));
  }
  if (attribute->is_number) return NumberCondition(filter, condition, attribute->column);
  RETURN_IF_ERROR(CheckText(filter, condition, FilterEntity::kAttribute));
  return TextComparison(condition, attribute->column);
}

Result<std::string> SearchStatement::TagCondition(const SearchedTable& table, const Filter& filter,
                                                  const FilterCondition& condition) {
  RETURN_IF_ERROR(CheckText(filter, condition, FilterEntity::kTag));
  if (IsAboutPrompts(condition)) {
    if (drops_prompt_conditions_) return std::string("1 = 1");
    ASSIGN_OR_RETURN(std::string text, PromptCondition(table, condition));
    if (!text.empty()) return text;
  }
  if (&condition == first_) return std::string("1 = 1");
  const std::string key = Bind(condition.key.name);
  const bool is_null = condition.comparator == Comparator::kIsNull;
  const bool compares = !is_null && condition.comparator != Comparator::kIsNotNull;
  return fmt::format("{}EXISTS (SELECT 1 FROM {} t WHERE {} AND t.key = {}{})",
                     is_null ? "NOT " : "", table.tag_table, table.tag_join, key,
                     compares ? " AND " + TextComparison(condition, "t.value") : "");
}

Result<std::string> SearchStatement::PromptCondition(const SearchedTable& table,
                                                     const FilterCondition& condition) {
  if (condition.values.size() != 1) return std::string();
  const bool is_true = EqualsIgnoringCase(condition.values[0].text, "true");
  if (!is_true && !EqualsIgnoringCase(condition.values[0].text, "false")) return std::string();
  if (condition.comparator != Comparator::kEqual && condition.comparator != Comparator::kNotEqual)
    return std::string();
  const bool wants_prompts = (condition.comparator == Comparator::kEqual) == is_true;
  return fmt::format("{}EXISTS (SELECT 1 FROM {} t WHERE {} AND t.key = {} AND t.value = 'true')",
                     wants_prompts ? "" : "NOT ", table.tag_table, table.tag_join,
                     Bind(std::string(kIsPromptTag)));
}

Result<std::string> SearchStatement::NumberCondition(const Filter& filter,
                                                     const FilterCondition& condition,
                                                     std::string_view column) {
  std::vector<std::string> bound;
  for (const FilterValue& value : condition.values) {
    int64_t number = value.integer;
    if (value.kind != FilterValue::Kind::kInteger) {  // MLflow takes '3' for 3
      auto [end, error] =
          std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
      if (value.kind != FilterValue::Kind::kText || error != std::errc() ||
          end != value.text.data() + value.text.size()) {
        return filter.Fail(
            value.position,
            fmt::format("Invalid value for numeric attribute '{0}': {2}{1}{2}", condition.key.name,
                        value.text, value.kind == FilterValue::Kind::kText ? "'" : ""));
      }
    }
    bound.push_back(Bind(number));
  }
  switch (condition.comparator) {
    case Comparator::kEqual: return fmt::format("{} = {}", column, bound[0]);
    case Comparator::kNotEqual: return fmt::format("{} <> {}", column, bound[0]);
    case Comparator::kLess: return fmt::format("{} < {}", column, bound[0]);
    case Comparator::kLessOrEqual: return fmt::format("{} <= {}", column, bound[0]);
    case Comparator::kGreater: return fmt::format("{} > {}", column, bound[0]);
    case Comparator::kGreaterOrEqual: return fmt::format("{} >= {}", column, bound[0]);
    case Comparator::kIn:
    case Comparator::kNotIn:
      return fmt::format("{} {} ({})", column,
                         condition.comparator == Comparator::kIn ? "IN" : "NOT IN",
                         fmt::join(bound, ", "));
    case Comparator::kBetween:
    case Comparator::kNotBetween:
      return fmt::format("{} {} {} AND {}", column,
                         condition.comparator == Comparator::kBetween ? "BETWEEN" : "NOT BETWEEN",
                         bound[0], bound[1]);
    default: break;
  }
  return filter.Fail(condition.position,
                     fmt::format("Invalid comparator for attribute {}: {}", condition.key.name,
                                 formats::ComparatorText(condition.comparator)));
}

std::string SearchStatement::TextComparison(const FilterCondition& condition,
                                            std::string_view column) {
  std::vector<std::string> bound;
  for (const FilterValue& value : condition.values) bound.push_back(Bind(value.text));
  const std::string_view negation = formats::IsNegative(condition.comparator) ? "NOT " : "";
  switch (formats::PositiveOf(condition.comparator)) {
    case Comparator::kLike:
      return fmt::format("{} {}LIKE {}{}", column, negation, bound[0], sql::kLikeEscape);
    case Comparator::kILike:
      return fmt::format("fold_case({}) {}LIKE fold_case({}){}", column, negation, bound[0],
                         sql::kLikeEscape);
    case Comparator::kIn:
      return fmt::format("{} {}IN ({})", column, negation, fmt::join(bound, ", "));
    default: break;  // CheckFilterValues leaves = and !=
  }
  return fmt::format("{} {} {}", column, negation.empty() ? "=" : "<>", bound[0]);
}

}  // namespace sluice::registry::internal
