/// Readers of records that kernels are made for, each the format's own text behind one face:
///
///     may_be_undecided                                whether order and range of elements are looked at in memory
///     Outcome count(char const* at, Places const&)    reads without places for lists: `at` stands at the first byte
///                                                     that is no blank
///     Outcome read(char const* at, Places const&)
///     ListCounts lists_of(BatchCapacity const&)       how many elements each list has
///     void put_spare(Places&, SpareLists const&, ListCounts first, ListCounts count)
///                                                     room for the lists among the spare ones
///     void put_used(Places&, ListCounts first, ListCounts count)
///                                                     the same among a round's
///
/// They hold pointers to plans in device memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/json_records.hpp"
#include "cuda/vocabulary.cuh"
#include "formats/deepar/plan.hpp"
#include "formats/deepar/record.hpp"
#include "formats/json/number_list.hpp"
#include "formats/json/places.hpp"
#include "formats/jsonl/plan.hpp"
#include "formats/jsonl/record.hpp"
#include "formats/object2vec/plan.hpp"
#include "formats/object2vec/record.hpp"
#include "formats/objects/no_guess.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/record.hpp"
#include "penstock/dtype.hpp"

namespace penstock::cuda::json {

using penstock::json::Outcome;
using penstock::json::Places;

namespace detail {

/// Of a record whose two lists are the batch's.
__device__ inline ListCounts list_counts(BatchCapacity const& taken) {
  return {{static_cast<std::uint32_t>(taken.list_values[0]), static_cast<std::uint32_t>(taken.list_values[1])}};
}
__device__ inline void put_used_lists(Places& places, ListCounts first, ListCounts count) {
  for (int i = 0; i < 2; ++i) {
    places.used.list_values[i] = first.of[i];
    places.capacity.list_values[i] = std::size_t{first.of[i]} + count.of[i];
  }
}

}  // namespace detail

/// DeepAR's time series.
struct SeriesReader {
  static constexpr bool may_be_undecided = false;

  penstock::deepar::Plan const* plan = nullptr;

  __device__ Outcome count(char const* at, Places const& places) const { return read(at, places); }
  PENSTOCK_HD_COLD Outcome read(char const* at, Places const& places) const {
    penstock::json::OneByOne numbers;
    return penstock::deepar::Record<penstock::json::OneByOne>(*plan, places, numbers).read(at);
  }

  __device__ static ListCounts lists_of(BatchCapacity const& taken) { return detail::list_counts(taken); }
  __device__ static void put_spare(Places&, SpareLists const&, ListCounts, ListCounts) {}
  __device__ static void put_used(Places& places, ListCounts first, ListCounts count) {
    detail::put_used_lists(places, first, count);
  }
};

/// Vectors, dense or with pairs.
struct VectorReader {
  static constexpr bool may_be_undecided = true;

  penstock::jsonl::Plan const* plan = nullptr;

  __device__ Outcome count(char const* at, Places const& places) const { return read(at, places); }
  PENSTOCK_HD_COLD Outcome read(char const* at, Places const& places) const {
    switch (plan->layout.feature_dtype) {
      case DType::float64: return read_as<double>(at, places);
      case DType::int32: return read_as<std::int32_t>(at, places);
      case DType::int64: return read_as<std::int64_t>(at, places);
      default: return read_as<float>(at, places);
    }
  }

  __device__ static ListCounts lists_of(BatchCapacity const& taken) {
    return {{static_cast<std::uint32_t>(taken.pairs), 0}};
  }
  __device__ void put_spare(Places& places, SpareLists const& spare, ListCounts first, ListCounts count) const {
    places.batch.csr.indices = spare.indices + first.of[0];
    places.batch.csr.values = spare.values + first.of[0] * size_bytes(plan->layout.feature_dtype);
    places.capacity.pairs = count.of[0];
  }
  __device__ static void put_used(Places& places, ListCounts first, ListCounts count) {
    places.used.pairs = first.of[0];
    places.capacity.pairs = std::size_t{first.of[0]} + count.of[0];
  }

 private:
  template <class T>
  PENSTOCK_HD Outcome read_as(char const* at, Places const& places) const {
    penstock::json::OneByOne numbers;
    return penstock::jsonl::Record<T, penstock::json::OneByOne>(*plan, places, numbers).read(at);
  }
};

/// Object2Vec: of the spare tokens a record's two lists take what lies side by side.
struct TokenReader {
  static constexpr bool may_be_undecided = true;

  penstock::object2vec::Plan const* plan = nullptr;

  __device__ Outcome count(char const* at, Places const& places) const { return read(at, places); }
  PENSTOCK_HD_COLD Outcome read(char const* at, Places const& places) const {
    return penstock::object2vec::Record(*plan, places).read(at);
  }

  __device__ static ListCounts lists_of(BatchCapacity const& taken) { return detail::list_counts(taken); }
  __device__ static void put_spare(Places& places, SpareLists const& spare, ListCounts first, ListCounts count) {
    std::size_t at = std::size_t{first.of[0]} + first.of[1];
    for (int i = 0; i < 2; ++i) {
      places.batch.lists[i].values = spare.values + at * sizeof(std::int32_t);
      places.capacity.list_values[i] = count.of[i];
      at += count.of[i];
    }
  }
  __device__ static void put_used(Places& places, ListCounts first, ListCounts count) {
    detail::put_used_lists(places, first, count);
  }
};

/// Objects, whose keys become columns.
struct ObjectReader {
  static constexpr bool may_be_undecided = false;
  /// Nodes of a plan that a thread can keep in mind.
  static constexpr std::uint32_t nodes_max = 1024;

  penstock::objects::Rules const* rules = nullptr;

  PENSTOCK_HD_COLD Outcome count(char const* at, Places const& places) const {
    return read_as<penstock::objects::NoValues>(at, places);
  }
  PENSTOCK_HD_COLD Outcome read(char const* at, Places const& places) const {
    return read_as<penstock::objects::NoGuess>(at, places);
  }

  __device__ static ListCounts lists_of(BatchCapacity const&) { return {}; }
  __device__ static void put_spare(Places&, SpareLists const&, ListCounts, ListCounts) {}
  __device__ static void put_used(Places&, ListCounts, ListCounts) {}

 private:
  template <class Guess>
  PENSTOCK_HD Outcome read_as(char const* at, Places const& places) const {
    std::uint64_t seen[nodes_max / 64];
    Guess guess;
    return penstock::objects::Record<Guess>(*rules, places, guess, seen).read(at);
  }
};

}  // namespace penstock::cuda::json
