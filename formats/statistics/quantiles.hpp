/// Quantiles of a column: the same bits whatever batches its rows come in, and where the column stands.
///
/// A column of few values keeps them all and is exact. A column of more becomes a binary tree over tile numbers:
///
///     level 2            (2, 0)                 Node (level, index) stands for tiles [index << level, (index + 1) <<
///     level).
///                    /          \               It has at most 1,024 values in ascending order, each of which stands
///                    for
///     level 1     (1, 0)        (1, 1)          2^exponent values of the column.
///                /     \       /      \         A leaf has the finite values of a tile, and exponent 0.
///     tiles     0       1     2        3
///
/// A node is its children's values in order. Of the child of the lower exponent every other value is dropped until both
/// have the same; if there are more than 1,024 then, every other one of all is dropped. Whether the first, third, ...
/// or the second, fourth, ... stay is a bit of a hash of (level, index), so it is fixed for a place, but like the toss
/// of a coin for the values that happen to be there. Nodes without a sibling stay as they are. (Manku, Rajagopalan and
/// Lindsay 1998; Agarwal et al. 2012.)
///
/// The rank error. To drop every other one of values that each stand for w moves the rank of any number by -w, 0 or w,
/// and by 0 on average. Of T full tiles, n = 1,024 T values, a node of level l drops once, at w = 2^(l - 1), and there
/// are at most T / 2^l of them:
///
///     largest possible     levels * T / 2,    n / 2,048 for each level, of which there are log2 T
///     standard deviation   T / sqrt(2),       n / 1,448, which is 0.07%
///
/// Where values are missing, a node may drop several times, at w below 2^l in all: then T is at most rows / 1,024, the
/// largest possible error levels * T and the standard deviation T * sqrt(2 / 3), both in practice nearer to the above
/// with the values' number for n, since nodes without many values drop none. docs/cli.md has what was measured.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "formats/statistics/hash.hpp"
#include "formats/statistics/moments.hpp"
#include "formats/statistics/radix_sort.hpp"

namespace penstock::statistics {

/// Finite values of one column up to which quantiles are exact.
inline constexpr std::size_t exact_values_default = 65536;
/// In place of it: all of them, however many.
inline constexpr std::size_t exact_values_all = ~std::size_t{0};

/// T: float for columns of float32, at half the memory, or double for all others; the quantiles are the same. Memory:
/// up to `exact_values` elements, or 1,024 for each level of the tree.
template <class T>
class BasicQuantiles {
 public:
  explicit BasicQuantiles(std::size_t exact_values = exact_values_default) : exact_values_(exact_values) {}

  /// The column's next tile: `rows` values, each `stride` after the one before; tile_rows of them but for the last
  /// tile. Missing and infinite values are passed over.
  template <class U>
  void add_tile(U const* values, std::size_t rows, std::size_t stride) {
    static_assert(std::is_same_v<T, double> || std::is_same_v<U, float>, "float32 holds no other values");
    Node leaf;
    for (std::size_t i = 0; i < rows; ++i, values += stride) {
      T const x = static_cast<T>(*values) + T{0};  // 0 for -0
      leaf.values[leaf.size] = x;
      leaf.size += x - x == T{0} ? 1 : 0;
    }
    count_ += leaf.size;
    if (!is_exact_) return add_leaf(leaf);
    if (leaf.size != 0) keep(leaf);
    ++tiles_;
    if (kept_.size() > exact_values_) grow_tree();
  }

  /// When there are no more values. Once.
  void finish() {
    if (is_exact_) {
      std::vector<T> scratch(kept_.size());
      radix_sort<std::size_t>(kept_.data(), scratch.data(), kept_.size());
    } else {
      rank_nodes();
    }
  }

  /// Finite values of the column.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Whether quantiles are those of all values and not of some that stand for others.
  [[nodiscard]] bool is_exact() const { return is_exact_; }

  /// After finish(), for 0 <= q <= 1: what lies at position (count - 1) * q of the values in order, counted from 0. If
  /// exact, positions between two values are interpolated, as numpy's default does. If not, each value that was kept
  /// stands at as many positions as values it stands for, and nothing is interpolated; the least and the greatest value
  /// are exact. NaN if there are no values.
  [[nodiscard]] double quantile(double q) const {
    if (count_ == 0) return __builtin_nan("");
    double const position = static_cast<double>(count_ - 1) * q;
    return is_exact_ ? interpolated(position) : ranked(position, q);
  }

 private:
  static constexpr std::size_t node_values = tile_rows;

  struct Node {
    Node() : size(0), exponent(0) {}  // the values need not be set
    std::size_t size;
    unsigned exponent;  ///< each value stands for 2^exponent
    T values[node_values];
  };
  /// A tile of values that are kept.
  struct KeptTile {
    std::uint64_t index;
    std::size_t end;  ///< in kept_
  };
  /// A value, and the position behind the last that it stands at.
  struct Ranked {
    T value;
    std::uint64_t end;
  };

  // --- few values --------------------------------------------------------------------------------------------------

  void keep(Node const& leaf) {
    kept_.insert(kept_.end(), leaf.values, leaf.values + leaf.size);
    kept_tiles_.push_back({tiles_, kept_.size()});
  }

