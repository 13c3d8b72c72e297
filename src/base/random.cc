#include "base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace sluice {

namespace {

uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

}  // namespace

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = Mix(seed += 0x9e3779b97f4a7c15U);
}

Random::Random(uint64_t seed, std::string_view stream) : Random(StableHash64(stream, seed)) {}

uint64_t Random::NextU64() {
  uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

uint64_t Random::NextBelow(uint64_t bound) {
  CHECK(bound > 0);
  uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(NextU64()) * bound;
    if (static_cast<uint64_t>(product) >= threshold) return static_cast<uint64_t>(product >> 64);
  }
}

double Random::NextDouble() { return static_cast<double>(NextU64() >> 11) * 0x1.0p-53; }

double Random::NextGaussian() {
  if (has_spare_gaussian_) {
    has_spare_gaussian_ = false;
    return spare_gaussian_;
  }
  double radius = std::sqrt(-2.0 * std::log(1.0 - NextDouble()));
  double angle = 2.0 * std::numbers::pi * NextDouble();
  spare_gaussian_ = radius * std::sin(angle);
  has_spare_gaussian_ = true;
  return radius * std::cos(angle);
}

uint64_t StableHash64(std::string_view bytes, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325U ^ Mix(seed);
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return Mix(hash);
}

}  // namespace sluice
