#include "host/app/batch_diff.hpp"

#include <algorithm>
#include <utility>

#include "host/app/batch_diff_layout.hpp"
#include "host/app/batch_diff_rows.hpp"
#include "host/io/interrupt.hpp"

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

/// Adds the rows that the other side does not have.
void count_rest(Rows& rows, std::uint64_t& count) {
  while (std::size_t const more = rows.available()) {
    throw_if_interrupted();
    count += more;
    rows.pass(more);
  }
}

}  // namespace

DiffResult compare(BatchReader& a, BatchReader& b, DiffOptions const& options) {
  DiffResult result;
  ComparedParts parts = compared_parts(a, b, options);
  result.layout = std::move(parts.differences);
  RowComparison comparison(std::move(parts), options, result);
  Rows rows_a(a), rows_b(b);
  while (std::size_t const rows = std::min(rows_a.available(), rows_b.available())) {
    throw_if_interrupted();
    comparison.compare(rows_a.batch(), rows_b.batch(), rows, result.records_a);
    rows_a.pass(rows);
    rows_b.pass(rows);
    result.records_a += rows;
  }
  result.records_b = result.records_a;
  count_rest(rows_a, result.records_a);
  count_rest(rows_b, result.records_b);
  return result;
}

}  // namespace penstock::app
