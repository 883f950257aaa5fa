/// What a decoder has to know about a libsvm text: the outcome of options and scouting.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "formats/libsvm/grammar.hpp"
#include "formats/libsvm/options.hpp"
#include "penstock/batch.hpp"

namespace penstock::libsvm {

inline constexpr std::size_t record_max_default = std::size_t{16} << 20;

/// The most pairs of a record of `record_max` bytes. Records whose indices differ never reach it (the digits of n
/// different numbers alone take more); others are cut off here, so that no record asks for more memory.
/// ` 0:1` takes four bytes, and a bare ` 0` two; of n different indices the mean is above 7 (5) from n = 131,072 on,
/// as the test of this function adds up.
constexpr std::size_t pairs_max(std::size_t record_max, Syntax syntax) {
  bool const has_bare = syntax.is_dmlc && !syntax.is_libfm;
  std::size_t const shortest = has_bare ? 2 : 4;
  std::size_t const mean = has_bare ? 5 : 7;
  return std::max<std::size_t>(1, std::min(record_max / shortest, std::max(record_max / mean, std::size_t{131072})));
}

/// A plain value.
struct Plan {
  BatchLayout layout = {.labels = 1, .is_sparse = true};
  ItemRules items;
  Duplicates duplicates = Duplicates::fault;
  bool checks_qid_order = true;  ///< for whoever sees all records: a decoder sees those of a chunk
  std::size_t pairs_max = libsvm::pairs_max(record_max_default, {});
};

}  // namespace penstock::libsvm
