/// Device memory of decoders of JSON lines: for a chunk's text and structure, for what its records become, for a
/// round's rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/json_records.hpp"
#include "cuda/kernels/json_structure.cuh"
#include "cuda/kernels/json_tiles.hpp"
#include "cuda/launch.cuh"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"

namespace penstock::cuda::json {

/// Readable bytes in front of a text and behind it.
inline constexpr std::size_t reach = 64;

/// What a decoder has memory for.
struct Sizes {
  std::size_t text_bytes = 0;  ///< places in it fit 32 bits
  Limits chunk;
  std::uint32_t lists = 0;   ///< of a record
  std::uint32_t labels = 0;  ///< of a record, that are kept until its round
  std::size_t cats = 0;      ///< the same
  bool has_start = false;    ///< the same
  bool keeps_brackets = true;
  std::uint32_t columns = 0;    ///< of objects: cells of a plain record
  bool has_values = false;      ///< elements of lists are converted, by number of stop
  std::size_t spare_max = 0;    ///< elements of all records of a chunk that are undecided
  std::size_t spare_bytes = 0;  ///< of such an element
  RecordLimits round;
};

/// What is known about a chunk's text.
class TextMemory {
 public:
  explicit TextMemory(Sizes const& sizes)
      : text_(2 * reach + whole(sizes.text_bytes), "text"),
        masks_(2 * (whole(sizes.text_bytes) / 32), "masks"),
        passages_(2 * tiles(sizes.text_bytes), "states of tiles"),
        lines_(tiles(sizes.text_bytes), "states of tiles"),
        entries_(tiles(sizes.text_bytes), "entries of tiles"),
        rows_(3 * (sizes.chunk.rows + std::size_t{1}), "places of records"),
        brackets_(sizes.keeps_brackets ? sizes.chunk.brackets : 0, "brackets") {}

  /// What nobody wrote is read behind the text.
  void clear(Stream& stream) const {
    stream.fill(text_.get(), 0, text_.size_bytes());
    stream.fill(masks_.get(), 0, masks_.size_bytes());
  }
  [[nodiscard]] char* data() const { return text_.get() + reach; }
  [[nodiscard]] Masks masks() const { return {masks_.get(), masks_.get() + masks_.size() / 2}; }
  [[nodiscard]] TileStates tile_states() const { return {passages_.get(), lines_.get()}; }
  [[nodiscard]] TileEntry* entries() const { return entries_.get(); }
  [[nodiscard]] RowTable rows() const {
    std::size_t const count = rows_.size() / 3;
    return {rows_.get(), rows_.get() + count, rows_.get() + 2 * count};
  }
  [[nodiscard]] Bracket* brackets() const { return brackets_.get(); }
  [[nodiscard]] std::size_t device_bytes() const {
    return text_.size_bytes() + masks_.size_bytes() + passages_.size_bytes() + lines_.size_bytes() +
           entries_.size_bytes() + rows_.size_bytes() + brackets_.size_bytes();
  }

 private:
  static std::size_t whole(std::size_t bytes) { return (bytes / large_tile_bytes + 1) * large_tile_bytes; }
  static std::size_t tiles(std::size_t bytes) {
    return std::max(whole(bytes) / large_tile_bytes,
                    whole(std::min(bytes, small_tiles_below_bytes)) / small_tile_bytes);
  }

  DeviceArray<char> text_;
  DeviceArray<std::uint32_t> masks_;
  DeviceArray<Passage> passages_;
  DeviceArray<std::uint32_t> lines_;
  DeviceArray<TileEntry> entries_;
  DeviceArray<std::uint32_t> rows_;
  DeviceArray<Bracket> brackets_;
};

/// What a chunk's records become.
class RecordMemory {
 public:
  RecordMemory(BatchLayout const& layout, Sizes const& sizes)
      : lists_(sizes.has_values ? sizes.chunk.rows : 0, "lists of records"),
        values_(sizes.has_values ? sizes.chunk.stops : 0, "values"),
        marks_(mark_words(sizes.chunk.rows), "marks of records"),
        start_(sizes.has_start ? sizes.chunk.rows : 0, "start"),
        cat_(sizes.chunk.rows * sizes.cats, "cat"),
        labels_(std::size_t{sizes.chunk.rows} * sizes.labels, "labels"),
        columns_((1 + 2 * sizes.lists) * (sizes.chunk.rows + std::size_t{1}), "places of records"),
        marked_(sizes.chunk.rows, "records that are not plain"),
        spare_indices_(layout.is_sparse ? sizes.spare_max : 0, "pairs of a chunk"),
        spare_values_(sizes.spare_max * sizes.spare_bytes, "values of a chunk"),
        lists_of_record_(sizes.lists) {}

