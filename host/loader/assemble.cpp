#include "host/loader/assemble.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include "penstock/device.hpp"

namespace penstock {
namespace {

/// Calls `use(into's offsets, from's, into's values, from's, bytes of a value)` for everything whose size varies from
/// row to row, and for a CSR matrix once more with its indices as values. Absent ones are passed over.
template <class Use>
void for_each_varying(Batch& into, Batch const& from, Use use) {
  auto const visit = [&](auto*& to_offsets, auto* offsets, auto*& to_values, auto* values, std::size_t value_bytes) {
    if (offsets != nullptr) use(to_offsets, offsets, to_values, values, value_bytes);
  };
  if (from.csr.indptr != nullptr) {
    visit(into.csr.indptr, from.csr.indptr, into.csr.values, from.csr.values, size_bytes(from.csr.dtype));
    visit(into.csr.indptr, from.csr.indptr, into.csr.indices, from.csr.indices, sizeof(std::int64_t));
  }
  auto const ragged = [&](Ragged& to, Ragged const& it) {
    visit(to.offsets, it.offsets, to.values, it.values, size_bytes(it.dtype));
  };
  ragged(into.labels, from.labels);
  for (std::size_t i = 0; i < lists_max; ++i) ragged(into.lists[i], from.lists[i]);
  visit(into.uid.offsets, from.uid.offsets, into.uid.bytes, from.uid.bytes, 1);
  visit(into.metadata.offsets, from.metadata.offsets, into.metadata.bytes, from.metadata.bytes, 1);
}

/// Copies all rows of `from` behind the first `done` rows of `into`, which has room for them.
void append(Batch& into, std::size_t done, Batch const& from) {
  for (Role const role : tensor_roles) {
    Dense const& rows = from.tensor(role);
    if (rows.columns == 0) continue;
    std::memcpy(into.tensor(role).data + done * rows.row_bytes(), rows.data, from.rows * rows.row_bytes());
  }
  auto const copy = [&](auto*& to_offsets, auto* offsets, auto*& to_values, auto* values, std::size_t value_bytes) {
    std::int64_t const at = to_offsets[done];
    std::int64_t const begin = offsets[0];
    for (std::size_t row = 0; row < from.rows; ++row) to_offsets[done + row + 1] = at + (offsets[row + 1] - begin);
    auto const bytes = static_cast<std::size_t>(offsets[from.rows] - begin) * value_bytes;
    if (bytes == 0) return;
    std::memcpy(reinterpret_cast<char*>(to_values) + static_cast<std::size_t>(at) * value_bytes,
                reinterpret_cast<char const*>(values) + static_cast<std::size_t>(begin) * value_bytes, bytes);
  };
  for_each_varying(into, from, copy);
}

/// What a batch lies in whose offsets had to be written anew.
struct Rebased {
  std::shared_ptr<void const> memory;
  std::vector<std::vector<std::int64_t>> offsets;
};

/// Offsets of rows in the middle of a piece, from 0 on.
SharedBatch rebased(Batch rows, std::shared_ptr<void const> memory) {
  auto lies_in = std::make_shared<Rebased>();
  lies_in->memory = std::move(memory);
  Batch const from = rows;
  auto const rebase = [&](auto*& to_offsets, auto* offsets, auto*& to_values, auto* values, std::size_t value_bytes) {
    auto const begin = static_cast<std::size_t>(offsets[0]);
    if (begin == 0) return;
    bool const is_done = to_offsets != offsets;  // those of a CSR matrix, with its values
    to_values = values + begin * (sizeof *values == 1 ? value_bytes : 1);
    if (is_done) return;
    std::vector<std::int64_t>& own = lies_in->offsets.emplace_back(from.rows + 1);
    for (std::size_t row = 0; row <= from.rows; ++row) own[row] = offsets[row] - offsets[0];
    to_offsets = own.data();
  };
  for_each_varying(rows, from, rebase);
  SharedBatch batch;
  batch.rows = rows;
  batch.memory = std::move(lies_in);
  return batch;
}

bool varies(BatchLayout const& layout) { return !layout.is_dense(); }

BatchCapacity sum_of(std::span<RowRun const> runs, BatchLayout const& layout) {
  BatchCapacity sum;
  for (RowRun const& run : runs) {
    sum.rows += run.count;
    if (!varies(layout)) continue;
    BatchCapacity const part = capacity_of(run.piece->rows.rows_from(run.first, run.count));
    sum.pairs += part.pairs;
    sum.labels += part.labels;
    sum.uid_bytes += part.uid_bytes;
    sum.metadata_bytes += part.metadata_bytes;
    for (std::size_t i = 0; i < lists_max; ++i) sum.list_values[i] += part.list_values[i];
  }
  return sum;
}

/// Dense rows alone, of which single ones come from many places: without a Batch made for each.
void gather_dense(Batch& into, std::span<RowRun const> runs) {
  for (Role const role : tensor_roles) {
    Dense& tensor = into.tensor(role);
    std::size_t const bytes = tensor.row_bytes();
    if (bytes == 0) continue;
    std::byte* to = tensor.data;
    for (RowRun const& run : runs) {
      std::memcpy(to, run.piece->rows.tensor(role).data + run.first * bytes, run.count * bytes);
      to += run.count * bytes;
    }
  }
}

}  // namespace

SharedBatch assemble(BatchLayout const& layout, std::span<RowRun const> runs) {
  SharedBatch batch;
  if (runs.size() == 1) {
    RowRun const& run = runs.front();
    Batch rows = run.piece->rows.rows_from(run.first, run.count);
    rows.record_begins = nullptr;
    batch.rows = rows;
    batch.memory = run.piece->memory;
    if (varies(layout)) batch = rebased(rows, run.piece->memory);
  } else {
    BatchCapacity const capacity = sum_of(runs, layout);
    auto buffer = std::make_shared<BatchBuffer>(layout, capacity);
    batch.rows = buffer->view(capacity.rows);
    std::size_t done = 0;
    if (!varies(layout)) gather_dense(batch.rows, runs);
    for (RowRun const& run : runs) {
      if (!varies(layout)) break;
      append(batch.rows, done, run.piece->rows.rows_from(run.first, run.count));
      done += run.count;
    }
    batch.memory = std::move(buffer);
  }
  batch.valid_rows = batch.rows.rows;
  return batch;
}

RowPiece piece_of(BatchLayout const& layout, Round const& round, std::shared_ptr<void const> memory) {
  if (memory == nullptr) return copied(layout, round.batch);
  RowPiece piece{round.batch, std::move(memory)};
  if (round.device_rows != nullptr) piece.features_on_device = round.device_rows->data();
  return piece;
}

RowPiece copied(BatchLayout const& layout, Batch const& rows) {
  BatchCapacity capacity = capacity_of(rows);
  capacity.text_bytes = 0;
  auto buffer = std::make_shared<BatchBuffer>(layout, capacity);
  RowPiece piece;
  piece.rows = buffer->view(rows.rows);
  append(piece.rows, 0, rows);
  piece.memory = std::move(buffer);
  return piece;
}

}  // namespace penstock
