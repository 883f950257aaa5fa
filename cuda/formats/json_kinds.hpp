/// The kinds of JSON lines, each behind one face for the decoder that they share (json.cu):
///
///     Plan, Reader, Memory                      the format's plan; who reads a record that is not plain; device memory
///                                               for the plan, and whatever else the kind has
///     std::uint32_t folded                      ChunkText::folded
///     bool is_for_cpu(Plan)                     the CPU reads such records
///     void put_sizes(Plan, Sizes&)              what there is to be memory for, `text_bytes` known
///     std::array<...> round(BatchCapacity)      elements of each list that a round has
///     std::uint32_t parts(Plan)                 RecordsWork::parts
///     void read_plain(Stream&, Plan, Memory, PlainWork)
///                                               plain records to the chunk's values; others are marked
///     void gather(Stream&, Plan, Memory, GatherWork)
///                                               these values to a round's rows
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "cuda/formats/json_memory.hpp"
#include "cuda/formats/json_plans.hpp"
#include "cuda/kernels/json_convert.cuh"
#include "cuda/kernels/json_gather.cuh"
#include "cuda/kernels/json_head_walk.cuh"
#include "cuda/kernels/json_members.cuh"
#include "cuda/kernels/json_record_readers.cuh"
#include "cuda/kernels/json_series_head.cuh"
#include "cuda/kernels/json_stops.cuh"
#include "cuda/kernels/json_vector_head.cuh"
#include "formats/deepar/plan.hpp"
#include "formats/jsonl/plan.hpp"
#include "formats/object2vec/plan.hpp"
#include "formats/objects/plan.hpp"
#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"

namespace penstock::cuda::json {

static_assert(reach >= 2 * plain_float32_reach);

// Numbers of labels, categories and lists are 32 bits in kernels: the record that decides about them is no longer than
// a chunk. Rows times columns of a round are, too: all of them stand in its text, or are cells that there is memory
// for.

/// What plain records are read by.
struct PlainWork {
  HeadsWork heads;
  StopsWork stops;
  ConvertWork convert;
  std::uint32_t rows_max = 0;  ///< of the chunk, as far as the host knows
};

/// What plain records of a round are gathered by.
struct GatherWork {
  RecordsWork records;
  RecordRound round;
  RecordPlaces places;
  std::uint64_t* missing = nullptr;  ///< added to
};

namespace detail {

/// More records than `row_bytes` allow can only be at fault, all but a few; values have two bytes and more stops than
/// that are in lists of one element or none.
inline Limits chunk_limits(std::size_t text_bytes, std::size_t row_bytes) {
  constexpr std::size_t spare = 1024;
  return {static_cast<std::uint32_t>(text_bytes / row_bytes + spare),
          static_cast<std::uint32_t>(text_bytes / 2 + spare), static_cast<std::uint32_t>(text_bytes / 4 + spare)};
}

inline std::uint32_t* words_of(std::byte* values) { return reinterpret_cast<std::uint32_t*>(values); }

/// A list that the batch has. `missing` may be null.
inline void gather_list(Stream& stream, GatherWork const& work, std::uint32_t list, std::uint64_t* missing) {
  Gathering gathering;
  gathering.list = list;
  gathering.count = work.round.lists.of[list];
  gathering.values = words_of(work.places.batch.lists[list].values);
  gathering.missing = missing;
  gather_values(stream, work.records, work.round, gathering, work.places);
}

}  // namespace detail

struct Series {
  using Plan = penstock::deepar::Plan;
  using Reader = SeriesReader;
  using Memory = PlanMemory<Plan>;

  static constexpr std::uint32_t folded = 0;

