/// Keyed permutations: orders of n things of which any element is known without the others.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace penstock {

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64 bits that mixes them well.
constexpr std::uint64_t mix_bits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// A key made of several numbers; their order counts.
template <class... Numbers>
constexpr std::uint64_t key_of(Numbers... numbers) {
  std::uint64_t key = 0;
  ((key = mix_bits(key + 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(numbers))), ...);
  return key;
}

/// A permutation of [0, size), one for each key: a Feistel network over the next power of four, whose results outside
/// [0, size) are permuted again until they are inside (at most four times on average, of sizes from 16 on).
class Permutation {
 public:
  constexpr Permutation(std::uint64_t key, std::uint64_t size) : size_(size) {
    half_bits_ = std::max(3u, size <= 1 ? 0u : (static_cast<unsigned>(std::bit_width(size - 1)) + 1) / 2);
    mask_ = (std::uint64_t{1} << half_bits_) - 1;
    for (std::uint64_t& round : keys_) round = key = mix_bits(key + 0x9e3779b97f4a7c15u);
  }

  /// Which of [0, size) stands at `place`, which is below size.
  [[nodiscard]] constexpr std::uint64_t operator()(std::uint64_t place) const {
    do place = step(place);
    while (place >= size_);
    return place;
  }
  [[nodiscard]] constexpr std::uint64_t size() const { return size_; }

 private:
  [[nodiscard]] constexpr std::uint64_t step(std::uint64_t x) const {
    std::uint64_t left = x >> half_bits_;
    std::uint64_t right = x & mask_;
    for (std::uint64_t const key : keys_) {
      std::uint64_t const mixed = left ^ (mix_bits(right ^ key) & mask_);
      left = right;
      right = mixed;
    }
    return (left << half_bits_) | right;
  }

  std::uint64_t size_;
  unsigned half_bits_ = 1;
  std::uint64_t mask_ = 1;
  std::array<std::uint64_t, 6> keys_ = {};
};

}  // namespace penstock
