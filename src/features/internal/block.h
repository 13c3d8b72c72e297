// The values of one input column on their way through its chain of operations, a block of rows at a
// time. One thread at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::features::internal {

enum class ValueKind : uint8_t { kNumbers, kText, kTime };

/// What a chain has made of its input so far: the kind of values and the names of the columns.
struct Signature {
  std::string input;
  ValueKind kind = ValueKind::kNumbers;
  std::vector<std::string>
      names;  ///< of the columns that later operations see; one for text and time
  std::vector<std::string>
      extra_names;  ///< of finished columns (missing-value indicators), put at the chain's end

  size_t width() const { return names.size(); }
};

inline constexpr int64_t kMissingTime = std::numeric_limits<int64_t>::min();

/// Buffers are kept between uses, so that a block serves every column of a batch without allocating
/// again.
struct Block {
  int64_t row_count = 0;
  ValueKind kind = ValueKind::kNumbers;
  size_t width = 1;
  std::vector<double> numbers;  ///< kNumbers: width × row_count, column by column; NaN is missing
  std::vector<std::string_view>
      texts;  ///< kText: row_count; a null data() is missing. Points into the Arrow array
  std::vector<int64_t> times;  ///< kTime: row_count microseconds since 1970 UTC, or kMissingTime
  size_t extra_width = 0;
  std::vector<double> extra;    ///< extra_width × row_count
  std::vector<double> scratch;  ///< for operations that change the width

  double* Column(size_t index) { return numbers.data() + index * static_cast<size_t>(row_count); }
  const double* Column(size_t index) const {
    return numbers.data() + index * static_cast<size_t>(row_count);
  }
  /// Makes `scratch` hold `new_width` columns; the operation fills them, then calls Adopt.
  double* StartScratch(size_t new_width) {
    scratch.resize(new_width * static_cast<size_t>(row_count));
    return scratch.data();
  }
  void AdoptScratch(size_t new_width) {
    numbers.swap(scratch);
    width = new_width;
    kind = ValueKind::kNumbers;
  }
};

}  // namespace sluice::features::internal