  [[nodiscard]] RowValues values() const {
    return {lists_.get(), values_.get(), marks_.get(), start_.get(), cat_.get(), labels_.get()};
  }
  [[nodiscard]] RecordTable table() const {
    RecordTable table;
    std::uint32_t* column = columns_.get();
    auto const take = [&] { return std::exchange(column, column + columns_.size() / (1 + 2 * lists_of_record_)); };
    table.ranks = take();
    for (std::uint32_t i = 0; i < lists_of_record_; ++i) {
      table.places[i] = take();
      table.spare_places[i] = take();
    }
    return table;
  }
  [[nodiscard]] std::uint32_t* marked() const { return marked_.get(); }
  [[nodiscard]] SpareLists spare() const { return {spare_indices_.get(), spare_values_.get()}; }
  [[nodiscard]] std::size_t device_bytes() const {
    return lists_.size_bytes() + values_.size_bytes() + marks_.size_bytes() + start_.size_bytes() + cat_.size_bytes() +
           labels_.size_bytes() + columns_.size_bytes() + marked_.size_bytes() + spare_indices_.size_bytes() +
           spare_values_.size_bytes();
  }

 private:
  static std::size_t mark_words(std::uint32_t rows) { return std::size_t{rows} / warp_lanes + heads_words; }
  /// A block of heads writes the marks of all its threads.
  static constexpr std::size_t heads_words = 4;

  DeviceArray<RowLists> lists_;
  DeviceArray<std::uint32_t> values_, marks_;
  DeviceArray<std::int64_t> start_;
  DeviceArray<std::int32_t> cat_;
  DeviceArray<float> labels_;
  DeviceArray<std::uint32_t> columns_, marked_;
  DeviceArray<std::int64_t> spare_indices_;
  DeviceArray<std::byte> spare_values_;
  std::uint32_t lists_of_record_;
};

/// A round's rows.
class RoundMemory {
 public:
  RoundMemory(BatchLayout const& layout, Sizes const& sizes)
      : layout_(layout),
        records_(sizes.round.rows, "records of rows"),
        indices_(layout.is_sparse ? sizes.round.lists.of[0] : 0, "indices") {
    for (std::size_t i = 0; i < tensor_roles.size(); ++i)
      tensors_[i] = DeviceArray<std::byte>(sizes.round.rows * layout.row_bytes(tensor_roles[i]), "rows");
    for (std::uint32_t i = 0; i < sizes.lists; ++i) {
      DType const dtype = layout.is_sparse ? layout.feature_dtype : layout.lists[i].dtype;
      offsets_[i] = DeviceArray<std::int64_t>(sizes.round.rows + std::size_t{1}, "places of lists");
      values_[i] = DeviceArray<std::byte>(sizes.round.lists.of[i] * size_bytes(dtype), "values of lists");
    }
  }

  [[nodiscard]] std::int64_t* offsets(std::size_t list) const { return offsets_[list].get(); }
  [[nodiscard]] std::uint32_t* records() const { return records_.get(); }
  [[nodiscard]] Batch view(std::uint32_t rows) const {
    Batch batch;
    for (std::size_t i = 0; i < tensor_roles.size(); ++i) {
      Role const role = tensor_roles[i];
      batch.tensor(role) = {tensors_[i].get(), layout_.dtype(role), rows, layout_.columns(role)};
    }
    if (layout_.is_sparse)
      batch.csr = {offsets(0), indices_.get(), values_[0].get(), layout_.feature_dtype, rows, layout_.features};
    for (std::size_t i = 0; i < lists_max; ++i) {
      if (layout_.lists[i].role != ListRole::none)
        batch.lists[i] = {offsets(i), values_[i].get(), layout_.lists[i].dtype, rows};
    }
    batch.set_rows(rows);
    return batch;
  }
  [[nodiscard]] std::size_t device_bytes() const {
    std::size_t sum = records_.size_bytes() + indices_.size_bytes();
    for (auto const& tensor : tensors_) sum += tensor.size_bytes();
    for (std::size_t i = 0; i < lists_max; ++i) sum += offsets_[i].size_bytes() + values_[i].size_bytes();
    return sum;
  }

 private:
  BatchLayout layout_;
  DeviceArray<std::uint32_t> records_;
  DeviceArray<std::byte> tensors_[tensor_roles.size()];
  DeviceArray<std::int64_t> indices_;
  DeviceArray<std::int64_t> offsets_[lists_max];
  DeviceArray<std::byte> values_[lists_max];
};

}  // namespace penstock::cuda::json
