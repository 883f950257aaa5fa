/// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock {

/// Little-endian element types; `float32` is what most learners take.
enum class DType : std::uint8_t { float32, float64, int32, int64 };

/// Of one element.
constexpr std::size_t size_bytes(DType type) { return type == DType::float32 || type == DType::int32 ? 4 : 8; }

/// Whether it can hold a missing value and fractions.
constexpr bool is_floating(DType type) { return type == DType::float32 || type == DType::float64; }

/// As NumPy calls it: "float32".
constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::float32: return "float32";
    case DType::float64: return "float64";
    case DType::int32: return "int32";
    case DType::int64: return "int64";
  }
  return "?";
}

/// Of float, double, std::int32_t or std::int64_t.
template <class T>
inline constexpr DType dtype_of = [] {
  static_assert(sizeof(T) == 0, "not an element type");
  return DType::float32;
}();
template <>
inline constexpr DType dtype_of<float> = DType::float32;
template <>
inline constexpr DType dtype_of<double> = DType::float64;
template <>
inline constexpr DType dtype_of<std::int32_t> = DType::int32;
template <>
inline constexpr DType dtype_of<std::int64_t> = DType::int64;

/// A missing value in floating-point tensors: the quiet NaN with no payload. It is stored, compared
/// and tested as bits and never comes out of arithmetic, so it is the same on every engine.
inline constexpr std::uint32_t missing_float32_bits = 0x7fc00000u;
inline constexpr std::uint64_t missing_float64_bits = 0x7ff8000000000000u;

}  // namespace penstock
