/// Little-endian integers in byte buffers, whatever the machine's own order.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace penstock {

/// The unsigned integer of type U that begins at `bytes`; sizeof(U) bytes are read.
template <class U>
[[nodiscard]] inline U load_little_endian(std::byte const* bytes) {
  U value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, bytes, sizeof value);  // one load; g++ 12 does not make one of the loop at -O2
  } else {
    for (std::size_t i = sizeof(U); i != 0; --i) {
      value = static_cast<U>((value << 8) | static_cast<U>(bytes[i - 1]));
    }
  }
  return value;
}

/// Writes `value` to `bytes[0 .. sizeof(U))`.
template <class U>
inline void store_little_endian(std::byte* bytes, U value) {
  for (std::size_t i = 0; i < sizeof(U); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace penstock