  static bool is_for_cpu(Plan const&) { return false; }
  static void put_sizes(Plan const& plan, Sizes& sizes) {
    sizes.chunk = detail::chunk_limits(sizes.text_bytes, 32 + 2 * plan.layout.cats);
    sizes.lists = plan.dynamic_feats() == 0 ? 1 : 2;
    sizes.has_start = true;
    sizes.cats = plan.layout.cats;
    sizes.has_values = true;
  }
  static std::array<std::size_t, lists_max> round(BatchCapacity const& rows) { return rows.list_values; }
  static std::uint32_t parts(Plan const& plan) {
    return static_cast<std::uint32_t>(std::max<std::size_t>(1, plan.dynamic_feats()));
  }

  static void read_plain(Stream& stream, Plan const& plan, Memory const&, PlainWork const& work) {
    SeriesRules rules;
    rules.text = plan.text;
    rules.cats = static_cast<std::uint32_t>(plan.layout.cats);
    rules.features = static_cast<std::uint32_t>(plan.dynamic_feats());
    rules.prediction_length = plan.prediction_length;
    read_heads<SeriesHead>(stream, work.heads, rules, work.rows_max);
    convert<Elements::numbers, Elements::numbers>(stream, work.stops, work.convert);
  }
  static void gather(Stream& stream, Plan const& plan, Memory const&, GatherWork const& work) {
    detail::gather_list(stream, work, 0, work.missing);
    if (plan.dynamic_feats() != 0) detail::gather_list(stream, work, 1, nullptr);
  }
};

/// Vectors, dense and sparse. Plain are those of float32.
struct Vectors {
  using Plan = penstock::jsonl::Plan;
  using Reader = VectorReader;
  using Memory = PlanMemory<Plan>;

  static constexpr std::uint32_t folded = 0;

  static bool is_for_cpu(Plan const& plan) { return plan.layout.labels_vary; }
  static bool has_plain(Plan const& plan) { return plan.layout.feature_dtype == DType::float32; }
  static void put_sizes(Plan const& plan, Sizes& sizes) {
    sizes.chunk = detail::chunk_limits(sizes.text_bytes, 8 + 2 * plan.layout.labels);
    sizes.lists = plan.layout.is_sparse ? 1 : 0;
    sizes.labels = static_cast<std::uint32_t>(plan.layout.labels);
    sizes.has_values = has_plain(plan);
    if (!plan.layout.is_sparse) return;
    sizes.spare_max = sizes.text_bytes / 4 + 1;  // a value and its key take at least two bytes each
    sizes.spare_bytes = size_bytes(plan.layout.feature_dtype);
  }
  static std::array<std::size_t, lists_max> round(BatchCapacity const& rows) { return {rows.pairs, 0}; }
  static std::uint32_t parts(Plan const&) { return 1; }

  static void read_plain(Stream& stream, Plan const& plan, Memory const&, PlainWork const& work) {
    if (!has_plain(plan)) return mark_all(stream, work.heads, work.rows_max);
    VectorRules rules;
    rules.text = plan.text;
    rules.features = plan.layout.features;
    rules.labels = static_cast<std::uint32_t>(plan.layout.labels);
    rules.is_sparse = plan.layout.is_sparse;
    rules.checks_shape = plan.checks_shape;
    read_heads<VectorHead>(stream, work.heads, rules, work.rows_max);
    ConvertWork elements = work.convert;
    constexpr std::uint64_t any = 0xffffffffu;
    elements.integer_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(rules.features - 1, any));  // or any
    if (rules.is_sparse)
      convert<Elements::numbers, Elements::keys>(stream, work.stops, elements);
    else
      convert<Elements::numbers, Elements::none>(stream, work.stops, elements);
  }
  static void gather(Stream& stream, Plan const& plan, Memory const&, GatherWork const& work) {
    Batch const& batch = work.places.batch;
    Gathering values;
    values.missing = work.missing;
    if (plan.layout.is_sparse) {
      values.count = work.round.lists.of[0];
      values.values = detail::words_of(batch.csr.values);
      values.indices = batch.csr.indices;
    } else {
      values.columns = static_cast<std::uint32_t>(plan.layout.features);
      values.count = work.round.rows * values.columns;
      values.values = detail::words_of(batch.features.data);
    }
    gather_values(stream, work.records, work.round, values, work.places);
  }
};

