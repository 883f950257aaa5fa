/// What writer and reader of .npy headers share: the magic, type names and an array's shape.
#pragma once

#include "penstock/dtype.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::npy {

inline constexpr std::string_view magic = "\x93NUMPY";

/// How a header names an element type.
constexpr std::string_view descr_of(DType type) {
  switch (type) {
    case DType::float32: return "<f4";
    case DType::float64: return "<f8";
    case DType::int32: return "<i4";
    case DType::int64: return "<i8";
  }
  return "?";
}

/// Dimensions that a parsed header may have; NumPy allows 32, no learner's dense input needs more than 8.
inline constexpr std::size_t dimensions_max = 8;

/// An array's type and shape. Its elements lie in row-major order.
struct Array {
  DType dtype = DType::float32;
  std::size_t dimensions = 0;
  std::array<std::uint64_t, dimensions_max> shape{};

  /// The first dimension; 1 for a scalar.
  [[nodiscard]] constexpr std::uint64_t rows() const { return dimensions == 0 ? 1 : shape[0]; }
  /// Elements a row: the product of all dimensions but the first.
  [[nodiscard]] constexpr std::uint64_t columns() const {
    std::uint64_t product = 1;
    for (std::size_t i = 1; i < dimensions; ++i) product *= shape[i];
    return product;
  }
  [[nodiscard]] constexpr std::uint64_t data_bytes() const { return rows() * columns() * size_bytes(dtype); }
};

}  // namespace penstock::npy
