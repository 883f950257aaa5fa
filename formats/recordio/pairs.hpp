/// Keys and values of a sparse tensor as the pairs of a CSR row: in range, ascending, each index once.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "formats/recordio/options.hpp"
#include "formats/recordio/tensor.hpp"
#include "penstock/dtype.hpp"
#include "penstock/fault.hpp"
#include "penstock/tensor.hpp"

namespace penstock::recordio {

/// Writes rows of pairs. Keys that ascend are written where they belong; others are put in order in memory that grows
/// to the longest such record: 16 bytes and a value for each of its pairs.
class PairWriter {
 public:
  struct Row {
    std::size_t pairs = 0;
    std::optional<FaultCode> fault;
  };

  explicit PairWriter(Duplicates duplicates) : duplicates_(duplicates) {}

  /// Writes the pairs of `tensor`, whose keys are as many as its values, to `into` from pair `first` on, where there is
  /// room for all of them. The tensor's type is that of `into`; `key_limit`, which no key reaches, is below 2^63.
  Row write(TensorView const& tensor, std::uint64_t key_limit, Csr const& into, std::size_t first) {
    switch (into.dtype) {
      case DType::float32: return write(tensor, key_limit, into.indices + first, into.values_as<float>() + first);
      case DType::float64: return write(tensor, key_limit, into.indices + first, into.values_as<double>() + first);
      default: return write(tensor, key_limit, into.indices + first, into.values_as<std::int32_t>() + first);
    }
  }

 private:
  struct Place {
    std::int64_t index = 0;
    std::size_t at = 0;  ///< in the record
  };

  template <class T>
  Row write(TensorView const& tensor, std::uint64_t key_limit, std::int64_t* indices, T* values) {
    std::int64_t* end = indices;
    std::uint64_t previous = std::numeric_limits<std::uint64_t>::max();
    bool is_in_range = true, is_ascending = true;
    tensor.for_each_key([&](std::uint64_t key) __attribute__((always_inline)) {
      is_in_range &= key < key_limit;
      is_ascending &= previous + 1 <= key;  // before the first key the sum is 0
      previous = key;
      *end++ = static_cast<std::int64_t>(key);
    });
    if (!is_in_range) return {0, FaultCode::index_out_of_range};
    (void)tensor.copy_to(std::span(values, tensor.count));
    if (is_ascending) return {tensor.count, std::nullopt};
    return put_in_order(std::span(indices, tensor.count), values);
  }

  template <class T>
  Row put_in_order(std::span<std::int64_t> indices, T* values) {
    std::size_t const count = indices.size();
    if (places_.size() < count) places_.resize(count);
    if (values_.size() < count * sizeof(T)) values_.resize(count * sizeof(T));
    for (std::size_t i = 0; i < count; ++i) places_[i] = {indices[i], i};
    std::memcpy(values_.data(), values, count * sizeof(T));
    auto const places = std::span(places_).first(count);
    std::sort(places.begin(), places.end(),
              [](Place const& a, Place const& b) { return a.index != b.index ? a.index < b.index : a.at < b.at; });
    std::size_t pairs = 0;
    for (Place const& place : places) {
      T value;
      std::memcpy(&value, values_.data() + place.at * sizeof(T), sizeof(T));
      bool const is_new = pairs == 0 || indices[pairs - 1] != place.index;
      if (is_new) {
        indices[pairs] = place.index;
        values[pairs++] = value;
      } else if (auto const fault = merge(values[pairs - 1], value)) {
        return {0, fault};
      }
    }
    return {pairs, std::nullopt};
  }

  /// A value of an index that has one.
  template <class T>
  [[nodiscard]] std::optional<FaultCode> merge(T& before, T value) const {
    if (duplicates_ == Duplicates::fault) return FaultCode::duplicate_index;
    if (duplicates_ == Duplicates::last) {
      before = value;
    } else if constexpr (std::is_same_v<T, std::int32_t>) {
      if (__builtin_add_overflow(before, value, &before)) return FaultCode::out_of_range;
    } else {
      before += value;
      if (before != before) before = missing<T>();  // one NaN, whatever the processor makes of infinity - infinity
    }
    return std::nullopt;
  }

  template <class T>
  static T missing() {
    if constexpr (sizeof(T) == sizeof missing_float32_bits)
      return std::bit_cast<T>(missing_float32_bits);
    else
      return std::bit_cast<T>(missing_float64_bits);
  }

  Duplicates duplicates_;
  std::vector<Place> places_;
  std::vector<std::byte> values_;
};

}  // namespace penstock::recordio
