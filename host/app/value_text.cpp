#include "host/app/value_text.hpp"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "formats/json/time.hpp"

namespace penstock::app {
namespace {

/// Calls `use` with element `index` of `tensor` in its type.
template <class Use>
auto with_element(Dense const& tensor, std::size_t index, Use use) {
  switch (tensor.dtype) {
    case DType::float64: return use(tensor.as<double>()[index]);
    case DType::int32: return use(tensor.as<std::int32_t>()[index]);
    case DType::int64: return use(tensor.as<std::int64_t>()[index]);
    default: return use(tensor.as<float>()[index]);
  }
}

/// Bits of a number in an order that is that of the numbers: negative ones are turned around.
std::uint64_t ordered(std::uint64_t bits, std::uint64_t sign) {
  return (bits & sign) != 0 ? ~bits & (2 * sign - 1) : bits | sign;
}

}  // namespace

std::string value_text(Dense const& tensor, std::size_t index) {
  return with_element(tensor, index, [](auto value) -> std::string {
    if constexpr (std::is_floating_point_v<decltype(value)>) {
      if (std::isnan(value)) return "NaN";
    }
    char digits[32];  // the longest is -2.2250738585072014e-308
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
  });
}

std::uint64_t bits_of(Dense const& tensor, std::size_t index) {
  return with_element(tensor, index, [](auto value) {
    std::conditional_t<sizeof value == 4, std::uint32_t, std::uint64_t> bits;
    std::memcpy(&bits, &value, sizeof value);
    return std::uint64_t{bits};
  });
}

std::string time_text(std::int64_t seconds) {
  if (!json::has_time_text(seconds)) return std::to_string(seconds);
  std::string text(json::date_time_bytes, ' ');
  json::write_time(seconds, text.data());
  return text;
}

std::string bits_text(Dense const& tensor, std::size_t index) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::uint64_t const bits = bits_of(tensor, index);
  std::string text = "0x";
  for (std::size_t digit = 2 * size_bytes(tensor.dtype); digit > 0; --digit)
    text += hex[bits >> (4 * (digit - 1)) & 15];
  return text;
}

void add_value(Json& json, Dense const& tensor, std::size_t index) {
  with_element(tensor, index, [&json](auto value) { json.value(value); });
}

std::uint64_t ulps_between(DType dtype, std::uint64_t a_bits, std::uint64_t b_bits) {
  if (a_bits == b_bits) return 0;
  bool const is_single = dtype == DType::float32;
  std::uint64_t const sign = is_single ? std::uint64_t{1} << 31 : std::uint64_t{1} << 63;
  std::uint64_t const infinity = is_single ? 0x7f800000u : 0x7ff0000000000000u;
  bool const is_nan_a = (a_bits & (sign - 1)) > infinity;
  bool const is_nan_b = (b_bits & (sign - 1)) > infinity;
  if (is_nan_a || is_nan_b) return is_nan_a && is_nan_b ? 0 : std::numeric_limits<std::uint64_t>::max();
  std::uint64_t const a = ordered(a_bits, sign);
  std::uint64_t const b = ordered(b_bits, sign);
  return a > b ? a - b : b - a;
}

}  // namespace penstock::app
