/// Elements of tensors as text and as bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "host/app/json.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

/// The elements of a CSR matrix, or of rows that vary in length, for the functions below: data and type.
[[nodiscard]] constexpr Dense values_of(Csr const& csr) { return {csr.values, csr.dtype, 0, 1}; }
[[nodiscard]] constexpr Dense values_of(Ragged const& ragged) { return {ragged.values, ragged.dtype, 0, 1}; }

/// The shortest text that reads back as the same number; "NaN" and "inf" where it is none.
[[nodiscard]] std::string value_text(Dense const& tensor, std::size_t index);
/// "2009-11-01 00:00:00" of seconds since 1970-01-01; beyond the years 1 to 9999 the number of seconds.
[[nodiscard]] std::string time_text(std::int64_t seconds);
/// "0x3f800000": all bits of the element, in hexadecimal.
[[nodiscard]] std::string bits_text(Dense const& tensor, std::size_t index);
/// The element's bits as an unsigned number.
[[nodiscard]] std::uint64_t bits_of(Dense const& tensor, std::size_t index);
/// Adds the element as a number; see Json about NaN and infinities.
void add_value(Json& json, Dense const& tensor, std::size_t index);

/// How many representable numbers `a` and `b`, elements of one floating-point type, lie apart: 0 for the same bits and
/// for two NaNs, 1 for neighbours (-0 and 0 are neighbours), the largest number if only one is a NaN.
[[nodiscard]] std::uint64_t ulps_between(DType dtype, std::uint64_t a_bits, std::uint64_t b_bits);

}  // namespace penstock::app
