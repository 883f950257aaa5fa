#include "host/app/batch_diff.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_set>

#include "host/app/value_text.hpp"
#include "host/io/interrupt.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

/// The rows of a reader that are still to be compared.
class Rows {
 public:
  explicit Rows(BatchReader& reader) : reader_(reader) {}

  /// How many rows are at hand; 0 at the end.
  std::size_t available() {
    if (batch_.rows == 0 && !is_end_) is_end_ = !reader_.next(batch_);
    return is_end_ ? 0 : batch_.rows;
  }
  [[nodiscard]] Batch const& batch() const { return batch_; }
  void pass(std::size_t rows) { batch_ = batch_.rows_from(rows, batch_.rows - rows); }

 private:
  BatchReader& reader_;
  Batch batch_;
  bool is_end_ = false;
};

class Comparison {
 public:
  Comparison(BatchReader& a, BatchReader& b, DiffOptions const& options) : a_(a), b_(b), options_(options) {
    for (Role role : tensor_roles) {
      if (options_.features_only && role != Role::feature) continue;
      bool const has_same_names = are_same_names(role, a.names(role), b.names(role));
      if (has_same_shape(role, a.layout(), b.layout()) && has_same_names && a.layout().columns(role) != 0)
        roles_.push_back(role);
    }
  }

  DiffResult run() {
    while (std::size_t const rows = std::min(a_.available(), b_.available())) {
      throw_if_interrupted();
      compare_rows(rows);
      a_.pass(rows);
      b_.pass(rows);
      result_.records_a += rows;
    }
    result_.records_b = result_.records_a;
    count_rest(a_, result_.records_a);
    count_rest(b_, result_.records_b);
    return std::move(result_);
  }

 private:
  /// Says which names only one side has, if both have names. Labels, weights and queries are what an option named, so
  /// that one column of each is the same thing under whatever name.
  bool are_same_names(Role role, std::vector<std::string> const& a, std::vector<std::string> const& b) {
    if (a.empty() || b.empty() || a == b || (role != Role::feature && a.size() == 1 && b.size() == 1)) return true;
    std::string const name(name_of(role));
    std::string const only_a = missing_in(b, a);
    std::string const only_b = missing_in(a, b);
    if (!only_a.empty()) result_.layout.push_back(name + ": only the first has " + only_a);
    if (!only_b.empty()) result_.layout.push_back(name + ": only the second has " + only_b);
    if (only_a.empty() && only_b.empty()) result_.layout.push_back(name + ": the same columns in another order");
    return false;
  }

  /// The first of `names` that are not among `others`.
  static std::string missing_in(std::vector<std::string> const& others, std::vector<std::string> const& names) {
    constexpr std::size_t shown_max = 10;
    std::unordered_set<std::string_view> const known(others.begin(), others.end());
    std::vector<std::string> missing;
    for (std::string const& name : names) {
      if (!known.contains(name)) missing.push_back(name);
    }
    return missing.empty() ? "" : shown_list(missing, shown_max);
  }

  /// Says what differs, if anything does.
  bool has_same_shape(Role role, BatchLayout const& a, BatchLayout const& b) {
    std::string const name(name_of(role));
    std::size_t const columns_a = a.columns(role);
    std::size_t const columns_b = b.columns(role);
    if (columns_a != columns_b) {
      auto const count = [](std::size_t columns) { return columns == 0 ? "none" : format_count(columns); };
      result_.layout.push_back(name + ": " + count(columns_a) + " | " + count(columns_b));
      return false;
    }
    if (columns_a == 0 || a.dtype(role) == b.dtype(role)) return true;
    result_.layout.push_back(name + ": " + std::string(name_of(a.dtype(role))) + " | " +
                             std::string(name_of(b.dtype(role))));
    return false;
  }

  /// Whole tensors at a time while their bytes are the same, which is most of the time.
  void compare_rows(std::size_t rows) {
    auto const differs = [this, rows](Role role) {
      Dense const& a = a_.batch().tensor(role);
      return std::memcmp(a.data, b_.batch().tensor(role).data, rows * a.row_bytes()) != 0;
    };
    if (std::none_of(roles_.begin(), roles_.end(), differs)) return;
    for (std::size_t row = 0; row < rows; ++row) {
      std::uint64_t const before = result_.values_different;
      for (Role role : roles_) compare_row(role, row);
      result_.records_different += result_.values_different == before ? 0 : 1;
    }
  }

  void compare_row(Role role, std::size_t row) {
    Dense const& a = a_.batch().tensor(role);
    Dense const& b = b_.batch().tensor(role);
    std::size_t const first = row * a.row_bytes();
    if (std::memcmp(a.data + first, b.data + first, a.row_bytes()) == 0) return;
    for (std::size_t column = 0; column < a.columns; ++column) {
      std::size_t const index = row * a.columns + column;
      if (is_same(a, b, index)) continue;
      ++result_.values_different;
      if (result_.values.size() == options_.listed_max) continue;
      result_.values.push_back({result_.records_a + row + 1, role, column, value_text(a, index), value_text(b, index),
                                bits_text(a, index), bits_text(b, index)});
    }
  }

  [[nodiscard]] bool is_same(Dense const& a, Dense const& b, std::size_t index) const {
    std::uint64_t const a_bits = bits_of(a, index);
    std::uint64_t const b_bits = bits_of(b, index);
    if (a_bits == b_bits) return true;
    return is_floating(a.dtype) && ulps_between(a.dtype, a_bits, b_bits) <= options_.ulps_max;
  }

  static void count_rest(Rows& rows, std::uint64_t& count) {
    while (std::size_t const more = rows.available()) {
      count += more;
      rows.pass(more);
    }
  }

  Rows a_, b_;
  DiffOptions options_;
  std::vector<Role> roles_;  ///< that are compared value by value
  DiffResult result_;
};

}  // namespace

DiffResult compare(BatchReader& a, BatchReader& b, DiffOptions const& options) {
  return Comparison(a, b, options).run();
}

}  // namespace penstock::app
