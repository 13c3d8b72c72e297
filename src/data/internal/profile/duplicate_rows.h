// How many rows have an equal one before them, from hashes of rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::data::internal {

/// Keeps every hash while there are at most `limit`; beyond that only those whose low bits are
/// zero, more bits the more rows: equal rows are kept or dropped together, so the count is scaled
/// up. The result depends on the set of hashes alone. One thread at a time.
class DuplicateRows {
 public:
  explicit DuplicateRows(int64_t limit) : limit_(limit) {}

  void Add(const uint64_t* hashes, int64_t count);
  /// `other` is empty afterwards.
  void Merge(DuplicateRows& other);
  /// Call last: the hashes are used up.
  int64_t Count(size_t thread_count);
  bool is_exact() const { return dropped_bits_ == 0; }

 private:
  static constexpr int kPartBits = 6;

  void DropMore(int bits);
  void Enforce();

  int64_t limit_;
  int dropped_bits_ = 0;
  int64_t kept_count_ = 0;
  std::array<std::vector<uint64_t>, size_t{1} << kPartBits> parts_;  ///< by the highest bits
};

}  // namespace sluice::data::internal
