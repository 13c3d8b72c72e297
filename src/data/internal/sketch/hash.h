// Fast 64-bit hashes for sketches. Never persisted (base/random.h has the stable one). Not against
// adversaries: a hostile file can at worst spoil its own profile.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace sluice::data::internal {

/// MurmurHash3's finaliser, moved away from its fixed point zero: a bijection, so distinct integers
/// never collide.
inline uint64_t HashInteger(uint64_t x) {
  x ^= 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdU;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53U;
  return x ^ (x >> 33);
}

inline uint64_t LoadWord(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

inline uint64_t LoadHalfWord(const char* p) {
  uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

inline uint64_t FoldedProduct(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// After Wang Yi's wyhash (public domain): one wide multiplication for each 16 bytes and two at the
/// end.
inline uint64_t HashBytes(const char* p, uint64_t size) {
  constexpr uint64_t kSecret0 = 0xa0761d6478bd642fU;
  constexpr uint64_t kSecret1 = 0xe7037ed1a0b428dbU;
  uint64_t seed = kSecret0;
  uint64_t a = 0;
  uint64_t b = 0;
  if (size <= 16) {
    if (size >= 8) {
      a = LoadWord(p);
      b = LoadWord(p + size - 8);
    } else if (size >= 4) {
      a = LoadHalfWord(p);
      b = LoadHalfWord(p + size - 4);
    } else if (size > 0) {
      a = (uint64_t{static_cast<uint8_t>(p[0])} << 16) |
          (uint64_t{static_cast<uint8_t>(p[size >> 1])} << 8) | static_cast<uint8_t>(p[size - 1]);
    }
  } else {
    uint64_t left = size;
    while (left > 16) {
      seed = FoldedProduct(LoadWord(p) ^ kSecret1, LoadWord(p + 8) ^ seed);
      p += 16;
      left -= 16;
    }
    a = LoadWord(p + left - 16);
    b = LoadWord(p + left - 8);
  }
  return FoldedProduct(kSecret1 ^ size, FoldedProduct(a ^ kSecret1, b ^ seed));
}

inline constexpr uint64_t kNullHash = 0x2545f4914f6cdd1dU;

/// The hash of a row, column after column, in order.
inline uint64_t CombineHash(uint64_t row, uint64_t cell) {
  return (std::rotl(row, 23) ^ cell) * 0x9e3779b97f4a7c15U;
}

}  // namespace sluice::data::internal
