/// Memory of exactly the size that was asked for, so that AddressSanitizer sees every byte too many, and what every
/// decoder promises of the rows in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "tests/support/format_run_outcome.hpp"

namespace penstock::testing {

inline void promise(bool is_kept, char const* what) {
  if (!is_kept) throw std::logic_error(what);
}

/// A copy of `bytes` with exactly text_padding bytes of poison on either side.
class PaddedText {
 public:
  PaddedText(std::string_view bytes, char poison)
      : size_(bytes.size()), memory_(std::make_unique<char[]>(bytes.size() + 2 * text_padding)) {
    std::memset(memory_.get(), poison, size_ + 2 * text_padding);
    if (!bytes.empty()) std::memcpy(data(), bytes.data(), bytes.size());
  }
  [[nodiscard]] char* data() { return memory_.get() + text_padding; }
  [[nodiscard]] Text text() { return {data(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> memory_;
};

/// A batch of exactly this capacity, every tensor an allocation of its own, poisoned.
class ExactBatch {
 public:
  ExactBatch(BatchLayout const& layout, BatchCapacity const& capacity, char poison) : poison_(poison) {
    for (Role const role : tensor_roles) {
      Dense& tensor = batch_.tensor(role);
      tensor.dtype = layout.dtype(role);
      tensor.columns = layout.columns(role);
      if (tensor.columns != 0) tensor.data = take(capacity.rows * layout.row_bytes(role));
    }
    if (layout.is_sparse) {
      batch_.csr.dtype = layout.feature_dtype;
      batch_.csr.columns = layout.features;
      batch_.csr.indptr = take_offsets(capacity.rows);
      batch_.csr.indices = reinterpret_cast<std::int64_t*>(take(capacity.pairs * sizeof(std::int64_t)));
      batch_.csr.values = take(capacity.pairs * size_bytes(layout.feature_dtype));
    }
    if (layout.labels_vary) {
      batch_.labels.dtype = layout.label_dtype;
      batch_.labels.offsets = take_offsets(capacity.rows);
      batch_.labels.values = take(capacity.labels * size_bytes(layout.label_dtype));
    }
    for (std::size_t i = 0; i < lists_max; ++i) {
      if (layout.lists[i].role == ListRole::none) continue;
      batch_.lists[i].dtype = layout.lists[i].dtype;
      batch_.lists[i].offsets = take_offsets(capacity.rows);
      batch_.lists[i].values = take(capacity.list_values[i] * size_bytes(layout.lists[i].dtype));
    }
    if (layout.keeps_texts) {
      batch_.texts.columns = layout.categories;
      batch_.texts.cells = reinterpret_cast<TextCell*>(take(capacity.rows * layout.categories * sizeof(TextCell)));
      batch_.texts.bytes = reinterpret_cast<char*>(take(capacity.text_bytes));
    }
    if (layout.has_uid) place(batch_.uid, capacity.rows, capacity.uid_bytes);
    if (layout.has_metadata) place(batch_.metadata, capacity.rows, capacity.metadata_bytes);
  }
  ExactBatch(ExactBatch const&) = delete;

  [[nodiscard]] Batch view(std::size_t rows) const {
    Batch view = batch_;
    view.set_rows(rows);
    return view;
  }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(std::byte* p) const { ::operator delete[](p, alignment); }
  };

  std::byte* take(std::size_t bytes) {
    memory_.emplace_back(new (alignment) std::byte[bytes]);
    if (bytes != 0) std::memset(memory_.back().get(), poison_, bytes);
    return memory_.back().get();
  }
  std::int64_t* take_offsets(std::size_t rows) {
    auto* const offsets = reinterpret_cast<std::int64_t*>(take((rows + 1) * sizeof(std::int64_t)));
    offsets[0] = 0;
    return offsets;
  }
  void place(Texts& texts, std::size_t rows, std::size_t bytes) {
    texts.offsets = take_offsets(rows);
    texts.bytes = reinterpret_cast<char*>(take(bytes));
  }

  char poison_;
  std::vector<std::unique_ptr<std::byte[], Free>> memory_;
  Batch batch_;
};

// --- rows ----------------------------------------------------------------------------------------------------------

inline std::uint64_t bits_at(std::byte const* data, DType dtype, std::size_t i) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, data + i * size_bytes(dtype), size_bytes(dtype));
  return bits;
}

inline std::vector<std::uint64_t> bits_of(std::byte const* data, DType dtype, Extent extent) {
  std::vector<std::uint64_t> bits;
  for (std::size_t i = extent.begin; i < extent.end; ++i) bits.push_back(bits_at(data, dtype, i));
  return bits;
}

/// Row `row` of a batch, whoever made it.
inline RunRow row_of(Batch const& batch, std::size_t row) {
  RunRow out;
  auto const dense = [&](Dense const& t) { return bits_of(t.data, t.dtype, {row * t.columns, (row + 1) * t.columns}); };
  out.features = dense(batch.features);
  out.labels = dense(batch.label);
  if (batch.weight.columns != 0) out.weight = dense(batch.weight).front();
  if (batch.qid.columns != 0) out.qid = dense(batch.qid).front();
  if (batch.base_margin.columns != 0) out.base_margin = dense(batch.base_margin).front();
  if (batch.csr.indptr != nullptr) {
    Extent const pairs = batch.csr.row(row);
    out.indices.assign(batch.csr.indices + pairs.begin, batch.csr.indices + pairs.end);
    out.values = bits_of(batch.csr.values, batch.csr.dtype, pairs);
  }
  if (batch.labels.offsets != nullptr)
    out.labels = bits_of(batch.labels.values, batch.labels.dtype, batch.labels.row(row));
  if (batch.start.columns != 0) out.start = dense(batch.start).front();
  out.cat = dense(batch.cat);
  out.categories = dense(batch.categories);
  for (std::size_t i = 0; i < batch.texts.columns; ++i) {
    if (batch.texts.is_missing(row, i))
      out.texts.emplace_back();
    else
      out.texts.emplace_back(batch.texts.at(row, i));
  }
  for (std::size_t i = 0; i < lists_max; ++i) {
    Ragged const& list = batch.lists[i];
    if (list.offsets != nullptr) out.lists[i] = bits_of(list.values, list.dtype, list.row(row));
  }
  if (batch.uid.offsets != nullptr) out.uid = batch.uid.row(row);
  if (batch.metadata.offsets != nullptr) out.metadata = batch.metadata.row(row);
  return out;
}

/// What every decoder promises of the rows that it hands out.
inline void check_rows(Batch const& batch, BatchCapacity const& capacity) {
  auto const check_offsets = [&](std::int64_t const* offsets) {
    if (offsets == nullptr) return;
    promise(offsets[0] == 0, "the first offset of a round is not 0");
    for (std::size_t i = 0; i < batch.rows; ++i) promise(offsets[i] <= offsets[i + 1], "offsets descend");
  };
  promise(batch.rows <= capacity.rows, "more rows than the capacity");
  for (auto const* offsets : {batch.csr.indptr, batch.labels.offsets, batch.uid.offsets, batch.metadata.offsets,
                              batch.lists[0].offsets, batch.lists[1].offsets})
    check_offsets(offsets);
  promise(capacity.holds(capacity_of(batch)), "more elements than the capacity");
  if (batch.csr.indptr == nullptr) return;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    Extent const pairs = batch.csr.row(row);
    for (std::size_t i = pairs.begin; i < pairs.end; ++i) {
      std::int64_t const index = batch.csr.indices[i];
      promise(index >= 0, "an index below 0");
      promise(i == pairs.begin || index > batch.csr.indices[i - 1], "indices do not ascend strictly");
      promise(batch.csr.columns == 0 || static_cast<std::size_t>(index) < batch.csr.columns,
              "an index beyond the width");
    }
  }
}

}  // namespace penstock::testing
