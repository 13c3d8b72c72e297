// An open file descriptor with an owner.
#pragma once

#include <unistd.h>

#include <utility>

namespace sluice::io {

/// Closes it at the end. Move-only; thread-safe as an int is.
class Descriptor {
 public:
  Descriptor() = default;
  /// Takes `number` over; negative is none.
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { Reset(); }
  Descriptor(Descriptor&& other) noexcept : number_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Reset();
      number_ = other.Release();
    }
    return *this;
  }

  bool is_open() const { return number_ >= 0; }
  int get() const { return number_; }
  /// The caller closes it.
  int Release() { return std::exchange(number_, -1); }
  void Reset() {
    if (number_ >= 0) close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

}  // namespace sluice::io
