// Where the whole records of a slot end, found on the device. The slot's text goes there piece by piece while it is
// still being read, and lanes take it from there, so it crosses the link once. A slot begins at a record's start, for
// the unfinished record of the one before stands at its front, so every slot is entered in the same state.
//
//     reader   read | read | read | cut     | read ...             (the next slot, behind the carry)
//     stream     copy | copy | copy | find fields, last record end
//     lane                                    copy on the device | find fields | convert ...
//
// No slot is longer than a record may be, so none of its records is too long. What is rare is asked of the host's
// cutter.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "cuda/exec/engine.hpp"
#include "cuda/exec/engine_stream.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/csv_automaton.cuh"
#include "cuda/kernels/csv_cut.cuh"
#include "cuda/kernels/csv_structure.cuh"
#include "formats/csv/plan.hpp"
#include "penstock/chunk.hpp"
#include "penstock/device.hpp"

namespace penstock::cuda {
namespace csv {
namespace {

using penstock::csv::Dialect;

/// A slot's text on the device.
struct Twin {
  char const* slot = nullptr;  ///< null: of no slot yet
  DeviceArray<char> text;
};

class CsvCutter final : public Cutter {
 public:
  CsvCutter(Engine& engine, Dialect const& dialect, std::unique_ptr<Cutter> host, CutterOptions const& options)
      : engine_(engine),
        dialect_(dialect),
        host_(std::move(host)),
        stream_((engine.use(), stream_options(engine, reader_track))),
        memory_(stream_, options.slot_bytes, dialect.quote != 0),
        structure_(1, "the structure of a slot"),
        end_(1, "where a slot's records end"),
        twins_(options.slots) {
    std::size_t const whole_tiles = (options.slot_bytes / large_tile_bytes + 1) * large_tile_bytes;
    for (Twin& twin : twins_) {
      twin.text = DeviceArray<char>(whole_tiles, "the text of slots");
      stream_.fill(twin.text.get(), 0, twin.text.size_bytes());  // nobody shall read what nobody wrote
    }
    stream_.wait();
  }

  /// A reader that stops may leave copies enqueued.
  ~CsvCutter() override { (void)cudaStreamSynchronize(stream_.get()); }
  CsvCutter(CsvCutter const&) = delete;
  CsvCutter& operator=(CsvCutter const&) = delete;

  void restart() override {
    host_->restart();
    is_discarding_ = false;
    arriving_ = nullptr;
  }

  /// Small pieces, as pipes give them, are copied together.
  void arrive(char const* buffer, std::uint32_t size) override {
    if (arriving_ == nullptr) {
      arriving_ = twin_of(buffer);
      copied_ = 0;
    }
    if (arriving_ == nullptr || size - copied_ < piece_bytes()) return;
    engine_.use();
    copy_up_to(size);
  }

  [[nodiscard]] std::size_t piece_bytes() const override { return std::size_t{1} << 20; }

  Cut cut(char* buffer, std::uint32_t size, bool is_shard_end, std::span<Reject> rejects) override {
    if (arriving_ == nullptr || arriving_->slot != buffer) return cut_by_host(buffer, size, is_shard_end, rejects);
    engine_.use();
    copy_up_to(size);
    char const* const text = arriving_->text.get();
    // At a shard's end it matters what is left over.
    std::uint32_t const whole = !is_shard_end && !is_discarding_ ? last_record_end({text, size, false}) : 0;
    Cut cut{whole, 0, false, nullptr};
    if (whole > 0) {
      host_->restart();
    } else {
      cut = cut_by_host(buffer, size, is_shard_end, rejects);
      if (cut.has_added_line_end) copy_up_to(cut.whole);
      stream_.wait();
    }
    cut.on_device = text;
    arriving_ = nullptr;
    return cut;
  }

 private:
  void copy_up_to(std::uint32_t size) {
    stream_.copy(arriving_->text.get() + copied_, arriving_->slot + copied_, size - copied_, "copy in");
    copied_ = size;
  }

  /// The slot's own, or one that is still of no slot; null: all have others.
  Twin* twin_of(char const* slot) {
    for (Twin& twin : twins_) {
      if (twin.slot == nullptr) twin.slot = slot;
      if (twin.slot == slot) return &twin;
    }
    return nullptr;
  }

  Cut cut_by_host(char* buffer, std::uint32_t size, bool is_shard_end, std::span<Reject> rejects) {
    Cut const cut = host_->cut(buffer, size, is_shard_end, rejects);
    is_discarding_ = cut.rejects > 0 && rejects[cut.rejects - 1].continues;
    return cut;
  }

  /// Behind the last record end of a text that begins a record; 0: none. Waits.
  std::uint32_t last_record_end(ChunkText text) {
    bool is_by_automaton = !suits_parity(dialect_);
    for (;;) {
      if (is_by_automaton)
        find_fields_by_automaton(stream_, dialect_, text, memory_, nullptr, structure_.get());
      else
        find_fields(stream_, dialect_, text, memory_, nullptr, structure_.get());
      unsigned const tile_bytes = tile_bytes_for(text.size);
      Tiles const tiles{text.data, memory_.masks(), memory_.entries(), tiles_of(text.size, tile_bytes),
                        word_bits_of(tile_bytes)};
      find_last_record_end(stream_, tiles, text.size, end_.get());
      stream_.wait();
      if (structure_[0].is_violated == 0) return end_[0];
      is_by_automaton = true;
    }
  }

  Engine& engine_;
  Dialect dialect_;
  std::unique_ptr<Cutter> host_;
  Stream stream_;
  StructureMemory memory_;
  MappedArray<Structure> structure_;
  MappedArray<std::uint32_t> end_;
  std::vector<Twin> twins_;
  Twin* arriving_ = nullptr;    ///< of the buffer that cut() will be given
  std::uint32_t copied_ = 0;    ///< bytes of it that are enqueued
  bool is_discarding_ = false;  ///< the next buffer begins inside a rejected line
};

}  // namespace
}  // namespace csv

std::unique_ptr<Cutter> make_cutter(Engine& engine, penstock::csv::DecodePlan const& plan, std::unique_ptr<Cutter> host,
                                    CutterOptions const& options) {
  return std::make_unique<csv::CsvCutter>(engine, plan.rules.dialect, std::move(host), options);
}

}  // namespace penstock::cuda
