/// Comparing two streams of batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/reshape.hpp"
#include "host/app/batch_reader.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

struct DiffOptions {
  std::uint64_t ulps_max = 0;  ///< floating-point elements may be this far apart; 0: the same bits, or both NaN
  bool features_only = false;
  /// What a feature that a sparse record does not list is the same as. Without it such a feature is the same as
  /// nothing, and sparse features cannot be compared with dense ones.
  std::optional<Absent> absent;
  /// The number of features is only the largest index that occurs: where the other side knows better, it may be more.
  bool is_width_guessed_a = false;
  bool is_width_guessed_b = false;
  std::size_t listed_max = 10;  ///< values that are described; all are counted
};

/// How a difference calls an element that only the other side has.
inline constexpr std::string_view absent_word = "absent";

/// An element that differs: of a tensor or a list, or a record's uid or metadata, or the length of a list.
struct ValueDifference {
  std::uint64_t record = 0;  ///< 1-based
  Role role = Role::feature;
  std::size_t column = 0;      ///< 0-based, of the role's tensor; in a list the place
  std::string a, b;            ///< the values, or absent_word; a text is in quotes, a length has a word behind it
  std::string a_bits, b_bits;  ///< empty where the value is absent, and for texts and lengths
  std::string_view text =
      {};  ///< "uid", "metadata" or a list whose length differs; then there is no role and no column
  ListRole list = ListRole::none;  ///< whose element it is; then there is no role
  std::size_t part = 0;            ///< 0-based: which of a row's lists, where there are several
};

struct DiffResult {
  std::uint64_t records_a = 0, records_b = 0;
  std::vector<std::string> layout;      ///< roles, forms, widths, types and column names that differ, in words
  std::vector<ValueDifference> values;  ///< the first ones
  std::uint64_t values_different = 0;   ///< in the records that both have
  std::uint64_t records_different = 0;  ///< of these
  [[nodiscard]] bool is_same() const { return layout.empty() && values_different == 0 && records_a == records_b; }
};

/// Reads both to their ends, in memory that does not grow with them. What is compared, and how:
///   features      dense with dense, sparse with sparse; with `absent` each with each, sparse rows by their pairs
///   label         by place; where lists differ in length, the rest of the longer one is absent from the other
///   lists         by place; where lengths differ that is one difference, and what both have is compared
///   uid, metadata as bytes
/// Parts whose form, width or type differ, or whose columns have different names on the two sides, are not compared
/// value by value. A number of features that is not known is equal to any.
[[nodiscard]] DiffResult compare(BatchReader& a, BatchReader& b, DiffOptions const& options);

}  // namespace penstock::app
