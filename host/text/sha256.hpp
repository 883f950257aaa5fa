/// SHA-256 (FIPS 180-4), for digests that say whether a file is what it was.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock {

class Sha256 {
 public:
  void add(std::string_view bytes);
  /// 64 hexadecimal digits. Once.
  [[nodiscard]] std::string finish();

 private:
  void take_block(unsigned char const* block);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> block_ = {};
  std::size_t in_block_ = 0;
  std::uint64_t bytes_ = 0;
};

/// Of all of `bytes`.
[[nodiscard]] std::string sha256_of(std::string_view bytes);

}  // namespace penstock
