#include "host/app/array_rounds.hpp"

#include <algorithm>
#include <utility>

#include "host/exec/lane_options.hpp"
#include "host/exec/missing.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// What rows of another form may take at a time, if one row does not take more.
constexpr std::size_t shaped_bytes = std::size_t{4} << 20;

}  // namespace

std::size_t ArrayRounds::rows_at_a_time() const {
  if (!shaping_.is_any()) return batch_.rows;
  BatchLayout const layout = shaped_layout(reader_->layout(), {shaping_.normalizer, std::nullopt});
  // Pairs take an index of eight bytes more; three dense cells do for that here.
  auto const row_bytes = dense_bytes(layout.is_sparse ? 1 : 3, layout.features, layout.feature_dtype);
  if (!row_bytes) return 1;
  std::uint64_t const encoded_bytes = encoder_ == nullptr ? 0 : encoder_->bytes_max({1, 0, 0, 0, 0, {}});
  return std::max<std::size_t>(1, shaped_bytes / std::max<std::uint64_t>({1, *row_bytes, encoded_bytes}));
}

void ArrayRounds::shape(Batch const& rows) {
  RoundMemory const memory = round_memory(reader_->layout(), capacity_of(rows), shaping_, nullptr);
  if (!normalized_.capacity().holds(memory.normalized_capacity))
    normalized_ = BatchBuffer(memory.normalized, memory.normalized_capacity);
  if (!shaped_.capacity().holds(memory.shaped_capacity)) shaped_ = BatchBuffer(memory.shaped, memory.shaped_capacity);
  if (shaping_.normalizer) round_.batch = shaping_.normalizer->apply(round_.batch, normalized_.view(rows.rows));
  if (shaping_.reshape) round_.batch = reshaped(round_.batch, shaped_.view(rows.rows), *shaping_.reshape);
}

void ArrayRounds::check_rows() const {
  if (!judge_) return;
  if (auto const problem = judge_(round_.batch))
    throw DataError("row " + format_count(skipped_ + counts_.records + problem->row + 1) + ": " + problem->message,
                    problem->hint);
}

Round const* ArrayRounds::next() {
  if (taken_ == batch_.rows) {
    taken_ = 0;
    if (!reader_->next(batch_)) return nullptr;
  }
  std::size_t const count = std::min(rows_at_a_time(), batch_.rows - taken_);
  Batch const rows = batch_.rows_from(taken_, count);
  taken_ += count;
  round_.batch = rows;
  if (shaping_.is_any()) shape(rows);
  check_rows();
  counts_.records += count;
  // Of a normaliser the cells that go in count, as in lanes.
  counts_.missing_cells += count_missing(shaping_.normalizer ? rows : round_.batch);
  if (encoder_ == nullptr) return &round_;
  window_.resize(std::max(window_.size(), encoder_->bytes_max(capacity_of(round_.batch))));
  round_.encoded = {window_.data(), encoder_->encode(round_.batch, window_.data())};
  return &round_;
}

}  // namespace penstock::app
