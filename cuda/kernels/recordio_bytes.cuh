/// Words at any byte, and numbers divided by one that is the same for all: what the kernels of RecordIO-protobuf share.
#pragma once

#include <cstdint>

#include "cuda/vocabulary.cuh"

namespace penstock::cuda::recordio {

/// The text of a chunk in device memory, at a multiple of 16 bytes; 8 bytes behind it may be read.
struct FrameText {
  std::uint32_t const* words = nullptr;
  std::uint32_t size = 0;  ///< bytes
};

/// Division by a number that is known on the host, by multiplication (Granlund and Montgomery, 1994): right for all
/// 32-bit numbers.
class Divisor {
 public:
  Divisor() = default;
  /// `number` is not 0.
  explicit Divisor(std::uint32_t number) : number_(number) {
    unsigned bits = 0;
    while ((std::uint64_t{1} << bits) < number) ++bits;
    multiplier_ =
        static_cast<std::uint32_t>((std::uint64_t{1} << 32) * ((std::uint64_t{1} << bits) - number) / number + 1);
    first_shift_ = bits < 1 ? bits : 1;
    second_shift_ = bits > 1 ? bits - 1 : 0;
  }
  [[nodiscard]] PENSTOCK_HD std::uint32_t number() const { return number_; }
  [[nodiscard]] PENSTOCK_HD std::uint32_t quotient(std::uint32_t n) const {
    auto const high = static_cast<std::uint32_t>(std::uint64_t{n} * multiplier_ >> 32);
    return (high + ((n - high) >> first_shift_)) >> second_shift_;
  }

 private:
  std::uint32_t number_ = 1;
  std::uint32_t multiplier_ = 1;
  unsigned first_shift_ = 0;
  unsigned second_shift_ = 0;
};

/// The little-endian word at byte `at` of `words`; may read the word behind it too.
__device__ inline std::uint32_t word_at(std::uint32_t const* words, std::uint32_t at) {
  std::uint32_t const* const from = words + at / 4;
  std::uint32_t const low = load_cached(from);
  return at % 4 == 0 ? low : funnel_right(low, load_cached(from + 1), 8 * (at % 4));
}

/// Copies `count` words from byte `at` of `words`; a warp works together.
__device__ inline void copy_words_in(std::uint32_t* to, std::uint32_t const* words, std::uint32_t at,
                                     std::uint32_t count) {
  for (std::uint32_t i = lane_of_thread(); i < count; i += warp_lanes) to[i] = word_at(words, at + 4 * i);
}

/// Copies `count` words to bytes anywhere, in whole words but for the ends; a warp works together.
///   from   aaaa bbbb cccc
///   to     . . a | aaab | bbbc | ccc .       head 1: a byte before the first multiple of four
__device__ inline void copy_words_out(unsigned char* to, std::uint32_t const* from, std::uint32_t count) {
  if (count == 0) return;
  unsigned const lane = lane_of_thread();
  auto const head = static_cast<unsigned>((0 - reinterpret_cast<std::uintptr_t>(to)) % 4);
  auto* const words = reinterpret_cast<std::uint32_t*>(to + head);
  if (head == 0) {
    for (std::uint32_t i = lane; i < count; i += warp_lanes) words[i] = load_cached(from + i);
    return;
  }
  for (std::uint32_t i = lane; i + 1 < count; i += warp_lanes)
    words[i] = funnel_right(load_cached(from + i), load_cached(from + i + 1), 8 * head);
  if (lane < head) to[lane] = static_cast<unsigned char>(load_cached(from) >> 8 * lane);
  if (lane < 4 - head) {
    std::uint32_t const last = load_cached(from + count - 1);
    to[std::uint64_t{4} * count - (4 - head) + lane] = static_cast<unsigned char>(last >> 8 * (head + lane));
  }
}

}  // namespace penstock::cuda::recordio
