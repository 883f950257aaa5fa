/// Comparing two streams of batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

struct DiffOptions {
  std::uint64_t ulps_max = 0;  ///< floating-point elements may be this far apart; 0: the same bits, or both NaN
  bool features_only = false;
  std::size_t listed_max = 10;  ///< values that are described; all are counted
};

/// An element that differs.
struct ValueDifference {
  std::uint64_t record = 0;  ///< 1-based
  Role role = Role::feature;
  std::size_t column = 0;  ///< 0-based, of the role's tensor
  std::string a, b;        ///< the values
  std::string a_bits, b_bits;
};

struct DiffResult {
  std::uint64_t records_a = 0, records_b = 0;
  std::vector<std::string> layout;      ///< roles, widths, types and column names that differ, in words
  std::vector<ValueDifference> values;  ///< the first ones
  std::uint64_t values_different = 0;   ///< in the records that both have
  std::uint64_t records_different = 0;  ///< of these
  [[nodiscard]] bool is_same() const { return layout.empty() && values_different == 0 && records_a == records_b; }
};

/// Reads both to their ends. Tensors of different width or type, or whose columns have different names on the two
/// sides, are not compared value by value.
[[nodiscard]] DiffResult compare(BatchReader& a, BatchReader& b, DiffOptions const& options);

}  // namespace penstock::app
