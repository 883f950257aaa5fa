/// Comparing rows of two batches element by element.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/app/batch_diff.hpp"
#include "host/app/batch_diff_layout.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

class RowComparison {
 public:
  /// `result` must outlive this object.
  RowComparison(ComparedParts parts, DiffOptions const& options, DiffResult& result);

  /// Adds what differs among the first `rows` rows of both, which have as many; `record` is the 0-based number of the
  /// first.
  void compare(Batch const& a, Batch const& b, std::size_t rows, std::uint64_t record);

 private:
  [[nodiscard]] bool is_same(Batch const& a, Batch const& b, std::size_t rows) const;
  void compare_role(Batch const& a, Batch const& b, Role role, std::size_t row, std::uint64_t record);
  void compare_list(ComparedList const& list, Batch const& a, Batch const& b, std::size_t row, std::uint64_t record);
  void compare_text(std::string_view name, Texts const& a, Texts const& b, std::size_t row, std::uint64_t record);
  /// Counts a difference; whether it is to be described too.
  bool count();

  ComparedParts parts_;
  DiffOptions options_;
  DiffResult& result_;
};

}  // namespace penstock::app
