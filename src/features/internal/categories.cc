#include "features/internal/categories.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "features/internal/argument.h"

namespace sluice::features::internal {

using formats::Json;

Result<CategoryOptions> ReadCategoryOptions(const Json& argument) {
  CategoryOptions options;
  if (const Json* unknown = argument.Find("unknown")) {
    ASSIGN_OR_RETURN(std::string rule, Choice(*unknown, "unknown", {"ignore", "error", "other"}));
    options.unknown = rule == "error"   ? UnknownRule::kError
                      : rule == "other" ? UnknownRule::kOther
                                        : UnknownRule::kIgnore;
  }
  if (const Json* rare = argument.Find("rare")) {
    if (std::optional<double> share = Percent(*rare)) {
      options.rare_share = *share;
    } else if (rare->is_double() && rare->AsDouble() > 0 && rare->AsDouble() < 1) {
      options.rare_share = rare->AsDouble();
    } else if (rare->is_integer() && rare->AsInteger() >= 1) {
      options.rare_count = rare->AsInteger();
    } else {
      return InvalidArgument(
          fmt::format("rare is {}; it must be a share such as '1%' or a number of rows such as 20",
                      Shown(*rare)));
    }
  }
  if (const Json* max = argument.Find("max_categories")) {
    ASSIGN_OR_RETURN(
        options.max_categories,
        Integer(*max, "max_categories", 1, static_cast<int64_t>(CategoryMap::kMaxCategories)));
  }
  return options;
}

std::string UnknownCategoryMessage(const std::string& input, const std::string& shown) {
  return fmt::format(
      "column '{}': found unknown category {}; declare `unknown: ignore` or `unknown: other` to "
      "accept it",
      input, shown);
}

namespace {

/// scikit-learn's _identify_infrequent.
std::vector<bool> MarkInfrequent(const std::vector<int64_t>& counts, int64_t row_count,
                                 const CategoryOptions& options) {
  std::vector<bool> infrequent(counts.size(), false);
  size_t infrequent_count = 0;
  double least = options.rare_count > 0 ? static_cast<double>(options.rare_count)
                                        : options.rare_share * static_cast<double>(row_count);
  for (size_t i = 0; i < counts.size(); ++i) {
    infrequent[i] = static_cast<double>(counts[i]) < least;
    infrequent_count += infrequent[i] ? 1 : 0;
  }
  if (options.max_categories == 0) return infrequent;
  size_t max = static_cast<size_t>(options.max_categories);
  // The number of slots, counting one for the infrequent (as scikit-learn does, whether or not
  // there are any).
  size_t slots = counts.size() - infrequent_count + 1;
  if (counts.size() <= max && infrequent_count == 0) return infrequent;
  if (max >= slots) return infrequent;
  std::vector<size_t> order(counts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return counts[a] < counts[b]; });
  for (size_t i = 0; i + (max - 1) < order.size(); ++i) infrequent[order[i]] = true;
  return infrequent;
}

struct Counted {
  std::vector<std::string> texts;
  std::vector<double> numbers;
  std::vector<int64_t> counts;
  int64_t missing_count = 0;
};

Status CheckCount(size_t count) {
  if (count <= CategoryMap::kMaxCategories) return Ok();
  return ResourceExhausted(fmt::format("more than {} categories; use hash, or drop the column",
                                       CategoryMap::kMaxCategories));
}

Result<Counted> CountTexts(const Block& block) {
  Counted counted;
  std::unordered_map<std::string_view, int64_t> counts;
  for (std::string_view text : block.texts) {
    if (text.data() == nullptr) {
      ++counted.missing_count;
    } else {
      ++counts[text];
    }
  }
  RETURN_IF_ERROR(CheckCount(counts.size()));
  std::vector<std::pair<std::string_view, int64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [text, count] : sorted) {
    counted.texts.emplace_back(text);
    counted.counts.push_back(count);
  }
  return counted;
}

Result<Counted> CountNumbers(const Block& block, size_t column) {
  Counted counted;
  std::unordered_map<double, int64_t> counts;
  const double* values = block.Column(column);
  for (int64_t i = 0; i < block.row_count; ++i) {
    if (std::isnan(values[i])) {
      ++counted.missing_count;
    } else {
      ++counts[values[i] == 0 ? 0.0 : values[i]];
    }
  }
  RETURN_IF_ERROR(CheckCount(counts.size()));
  std::vector<std::pair<double, int64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [value, count] : sorted) {
    counted.numbers.push_back(value);
    counted.counts.push_back(count);
  }
  return counted;
}

/// Puts the categories into the declared order. Every training category must be declared unless
/// unknown ones are accepted.
Status ApplyOrder(const CategoryOptions& options, bool is_text, Counted& counted) {
  std::vector<std::string> texts;
  std::vector<double> numbers;
  std::vector<int64_t> counts;
  for (const Json& item : options.order) {
    if (is_text) {
      std::string text = item.is_string()   ? item.AsString()
                         : item.is_number() ? NumberText(item.AsDouble())
                                            : formats::PrintJson(item);
      auto found = std::lower_bound(counted.texts.begin(), counted.texts.end(), text);
      bool is_seen = found != counted.texts.end() && *found == text;
      counts.push_back(is_seen ? counted.counts[static_cast<size_t>(found - counted.texts.begin())]
                               : 0);
      texts.push_back(std::move(text));
    } else {
      ASSIGN_OR_RETURN(double value, Number(item, "a category of order"));
      auto found = std::lower_bound(counted.numbers.begin(), counted.numbers.end(), value);
      bool is_seen = found != counted.numbers.end() && *found == value;
      counts.push_back(
          is_seen ? counted.counts[static_cast<size_t>(found - counted.numbers.begin())] : 0);
      numbers.push_back(value);
    }
  }
  if (options.unknown == UnknownRule::kError) {
    for (const std::string& text : counted.texts) {
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) {
        return InvalidArgument(fmt::format(
            "the training part has the category '{}', which `order` does not list", text));
      }
    }
    for (double value : counted.numbers) {
      if (std::find(numbers.begin(), numbers.end(), value) == numbers.end()) {
        return InvalidArgument(
            fmt::format("the training part has the category {}, which `order` does not list",
                        NumberText(value)));
      }
    }
  }
  counted.texts = std::move(texts);
  counted.numbers = std::move(numbers);
  counted.counts = std::move(counts);
  return Ok();
}

}  // namespace

