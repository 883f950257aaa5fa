/// gzip without a library: stored blocks (RFC 1951, 3.2.4), one to a member (RFC 1952).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "formats/dense/crc32.hpp"

namespace penstock::testing {

/// `text` in members of at most `member_bytes` (below 64 KiB) bytes of text each.
inline std::string gzip_bytes(std::string_view text, std::size_t member_bytes = 60000) {
  auto const word = [](std::uint32_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
    return out;
  };
  std::string out;
  do {
    std::string_view const part = text.substr(0, member_bytes);
    text.remove_prefix(part.size());
    auto const size = static_cast<std::uint32_t>(part.size());
    out += std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10) + '\1' + word(size, 2) + word(~size & 0xffff, 2);
    out.append(part).append(word(crc32(std::as_bytes(std::span(part))), 4)).append(word(size, 4));
  } while (!text.empty());
  return out;
}

}  // namespace penstock::testing
