// one_hot: a column of 0 and 1 for each category, as scikit-learn's OneHotEncoder.
#include <fmt/format.h>

#include <algorithm>

#include "features/internal/argument.h"
#include "features/internal/categories.h"
#include "features/internal/op.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

struct Options {
  CategoryOptions categories;
  bool drops_first = false;
};

Result<Options> ReadOptions(const Json& argument) {
  Options options;
  if (argument.is_null()) return options;
  RETURN_IF_ERROR(CheckKeys(argument, {"unknown", "rare", "max_categories", "drop_first"}));
  ASSIGN_OR_RETURN(options.categories, ReadCategoryOptions(argument));
  if (const Json* drop = argument.Find("drop_first")) {
    ASSIGN_OR_RETURN(options.drops_first, Boolean(*drop, "drop_first"));
  }
  return options;
}

std::string_view RuleName(UnknownRule rule) {
  return rule == UnknownRule::kError ? "error" : rule == UnknownRule::kOther ? "other" : "ignore";
}

class OneHot : public Op {
 public:
  OneHot(std::string input, UnknownRule unknown, bool drops_first, std::vector<CategoryMap> maps)
      : input_(std::move(input)),
        unknown_(unknown),
        drops_first_(drops_first),
        maps_(std::move(maps)) {
    for (const CategoryMap& map : maps_) width_ += OutputCount(map);
  }

  Status Apply(Block& block) const override {
    size_t rows = static_cast<size_t>(block.row_count);
    double* out = block.StartScratch(width_);
    std::fill_n(out, width_ * rows, 0.0);
    size_t first = 0;
    for (size_t c = 0; c < maps_.size(); ++c) {
      const CategoryMap& map = maps_[c];
      for (size_t i = 0; i < rows; ++i) {
        int slot = block.kind == ValueKind::kText ? map.Find(block.texts[i])
                                                  : map.Find(block.Column(c)[i]);
        if (slot == CategoryMap::kNoSlot) {
          if (unknown_ == UnknownRule::kError)
            return InvalidArgument(UnknownCategoryMessage(input_, Shown(block, c, i)));
          if (unknown_ == UnknownRule::kIgnore) continue;
          slot = map.infrequent_slot();
          if (slot == CategoryMap::kNoSlot) continue;
        }
        if (drops_first_ && --slot < 0) continue;
        out[(first + static_cast<size_t>(slot)) * rows + i] = 1;
      }
      first += OutputCount(map);
    }
    block.AdoptScratch(width_);
    return Ok();
  }

  void Advance(Signature& signature) const override {
    std::vector<std::string> names;
    for (size_t c = 0; c < maps_.size(); ++c) {
      std::vector<std::string> slots = maps_[c].SlotNames();
      for (size_t i = drops_first_ ? 1 : 0; i < slots.size(); ++i) {
        names.push_back(signature.names[c] + "_" + slots[i]);
      }
    }
    signature.names = std::move(names);
    signature.kind = ValueKind::kNumbers;
  }

  Json ToJson() const override {
    Json columns = Json::MakeArray();
    for (const CategoryMap& map : maps_) columns.Append(map.ToJson());
    return Json::MakeObject({{"unknown", RuleName(unknown_)},
                             {"drop_first", drops_first_},
                             {"columns", std::move(columns)}});
  }

 private:
  size_t OutputCount(const CategoryMap& map) const {
    size_t count = static_cast<size_t>(map.slot_count());
    return drops_first_ && count > 0 ? count - 1 : count;
  }
  static std::string Shown(const Block& block, size_t column, size_t row) {
    if (block.kind == ValueKind::kText) {
      return block.texts[row].data() == nullptr ? "(missing)"
                                                : internal::Shown(Json(block.texts[row]));
    }
    double value = block.Column(column)[row];
    return value != value ? "(missing)" : NumberText(value);
  }

  const std::string input_;
  const UnknownRule unknown_;
  const bool drops_first_;
  const std::vector<CategoryMap> maps_;
  size_t width_ = 0;
};

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadOptions(argument));
  return Ok();
}

OpResult Fit(const Block& block, const FitContext& context) {
  ASSIGN_OR_RETURN(Options options, ReadOptions(context.argument));
  std::vector<CategoryMap> maps;
  for (size_t c = 0; c < block.width; ++c) {
    ASSIGN_OR_RETURN(CategoryMap map,
                     CategoryMap::Fit(block, c, options.categories, /*counts_missing=*/true));
    if (map.slot_count() > kMaxOneHotCategories) {
      return ResourceExhausted(
          fmt::format("{} categories, and at most {} are made into features; use `rare`, "
                      "`max_categories`, ordinal or hash, or drop "
                      "the column",
                      map.slot_count(), kMaxOneHotCategories));
    }
    maps.push_back(std::move(map));
  }
  return std::make_unique<OneHot>(context.signature.input, options.categories.unknown,
                                  options.drops_first, std::move(maps));
}

OpResult Load(const Json& json, const Signature& signature) {
  ASSIGN_OR_RETURN(std::string unknown, json.GetString("unknown"));
  ASSIGN_OR_RETURN(CategoryOptions options,
                   ReadCategoryOptions(Json::MakeObject({{"unknown", unknown}})));
  ASSIGN_OR_RETURN(bool drops_first, json.GetBool("drop_first"));
  ASSIGN_OR_RETURN(const Json* columns, json.GetArray("columns"));
  if (columns->size() != signature.width())
    return InvalidArgument("'columns' does not have one entry for each column");
  std::vector<CategoryMap> maps;
  for (const Json& column : columns->AsArray()) {
    ASSIGN_OR_RETURN(CategoryMap map, CategoryMap::FromJson(column, signature.kind));
    maps.push_back(std::move(map));
  }
  return std::make_unique<OneHot>(signature.input, options.unknown, drops_first, std::move(maps));
}

}  // namespace

OpKind OneHotKind() {
  return {
      .name = "one_hot",
      .takes_numbers = true,
      .takes_text = true,
      .takes_time = false,
      .help =
          {"one_hot", "numbers or text",
           "one_hot | one_hot: {unknown: ignore | error | other, rare: 1% | 20, max_categories: "
           "50, "
           "drop_first: true}",
           "A column NAME_CATEGORY of 0 and 1 for each category, sorted; missing values are a "
           "category of their "
           "own (NAME_missing) if training had some. Categories rarer than `rare` (share or count "
           "of rows), and "
           "all beyond `max_categories`, share NAME_infrequent. A category never seen gives zeros "
           "(ignore, the default), an error, or NAME_infrequent (other). As OneHotEncoder."},
      .check = Check,
      .fit = Fit,
      .load = Load};
}

}  // namespace sluice::features::internal
