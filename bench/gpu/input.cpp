#include "bench/gpu/input.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "cuda/formats/csv.hpp"
#include "cuda/formats/json.hpp"
#include "cuda/formats/libsvm.hpp"
#include "cuda/formats/recordio.hpp"
#include "formats/core/block.hpp"
#include "formats/csv/format.hpp"
#include "formats/csv/plan.hpp"
#include "formats/deepar/format.hpp"
#include "formats/libsvm/format.hpp"
#include "formats/objects/format.hpp"
#include "formats/recordio/format.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/lanes.hpp"

namespace penstock::bench {
namespace {

constexpr std::size_t record_max = std::size_t{16} << 20;

/// The spellings of a missing value that the command line has by default.
constexpr char spellings[] = "NAnull";
constexpr csv::Bytes nulls[] = {{spellings, spellings}, {spellings, spellings + 2}, {spellings + 2, spellings + 6}};

/// The first column is the label; the texts of `quoted` are left out.
class CsvInput final : public Input {
 public:
  explicit CsvInput(Text made) {
    text = std::move(made);
    std::string_view const record(text.bytes.data(), text.ends.front());
    std::size_t const count = count_columns(record);
    for (std::size_t i = 0; i < count; ++i) {
      csv::Column column;
      bool const is_text = count == quoted_columns && (i == 1 || i == quoted_columns - 1);
      column.role = i == 0 ? Role::label : is_text ? Role::ignore : Role::feature;
      if (column.role == Role::feature) column.place = static_cast<std::uint32_t>(plan_.layout.features++);
      columns_.push_back(column);
    }
    plan_.layout.labels = 1;
    plan_.rules.nulls = nulls;
    shards_[0] = columns_;
    plan_.columns = shards_;
  }

  [[nodiscard]] BatchLayout const& layout() const override { return plan_.layout; }
  [[nodiscard]] std::unique_ptr<cuda::ChunkDecoder> make_decoder(cuda::DecoderLimits const& limits,
                                                                 cuda::Stream& stream) const override {
    return cuda::make_csv_decoder(plan_, limits, stream);
  }
  [[nodiscard]] std::unique_ptr<Cutter> make_cutter(cuda::Engine* engine, CutterOptions const& options) const override {
    auto host = penstock::make_cutter<csv::Format>(best_instruction_set(), plan_, options.record_max);
    return engine == nullptr ? std::move(host) : cuda::make_cutter(*engine, plan_, std::move(host), options);
  }

 private:
  static constexpr std::size_t quoted_columns = 12;

  static std::size_t count_columns(std::string_view record) {
    std::size_t count = 1;
    bool is_open = false;
    for (char const c : record) {
      is_open ^= c == '"';
      count += c == ',' && !is_open ? 1 : 0;
    }
    return count;
  }

  std::vector<csv::Column> columns_;
  std::span<csv::Column const> shards_[1];
  csv::DecodePlan plan_;
};

/// Planned as a run plans: by the first record.
template <class Format>
class ScoutedInput : public Input {
 public:
  ScoutedInput(Text made, typename Format::Options const& options) {
    text = std::move(made);
    std::string const padding(text_padding, '\n');
    std::string const head = padding + text.bytes.substr(0, text.ends.front()) + padding;
    typename Format::Scout scout(options, {record_max, true});
    Chunk chunk;
    chunk.text = {head.data() + text_padding, text.ends.front()};
    scout.look(chunk);
    for (Problem const& problem : scout.problem()) throw std::runtime_error(problem.message);
    plan_ = scout.plan();
  }
  [[nodiscard]] BatchLayout const& layout() const override { return plan_.layout; }

 protected:
  typename Format::Plan plan_;
};

class LibsvmInput final : public ScoutedInput<libsvm::Format> {
 public:
  explicit LibsvmInput(Text made) : ScoutedInput(std::move(made), options()) {}
  [[nodiscard]] std::unique_ptr<cuda::ChunkDecoder> make_decoder(cuda::DecoderLimits const& limits,
                                                                 cuda::Stream& stream) const override {
    return cuda::make_libsvm_decoder(plan_, limits, stream);
  }

 private:
  static libsvm::Options options() {
    libsvm::Options options;
    options.index_base = libsvm::IndexBase::one;
    options.num_features = 1'000'000;
    return options;
  }
};

class DeeparInput final : public ScoutedInput<deepar::Format> {
 public:
  explicit DeeparInput(Text made) : ScoutedInput(std::move(made), {}) {}
  [[nodiscard]] std::unique_ptr<cuda::ChunkDecoder> make_decoder(cuda::DecoderLimits const& limits,
                                                                 cuda::Stream& stream) const override {
    return cuda::make_deepar_decoder(plan_, limits, stream);
  }
};

/// Five keys of twenty are columns.
class ObjectsInput final : public ScoutedInput<objects::Format> {
 public:
  explicit ObjectsInput(Text made) : ScoutedInput(std::move(made), options()) {}
  [[nodiscard]] std::unique_ptr<cuda::ChunkDecoder> make_decoder(cuda::DecoderLimits const& limits,
                                                                 cuda::Stream& stream) const override {
    return cuda::make_objects_decoder(plan_, limits, stream);
  }

 private:
  static objects::Options options() {
    objects::Options options;
    options.columns = "price,count,rating,latitude,is_gift";
    return options;
  }
};

class RecordioInput final : public ScoutedInput<recordio::Format> {
 public:
  explicit RecordioInput(Text made) : ScoutedInput(std::move(made), {}) {}
  [[nodiscard]] std::unique_ptr<cuda::ChunkDecoder> make_decoder(cuda::DecoderLimits const& limits,
                                                                 cuda::Stream& stream) const override {
    return cuda::make_recordio_decoder(plan_, limits, stream);
  }
};

}  // namespace

std::unique_ptr<Input> make_input(TextKind const& kind, std::size_t size_bytes) {
  std::unique_ptr<Input> input;
  Text text = make_text(kind, size_bytes);
  switch (kind.format) {
    case TextFormat::csv: input = std::make_unique<CsvInput>(std::move(text)); break;
    case TextFormat::libsvm: input = std::make_unique<LibsvmInput>(std::move(text)); break;
    case TextFormat::deepar: input = std::make_unique<DeeparInput>(std::move(text)); break;
    case TextFormat::objects: input = std::make_unique<ObjectsInput>(std::move(text)); break;
    case TextFormat::recordio: input = std::make_unique<RecordioInput>(std::move(text)); break;
  }
  input->name = kind.name;
  return input;
}

cuda::DecoderLimits limits_for(BatchLayout const& layout, std::size_t slot_bytes) {
  cuda::DecoderLimits limits;
  limits.text_bytes = slot_bytes + 1;
  limits.rows.rows = 2 * slot_bytes / std::max<std::size_t>(layout.row_bytes(), 1);
  if (layout.is_sparse) {
    limits.rows.rows = std::min(limits.rows.rows, slot_bytes / 16);
    limits.rows.pairs = slot_bytes / 5 + 1;
  }
  if (layout.has_lists()) limits.rows.rows = std::min(limits.rows.rows, slot_bytes / 16);
  for (std::size_t i = 0; i < lists_max; ++i) {
    if (layout.lists[i].role != ListRole::none) limits.rows.list_values[i] = slot_bytes / 4 + 1;
  }
  limits.rows.rows = std::max<std::size_t>(1, limits.rows.rows);
  limits.faults = std::min<std::size_t>(4096, slot_bytes);
  return limits;
}

}  // namespace penstock::bench
