// The categories of a column: learnt from training values, grouped when rare, looked up when
// applied. Shared by one_hot and ordinal; rules and order are those of scikit-learn's OneHotEncoder
// and OrdinalEncoder.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "features/internal/block.h"
#include "formats/json.h"

namespace sluice::features::internal {

enum class UnknownRule : uint8_t { kError, kIgnore, kOther };

/// How categories are grouped: `rare: "1%"` (share of all training rows) or `rare: 20` (count),
/// `max_categories: 50`.
struct CategoryOptions {
  UnknownRule unknown = UnknownRule::kIgnore;
  double rare_share = 0;
  int64_t rare_count = 0;
  int64_t max_categories = 0;  ///< 0: no bound
  bool has_order = false;
  std::vector<formats::Json> order;  ///< ordinal: the categories, first to last
};

/// Reads unknown, rare, max_categories from an object (other keys are the caller's). Errors:
/// kInvalidArgument.
Result<CategoryOptions> ReadCategoryOptions(const formats::Json& argument);

/// Categories and the slot (output column or code) of each. Immutable: thread-safe.
///
/// Slots: the frequent categories in sorted order, then the missing value if it was seen and is a
/// category, then one for all infrequent ones if there are any.
class CategoryMap {
 public:
  /// Most categories kept for one column.
  static constexpr size_t kMaxCategories = 1'000'000;
  static constexpr int kNoSlot = -1;

  /// `column` is the index within the block. With `counts_missing` the missing value is a category
  /// of its own.
  static Result<CategoryMap> Fit(const Block& block, size_t column, const CategoryOptions& options,
                                 bool counts_missing);
  static Result<CategoryMap> FromJson(const formats::Json& json, ValueKind kind);
  formats::Json ToJson() const;

  /// The slot of a value or of the missing value (NaN, null data()); kNoSlot if it was never seen.
  int Find(double value) const;
  int Find(std::string_view text) const;

  int slot_count() const { return slot_count_; }
  int infrequent_slot() const { return infrequent_slot_; }
  /// For names of features: the category as text, "missing", "infrequent".
  std::vector<std::string> SlotNames() const;

 private:
  Status Assign();

  bool is_text_ = true;
  std::vector<std::string> texts_;  ///< sorted bytewise, or in the declared order
  std::vector<double> numbers_;
  bool has_missing_ = false;
  std::vector<bool> infrequent_;  ///< per category, the missing value last
  // Derived by Assign.
  std::vector<int> slots_;  ///< per category, the missing value last
  int slot_count_ = 0;
  int infrequent_slot_ = kNoSlot;
  std::unordered_map<std::string, int> text_index_;
  std::unordered_map<double, int> number_index_;
};

/// "unknown category 'x'" for messages, with what to do about it.
std::string UnknownCategoryMessage(const std::string& input, const std::string& shown);

}  // namespace sluice::features::internal
