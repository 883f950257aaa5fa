/// How threads of a kernel meet: what is behind __syncthreads, __syncwarp, shuffles and votes.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/support/simt/shared.hpp"
#include "tests/support/simt/site.hpp"

namespace simt::detail {

void meet_block(Site site);
/// __syncwarp: also orders what the lanes do to memory. Shuffles and votes do not, by CUDA's rules.
void meet_warp_in_order(unsigned mask, Site site);
/// All lanes of `mask` come here with a value; each gets the row of all lanes' values, good until it meets others
/// again.
std::uint64_t const* meet_warp(unsigned mask, std::uint64_t value, char const* word, Site site);
void report_shuffle(unsigned lane, char const* word, Site site);

inline unsigned lane_now() { return now.thread % 32; }

template <class T>
T exchange(unsigned mask, T value, unsigned from, char const* word, Site site) {
  static_assert(std::is_arithmetic_v<T> && sizeof(T) >= 4 && sizeof(T) <= 8, "CUDA's shuffles know 4 and 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  std::uint64_t const* const row = meet_warp(mask, bits, word, site);
  if ((mask >> from & 1) == 0) report_shuffle(from, word, site);
  T result;
  std::memcpy(&result, &row[from], sizeof result);
  return result;
}

unsigned ballot(unsigned mask, bool predicate, char const* word, Site site);

}  // namespace simt::detail