  /// The tree that there would be, had no value been kept.
  void grow_tree() {
    std::uint64_t const tiles = tiles_;
    std::size_t begin = 0;
    is_exact_ = false;
    tiles_ = 0;
    for (KeptTile const& tile : kept_tiles_) {
      Node leaf;
      while (tiles_ != tile.index) add_leaf(leaf);
      leaf.size = tile.end - begin;
      std::copy_n(kept_.begin() + static_cast<std::ptrdiff_t>(begin), leaf.size, leaf.values);
      begin = tile.end;
      add_leaf(leaf);
    }
    if (tiles_ != tiles) add_leaf(Node{});
    kept_ = {};
    kept_tiles_ = {};
  }

  [[nodiscard]] double interpolated(double position) const {
    auto const below = static_cast<std::size_t>(position);
    std::size_t const above = std::min(below + 1, kept_.size() - 1);
    auto const a = static_cast<double>(kept_[below]), b = static_cast<double>(kept_[above]);
    double const share = position - static_cast<double>(below), difference = b - a;
    if (difference - difference != 0) return a * (1 - share) + b * share;  // beyond the largest number
    return share < 0.5 ? a + difference * share : b - difference * (1 - share);
  }

  // --- the tree ----------------------------------------------------------------------------------------------------

  /// The tile's values, in any order. waiting_[l] has a node if bit l of the number of tiles is set.
  void add_leaf(Node node) {
    T scratch[node_values];
    radix_sort<std::uint16_t>(node.values, scratch, node.size);
    if (node.size != 0) {
      bool const is_first = !has_tree_values_;
      if (is_first || node.values[0] < least_) least_ = node.values[0];
      if (is_first || node.values[node.size - 1] > greatest_) greatest_ = node.values[node.size - 1];
      has_tree_values_ = true;
    }
    std::uint64_t index = tiles_++;
    std::size_t level = 0;
    for (; (index & 1) != 0; ++level, index >>= 1) {
      take_in(node, waiting_[level], level, index);
      waiting_[level].size = 0;
    }
    if (level == waiting_.size()) waiting_.emplace_back();
    copy(node, waiting_[level]);
  }

  /// A bit for each exponent at which a node may drop values.
  static std::uint64_t choices(std::size_t level, std::uint64_t index) {
    return mixed_bits(index << 6 | static_cast<std::uint64_t>(level));
  }

  static void copy(Node const& from, Node& to) {
    to.size = from.size;
    to.exponent = from.exponent;
    std::memcpy(to.values, from.values, from.size * sizeof(T));
  }

  /// Makes `node`, number `index` of its level and an odd one, its parent; `before` is the parent's other child.
  static void take_in(Node& node, Node& before, std::size_t level, std::uint64_t index) {
    if (before.size == 0) return;
    if (node.size == 0) return copy(before, node);
    while (node.exponent < before.exponent)
      node.size = drop(node.values, node.size, node.exponent++, choices(level, index));
    while (before.exponent < node.exponent)
      before.size = drop(before.values, before.size, before.exponent++, choices(level, index - 1));
    T merged[2 * node_values];
    std::size_t size = merge(before, node, merged);
    if (size > node_values) size = drop(merged, size, node.exponent++, choices(level + 1, index >> 1));
    node.size = size;
    std::memcpy(node.values, merged, size * sizeof(T));
  }

  /// Every other value; returns how many stay.
  static std::size_t drop(T* values, std::size_t size, unsigned exponent, std::uint64_t choice) {
    std::size_t stay = 0;
    for (std::size_t i = choice >> exponent & 1; i < size; i += 2) values[stay++] = values[i];
    return stay;
  }

  static std::size_t merge(Node const& left, Node const& right, T* to) {
    T const* a = left.values;
    T const* b = right.values;
    T const* const a_end = a + left.size;
    T const* const b_end = b + right.size;
    T* const begin = to;
    while (a != a_end && b != b_end) {  // no branch on values, which no processor could foresee
      T const x = *a, y = *b;
      *to++ = y < x ? y : x;
      a += static_cast<std::size_t>(!(y < x));
      b += static_cast<std::size_t>(y < x);
    }
    while (a != a_end) *to++ = *a++;
    while (b != b_end) *to++ = *b++;
    return static_cast<std::size_t>(to - begin);
  }

  void rank_nodes() {
    for (Node const& node : waiting_)
      for (std::size_t i = 0; i < node.size; ++i)
        ranked_.push_back({node.values[i], std::uint64_t{1} << node.exponent});
    waiting_ = {};
    std::sort(ranked_.begin(), ranked_.end(), [](Ranked const& a, Ranked const& b) { return a.value < b.value; });
    std::uint64_t end = 0;
    for (Ranked& value : ranked_) value.end = end += value.end;
  }

  [[nodiscard]] double ranked(double position, double q) const {
    if (q <= 0) return static_cast<double>(least_);
    if (q >= 1) return static_cast<double>(greatest_);
    auto const at = std::upper_bound(ranked_.begin(), ranked_.end(), position, [](double wanted, Ranked const& value) {
      return wanted < static_cast<double>(value.end);
    });
    return static_cast<double>(at == ranked_.end() ? greatest_ : at->value);
  }

  std::size_t exact_values_;
  bool is_exact_ = true;
  std::uint64_t count_ = 0;
  std::uint64_t tiles_ = 0;
  std::vector<T> kept_;  ///< while exact
  std::vector<KeptTile> kept_tiles_;
  std::vector<Node> waiting_;  ///< left siblings, by level
  bool has_tree_values_ = false;
  T least_ = 0;  ///< of the tree's leaves
  T greatest_ = 0;
  std::vector<Ranked> ranked_;  ///< at the end
};

using Quantiles = BasicQuantiles<double>;

}  // namespace penstock::statistics
