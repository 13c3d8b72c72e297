// Universal Binary JSON as XGBoost writes it (draft 12, with its typed arrays): parsing without
// copies. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sluice::learn::internal {

/// A parsed value. Texts and typed arrays point into the parsed bytes, which must outlive it.
class Ubj {
 public:
  enum class Kind : uint8_t {
    kNull,
    kBool,
    kInteger,
    kNumber,
    kText,
    kArray,
    kTypedArray,
    kObject
  };

  /// The whole of `bytes` (at most kMaxDepth deep). Errors: kDataLoss with the byte offset.
  static Result<Ubj> Parse(std::string_view bytes);
  static constexpr int kMaxDepth = 32;

  Kind kind() const { return kind_; }
  std::string_view text() const { return text_; }  ///< of kText; empty otherwise
  const std::vector<Ubj>& items() const { return items_; }

  /// The member, or null if this is no object or has none.
  const Ubj* Find(std::string_view key) const;

  // Members with a wanted type. Errors: kDataLoss naming the key.
  Result<const Ubj*> Get(std::string_view key) const;
  Result<std::string_view> GetText(std::string_view key) const;
  /// Arrays of numbers, typed or not. GetFloats does not round: float32 values come as stored.
  Result<std::vector<float>> GetFloats(std::string_view key) const;
  Result<std::vector<int64_t>> GetIntegers(std::string_view key) const;

 private:
  friend class UbjParser;
  Kind kind_ = Kind::kNull;
  int64_t integer_ = 0;    ///< kBool, kInteger
  double number_ = 0;      ///< kNumber
  char element_type_ = 0;  ///< kTypedArray
  std::string_view text_;
  std::string_view elements_;  ///< kTypedArray: big-endian values
  std::vector<Ubj> items_;
  std::vector<std::pair<std::string_view, Ubj>> members_;
};

}  // namespace sluice::learn::internal
