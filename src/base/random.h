// Deterministic random numbers: equal seeds give equal sequences on every machine, compiler and
// thread count. The standard library's distributions may differ between implementations, so ours
// are written out here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace sluice {

/// xoshiro256** seeded by SplitMix64 (D. Blackman, S. Vigna, "Scrambled linear pseudorandom number
/// generators", 2021). Not for secrets. One thread at a time; copy it to fork a sequence.
class Random {
 public:
  explicit Random(uint64_t seed);
  /// An independent stream per name: split, bootstrap and learner of one pipeline seed must not
  /// share numbers.
  Random(uint64_t seed, std::string_view stream);

  uint64_t NextU64();
  /// Uniform in [0, bound), without modulo bias (Lemire 2019). bound > 0 (CHECK).
  uint64_t NextBelow(uint64_t bound);
  /// Uniform in [0, 1), 53 bits.
  double NextDouble();
  /// Standard normal, Box-Muller.
  double NextGaussian();

  /// Fisher-Yates from the end.
  template <typename T>
  void Shuffle(std::span<T> values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[NextBelow(i)]);
  }

 private:
  std::array<uint64_t, 4> state_;
  double spare_gaussian_ = 0;
  bool has_spare_gaussian_ = false;
};

/// 64-bit FNV-1a of the bytes, finished by the SplitMix64 mixer. Persisted (hash splits, hashed
/// features): never change.
uint64_t StableHash64(std::string_view bytes, uint64_t seed = 0);

}  // namespace sluice