Result<CategoryMap> CategoryMap::Fit(const Block& block, size_t column,
                                     const CategoryOptions& options, bool counts_missing) {
  CategoryMap map;
  map.is_text_ = block.kind == ValueKind::kText;
  Counted counted;
  if (map.is_text_) {
    ASSIGN_OR_RETURN(counted, CountTexts(block));
  } else {
    ASSIGN_OR_RETURN(counted, CountNumbers(block, column));
  }
  if (options.has_order) RETURN_IF_ERROR(ApplyOrder(options, map.is_text_, counted));
  map.has_missing_ = counts_missing && counted.missing_count > 0;
  if (map.has_missing_) counted.counts.push_back(counted.missing_count);
  map.infrequent_ = MarkInfrequent(counted.counts, block.row_count, options);
  map.texts_ = std::move(counted.texts);
  map.numbers_ = std::move(counted.numbers);
  RETURN_IF_ERROR(map.Assign());
  return map;
}

Status CategoryMap::Assign() {
  size_t category_count = texts_.size() + numbers_.size();
  slots_.assign(category_count + (has_missing_ ? 1 : 0), kNoSlot);
  slot_count_ = 0;
  bool has_infrequent = false;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (infrequent_[i]) {
      has_infrequent = true;
    } else {
      slots_[i] = slot_count_++;
    }
  }
  if (has_infrequent) {
    infrequent_slot_ = slot_count_++;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (infrequent_[i]) slots_[i] = infrequent_slot_;
    }
  }
  for (size_t i = 0; i < texts_.size(); ++i) {
    if (!text_index_.emplace(texts_[i], slots_[i]).second) {
      return InvalidArgument(fmt::format("the category '{}' is listed twice", texts_[i]));
    }
  }
  for (size_t i = 0; i < numbers_.size(); ++i) {
    if (!number_index_.emplace(numbers_[i], slots_[i]).second) {
      return InvalidArgument(
          fmt::format("the category {} is listed twice", NumberText(numbers_[i])));
    }
  }
  return Ok();
}

int CategoryMap::Find(double value) const {
  if (std::isnan(value)) return has_missing_ ? slots_.back() : kNoSlot;
  auto found = number_index_.find(value);
  return found == number_index_.end() ? kNoSlot : found->second;
}

int CategoryMap::Find(std::string_view text) const {
  if (text.data() == nullptr) return has_missing_ ? slots_.back() : kNoSlot;
  // A short text fits std::string without allocation, which is the case that serving meets.
  auto found = text_index_.find(std::string(text));
  return found == text_index_.end() ? kNoSlot : found->second;
}

std::vector<std::string> CategoryMap::SlotNames() const {
  std::vector<std::string> names(static_cast<size_t>(slot_count_));
  for (size_t i = 0; i < slots_.size(); ++i) {
    std::string& name = names[static_cast<size_t>(slots_[i])];
    if (infrequent_[i]) {
      name = "infrequent";
    } else if (has_missing_ && i + 1 == slots_.size()) {
      name = "missing";
    } else {
      name = is_text_ ? texts_[i] : NumberText(numbers_[i]);
    }
  }
  return names;
}

Json CategoryMap::ToJson() const {
  Json categories = Json::MakeArray();
  for (const std::string& text : texts_) categories.Append(text);
  for (double value : numbers_) categories.Append(value);
  Json infrequent = Json::MakeArray();
  for (size_t i = 0; i < infrequent_.size(); ++i) {
    if (infrequent_[i]) infrequent.Append(i);
  }
  return Json::MakeObject({{"categories", std::move(categories)},
                           {"missing", has_missing_},
                           {"infrequent", std::move(infrequent)}});
}

Result<CategoryMap> CategoryMap::FromJson(const Json& json, ValueKind kind) {
  CategoryMap map;
  map.is_text_ = kind == ValueKind::kText;
  ASSIGN_OR_RETURN(const Json* categories, json.GetArray("categories"));
  RETURN_IF_ERROR(CheckCount(categories->size()));
  for (const Json& category : categories->AsArray()) {
    if (map.is_text_) {
      if (!category.is_string())
        return InvalidArgument("a category of a text column is no text: " + Shown(category));
      map.texts_.push_back(category.AsString());
    } else {
      ASSIGN_OR_RETURN(double value, Number(category, "a category"));
      map.numbers_.push_back(value);
    }
  }
  ASSIGN_OR_RETURN(map.has_missing_, json.GetBool("missing"));
  map.infrequent_.assign(categories->size() + (map.has_missing_ ? 1 : 0), false);
  ASSIGN_OR_RETURN(const Json* infrequent, json.GetArray("infrequent"));
  for (const Json& index : infrequent->AsArray()) {
    if (!index.is_integer() || index.AsInteger() < 0 ||
        index.AsInteger() >= static_cast<int64_t>(map.infrequent_.size())) {
      return InvalidArgument("'infrequent' names a category that is not there: " + Shown(index));
    }
    map.infrequent_[static_cast<size_t>(index.AsInteger())] = true;
  }
  RETURN_IF_ERROR(map.Assign());
  return map;
}

}  // namespace sluice::features::internal
