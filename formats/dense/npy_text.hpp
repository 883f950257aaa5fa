/// Reading a .npy file that holds one text: what tells the kinds of sparse matrices apart. Arbitrary bytes are safe.
#pragma once

#include "formats/dense/npy_reader.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace penstock::npy {

/// Characters that a text may have; the names of sparse formats have three.
inline constexpr std::size_t text_max = 64;

/// The text of a whole .npy file without dimensions: bytes ("|S3", any order sign), or ASCII characters of four bytes
/// each ("<U3"), as Python 2 and 3 wrote them. Zeros at the end do not count. Nothing if the file holds anything else.
[[nodiscard]] inline std::optional<std::string> parse_text(std::span<std::byte const> file) {
  Parsed const parsed = parse_header(file);
  std::string_view kind = parsed.found;
  if (parsed.status != Status::unsupported_type || parsed.array.dimensions != 0) return std::nullopt;
  bool const is_swapped = kind.starts_with('>');
  if (kind.find_first_of("<>=|") == 0) kind.remove_prefix(1);
  bool const is_wide = kind.starts_with('U');
  if (!is_wide && !kind.starts_with('S')) return std::nullopt;
  if (is_wide && is_swapped) return std::nullopt;
  std::size_t size = 0;
  auto const [end, error] = std::from_chars(kind.data() + 1, kind.data() + kind.size(), size);
  if (error != std::errc{} || end != kind.data() + kind.size() || size > text_max) return std::nullopt;
  std::size_t const step = is_wide ? 4 : 1;
  if (file.size() - parsed.data_offset_bytes != size * step) return std::nullopt;
  std::byte const* at = file.data() + parsed.data_offset_bytes;
  std::string text;
  for (std::size_t i = 0; i < size; ++i, at += step) {
    std::uint32_t const character = is_wide ? load_little_endian<std::uint32_t>(at) : static_cast<std::uint32_t>(*at);
    if (character > 0x7f) return std::nullopt;
    text.push_back(static_cast<char>(character));
  }
  while (text.ends_with('\0')) text.pop_back();
  return text;
}

}  // namespace penstock::npy
