#include "host/exec/lane_options.hpp"

#include "host/exec/missing.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// Features alone: the other tensors stay where they are.
BatchLayout features_of(BatchLayout const& layout) {
  BatchLayout features;
  features.feature_dtype = layout.feature_dtype;
  features.features = layout.features;
  features.is_sparse = layout.is_sparse;
  return features;
}

}  // namespace

BatchLayout shaped_layout(BatchLayout const& decoded, Shaping const& shaping) {
  BatchLayout layout = shaping.normalizer ? shaping.normalizer->layout_of(decoded) : decoded;
  if (shaping.reshape) layout.is_sparse = !decoded.is_sparse;
  return layout;
}

RoundMemory round_memory(BatchLayout const& decoded, BatchCapacity const& capacity, Shaping const& shaping,
                         Encoder const* encoder) {
  RoundMemory memory;
  memory.decoded = decoded;
  memory.decoded_capacity = capacity;
  BatchCapacity encoded = capacity;
  BatchLayout const normalized = shaped_layout(decoded, {shaping.normalizer, std::nullopt});
  if (shaping.normalizer) {
    memory.normalized = features_of(normalized);
    memory.normalized_capacity.rows = capacity.rows;
    memory.normalized_capacity.pairs = capacity.pairs;
  }
  if (shaping.reshape) {
    memory.shaped = features_of(shaped_layout(decoded, shaping));
    memory.shaped_capacity.rows = capacity.rows;
    memory.shaped_capacity.pairs = memory.shaped.is_sparse ? capacity.rows * normalized.features : 0;
    encoded.pairs = memory.shaped_capacity.pairs;
  }
  if (encoder != nullptr) memory.window_bytes = encoder->bytes_max(encoded);
  return memory;
}

Batch rows_view(HostRound::Buffers const& memory, std::size_t rows, bool is_normalized) {
  Batch batch = memory.decoded.view(rows);
  if (!is_normalized) return batch;
  batch.features = memory.normalized.view(rows).features;
  batch.categories = {};
  batch.set_rows(rows);
  return batch;
}

void finish_round(HostRound& round, std::size_t rows, RoundFinish const& finish) {
  auto const& memory = round.buffers();
  LaneOptions const& options = finish.options;
  round.batch = rows_view(memory, rows, finish.is_normalized);
  Shaping const& shaping = options.shaping;
  // Of a normaliser the cells that are missing in the text count, not those that it has filled or made.
  if (shaping.normalizer && !finish.counts_missing) round.counts.missing_cells = count_missing(round.batch);
  if (shaping.normalizer && !finish.is_normalized)
    round.batch = shaping.normalizer->apply(round.batch, memory.normalized.view(rows));
  if (shaping.reshape) round.batch = reshaped(round.batch, memory.shaped.view(rows), *shaping.reshape);
  if (options.keeps_record_begins) round.batch.record_begins = round.record_begins.data();
  if (shaping.normalizer == nullptr && (shaping.reshape || !finish.counts_missing))
    round.counts.missing_cells = count_missing(round.batch);
  std::size_t const bytes = finish.encoder == nullptr ? 0 : finish.encoder->encode(round.batch, memory.window);
  round.encoded = {memory.window, bytes};
}

Batch reshaped(Batch const& decoded, Batch const& into, Absent absent) {
  Batch batch = decoded;
  batch.features = into.features;
  batch.csr = into.csr;
  batch.set_rows(decoded.rows);
  if (decoded.csr.indptr == nullptr)
    sparsify(decoded.features, batch.csr, absent);
  else if (densify(decoded, batch.features, absent) != decoded.rows)
    throw Error(ExitCode::internal, "a sparse row has an index beyond the number of features");
  return batch;
}

}  // namespace penstock