struct Tokens {
  using Plan = penstock::object2vec::Plan;
  using Reader = TokenReader;
  using Memory = PlanMemory<Plan>;

  static constexpr std::uint32_t folded = 0;

  static bool is_for_cpu(Plan const&) { return false; }
  static void put_sizes(Plan const& plan, Sizes& sizes) {
    sizes.chunk = detail::chunk_limits(sizes.text_bytes, 8);
    sizes.lists = 2;
    sizes.labels = static_cast<std::uint32_t>(plan.layout.labels);
    sizes.has_values = true;
    sizes.spare_max = sizes.text_bytes / 2 + 1;  // the shortest token is a digit and a comma
    sizes.spare_bytes = sizeof(std::int32_t);
  }
  static std::array<std::size_t, lists_max> round(BatchCapacity const& rows) { return rows.list_values; }
  static std::uint32_t parts(Plan const&) { return 1; }

  static void read_plain(Stream& stream, Plan const& plan, Memory const&, PlainWork const& work) {
    read_heads<TokenHead>(stream, work.heads, {plan.text, plan.layout.labels != 0}, work.rows_max);
    ConvertWork elements = work.convert;
    elements.integer_max = static_cast<std::uint32_t>(plan.token_max);
    convert<Elements::integers, Elements::integers>(stream, work.stops, elements);
  }
  static void gather(Stream& stream, Plan const&, Memory const&, GatherWork const& work) {
    for (std::uint32_t i = 0; i < 2; ++i) detail::gather_list(stream, work, i, nullptr);
  }
};

/// Objects. Plain are flat ones, of which every column has a key of its own, with features of float32.
struct Objects {
  using Plan = penstock::objects::Plan;
  using Reader = ObjectReader;
  using Memory = ObjectMemory;

  static constexpr std::uint32_t folded = braces_folded;

  static bool is_for_cpu(Plan const& plan) {
    return plan.is_survey || plan.rules.tables.node_count > ObjectReader::nodes_max;
  }
  static bool has_plain(Plan const& plan) {
    penstock::objects::Tables const& tables = plan.rules.tables;
    bool is_flat = tables.column_count != 0;
    for (std::uint32_t i = 0; i < tables.node_count; ++i)
      is_flat = is_flat && tables.nodes[i].elements == 0 && (i == 0 || !tables.nodes[i].has_keys);
    return is_flat && plan.rules.dtype == DType::float32;
  }
  static void put_sizes(Plan const& plan, Sizes& sizes) {
    sizes.chunk = detail::chunk_limits(sizes.text_bytes, 8);
    sizes.chunk.brackets = ~std::uint32_t{0};
    sizes.keeps_brackets = false;
    sizes.columns = has_plain(plan) ? plan.rules.tables.column_count : 0;
  }
  static std::array<std::size_t, lists_max> round(BatchCapacity const&) { return {}; }
  static std::uint32_t parts(Plan const&) { return 1; }

  static void read_plain(Stream& stream, Plan const& plan, Memory const& memory, PlainWork const& work) {
    if (!has_plain(plan)) return mark_all(stream, work.heads, work.rows_max);
    memory.clear(stream, work.rows_max);
    stream.fill(work.heads.out.marks, 0, (work.rows_max / warp_lanes + std::size_t{1}) * sizeof(std::uint32_t));
    read_objects(stream, work.stops, members_work(memory, work.heads), work.rows_max);
  }
  static void gather(Stream& stream, Plan const&, Memory const& memory, GatherWork const& work) {
    HeadsWork heads;
    gather_cells(stream, work.records, members_work(memory, heads), work.round, work.places, work.missing);
  }

 private:
  static MembersWork members_work(Memory const& memory, HeadsWork const& heads) {
    return {heads.text, heads.totals, heads.rows, memory.cells(), memory.rules(), heads.out.marks};
  }
};

}  // namespace penstock::cuda::json
