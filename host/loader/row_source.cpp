#include "host/loader/row_source.hpp"

#include <utility>

#include "host/app/array_rounds.hpp"
#include "host/io/source.hpp"

namespace penstock {
namespace {

/// Text records, by way of the runtime.
class StreamedRows final : public RowSource {
 public:
  StreamedRows(OpenedInput const& input, PassOptions const& options)
      : side_files_(input.open_side_files()),
        has_places_(starts_anywhere(input)),
        stream_(*input.plan(), stream_options(input, options)) {}

  bool next(RowPiece& piece) override {
    Round const* const round = stream_.next();
    if (round == nullptr) return false;
    std::shared_ptr<void const> memory = stream_.lease();
    piece = piece_of(stream_.layout(), *round, std::move(memory));
    piece.file = stream_.chunk().stamp.shard;
    return true;
  }
  [[nodiscard]] StreamCounts counts() const override { return stream_.counts(); }
  [[nodiscard]] std::shared_ptr<Device> device() const override { return stream_.device(); }
  [[nodiscard]] std::optional<StreamPlace> place() const override {
    return has_places_ ? std::optional(stream_.place()) : std::nullopt;
  }
  void stop() override { stream_.stop(); }
  [[nodiscard]] std::vector<std::uint64_t> take_reject_places() override {
    return std::exchange(stream_.reject_places(), {});
  }

 private:
  StreamOptions stream_options(OpenedInput const& input, PassOptions const& options) {
    StreamOptions stream = input.stream();
    stream.pool = options.pool;
    stream.leaves_features = options.leaves_features;
    stream.trace = options.trace;
    stream.start = options.start;
    stream.keeps_reject_places = true;
    stream.row_files = side_files_ == nullptr ? nullptr : side_files_->values();
    stream.judges_whole = true;
    if (options.files.empty()) return stream;
    stream.arrange = [files = options.files, start = options.start, &input](std::vector<Shard> shards) {
      std::vector<Shard> arranged;
      for (std::uint32_t const file : files) arranged.push_back(shards[file]);
      if (start) begin_at(arranged.front(), input.files()[files.front()], *start);
      return arranged;
    };
    return stream;
  }

  static void begin_at(Shard& shard, InputFile const& file, StreamPlace const& place) {
    shard.open = [file, at = place.offset_bytes] { return open_at(file, at); };
    shard.offset_bytes = place.offset_bytes;
    shard.follows_cr = place.follows_cr;
  }

  std::unique_ptr<app::SideFiles> side_files_;
  bool has_places_;
  RecordStream stream_;
};

/// Arrays, on the caller's thread.
class ArrayRows final : public RowSource {
 public:
  explicit ArrayRows(OpenedInput const& input)
      : layout_(input.layout()),
        device_(input.engine().device),
        rounds_(input.open_arrays(), input.shaping(), nullptr, {}, input.stream().skip) {}

  bool next(RowPiece& piece) override {
    Round const* const round = rounds_.next();
    if (round == nullptr) return false;
    piece = copied(layout_, round->batch);
    return true;
  }
  [[nodiscard]] StreamCounts counts() const override { return rounds_.counts(); }
  [[nodiscard]] std::shared_ptr<Device> device() const override { return device_; }

 private:
  BatchLayout layout_;
  std::shared_ptr<Device> device_;
  app::ArrayRounds rounds_;
};

}  // namespace

bool starts_anywhere(OpenedInput const& input) {
  return input.plan() != nullptr && input.is_read_again() && !input.has_side_files();
}

std::unique_ptr<RowSource> open_rows(OpenedInput const& input, PassOptions const& options) {
  if (input.plan() == nullptr) return std::make_unique<ArrayRows>(input);
  return std::make_unique<StreamedRows>(input, options);
}

}  // namespace penstock
