// ordinal: the index of the category, as scikit-learn's OrdinalEncoder.
#include <fmt/format.h>

#include <cmath>

#include "features/internal/argument.h"
#include "features/internal/categories.h"
#include "features/internal/op.h"

namespace sluice::features::internal {
namespace {

using formats::Json;

Result<CategoryOptions> ReadOptions(const Json& argument) {
  if (argument.is_null()) return CategoryOptions{};
  RETURN_IF_ERROR(CheckKeys(argument, {"unknown", "rare", "max_categories", "order"}));
  ASSIGN_OR_RETURN(CategoryOptions options, ReadCategoryOptions(argument));
  if (const Json* order = argument.Find("order")) {
    if (!order->is_array() || order->size() == 0) {
      return InvalidArgument(
          fmt::format("order is {}; it must be a list of categories", Shown(*order)));
    }
    options.has_order = true;
    options.order = order->AsArray();
  }
  return options;
}

class Ordinal : public Op {
 public:
  Ordinal(std::string input, UnknownRule unknown, std::vector<CategoryMap> maps)
      : input_(std::move(input)), unknown_(unknown), maps_(std::move(maps)) {}

  Status Apply(Block& block) const override {
    size_t rows = static_cast<size_t>(block.row_count);
    double* out = block.StartScratch(maps_.size());
    for (size_t c = 0; c < maps_.size(); ++c) {
      const CategoryMap& map = maps_[c];
      for (size_t i = 0; i < rows; ++i) {
        bool is_missing = block.kind == ValueKind::kText ? block.texts[i].data() == nullptr
                                                         : std::isnan(block.Column(c)[i]);
        double code = std::numeric_limits<double>::quiet_NaN();
        if (!is_missing) {
          int slot = block.kind == ValueKind::kText ? map.Find(block.texts[i])
                                                    : map.Find(block.Column(c)[i]);
          if (slot == CategoryMap::kNoSlot && unknown_ == UnknownRule::kError) {
            return InvalidArgument(UnknownCategoryMessage(
                input_, block.kind == ValueKind::kText ? Shown(Json(block.texts[i]))
                                                       : NumberText(block.Column(c)[i])));
          }
          if (slot != CategoryMap::kNoSlot) {
            code = slot;
          } else if (unknown_ == UnknownRule::kOther) {
            code = map.infrequent_slot();  // kNoSlot is -1, the code of "other" without an
                                           // infrequent group
          }
        }
        out[c * rows + i] = code;
      }
    }
    block.AdoptScratch(maps_.size());
    return Ok();
  }
  void Advance(Signature& signature) const override { signature.kind = ValueKind::kNumbers; }
  Json ToJson() const override {
    Json columns = Json::MakeArray();
    for (const CategoryMap& map : maps_) columns.Append(map.ToJson());
    std::string_view rule = unknown_ == UnknownRule::kError   ? "error"
                            : unknown_ == UnknownRule::kOther ? "other"
                                                              : "ignore";
    return Json::MakeObject({{"unknown", rule}, {"columns", std::move(columns)}});
  }

 private:
  const std::string input_;
  const UnknownRule unknown_;
  const std::vector<CategoryMap> maps_;
};

Status Check(const Json& argument) {
  RETURN_IF_ERROR(ReadOptions(argument));
  return Ok();
}

OpResult Fit(const Block& block, const FitContext& context) {
  ASSIGN_OR_RETURN(CategoryOptions options, ReadOptions(context.argument));
  std::vector<CategoryMap> maps;
  for (size_t c = 0; c < block.width; ++c) {
    ASSIGN_OR_RETURN(CategoryMap map,
                     CategoryMap::Fit(block, c, options, /*counts_missing=*/false));
    maps.push_back(std::move(map));
  }
  return std::make_unique<Ordinal>(context.signature.input, options.unknown, std::move(maps));
}

OpResult Load(const Json& json, const Signature& signature) {
  ASSIGN_OR_RETURN(std::string unknown, json.GetString("unknown"));
  ASSIGN_OR_RETURN(CategoryOptions options,
                   ReadCategoryOptions(Json::MakeObject({{"unknown", unknown}})));
  ASSIGN_OR_RETURN(const Json* columns, json.GetArray("columns"));
  if (columns->size() != signature.width())
    return InvalidArgument("'columns' does not have one entry for each column");
  std::vector<CategoryMap> maps;
  for (const Json& column : columns->AsArray()) {
    ASSIGN_OR_RETURN(CategoryMap map, CategoryMap::FromJson(column, signature.kind));
    maps.push_back(std::move(map));
  }
  return std::make_unique<Ordinal>(signature.input, options.unknown, std::move(maps));
}

}  // namespace

OpKind OrdinalKind() {
  return {.name = "ordinal",
          .takes_numbers = true,
          .takes_text = true,
          .takes_time = false,
          .help = {"ordinal", "numbers or text",
                   "ordinal | ordinal: {order: [low, mid, high], unknown: ignore | error | other, "
                   "rare: 1%, "
                   "max_categories: 50}",
                   "The index of the category: sorted, or in the `order` given. Missing stays "
                   "missing. A category never "
                   "seen becomes missing (ignore, the default), an error, or the code of the "
                   "infrequent group, -1 if "
                   "there is none (other). As OrdinalEncoder."},
          .check = Check,
          .fit = Fit,
          .load = Load};
}

}  // namespace sluice::features::internal
