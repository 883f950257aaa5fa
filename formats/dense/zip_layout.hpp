/// What writer and reader of zip archives share: entries, the directory, signatures and sizes. The numbers in
/// comments are sections of PKWARE's APPNOTE.TXT.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::zip {

inline constexpr std::uint16_t method_stored = 0;  // 4.4.5
inline constexpr std::uint16_t method_deflated = 8;

/// One file of an archive. `name` is not owned: when reading it points into the archive.
struct Entry {
  std::string_view name;
  std::uint64_t size_bytes = 0;           ///< after decompression
  std::uint64_t stored_bytes = 0;         ///< as it lies in the archive; equal to size_bytes unless compressed
  std::uint64_t header_offset_bytes = 0;  ///< where its local header begins
  std::uint64_t data_offset_bytes = 0;    ///< where its data begins; set when reading
  std::uint32_t crc = 0;
  std::uint16_t method = method_stored;
  bool is_encrypted = false;
};

/// Where the directory (all central headers, back to back) lies.
struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;
};

namespace detail {

inline constexpr std::uint32_t local_signature = 0x04034b50;
inline constexpr std::uint32_t central_signature = 0x02014b50;
inline constexpr std::uint32_t end_signature = 0x06054b50;
inline constexpr std::uint32_t end64_signature = 0x06064b50;
inline constexpr std::uint32_t locator_signature = 0x07064b50;

inline constexpr std::size_t local_bytes = 30;    // 4.3.7, without name and extra field
inline constexpr std::size_t central_bytes = 46;  // 4.3.12
inline constexpr std::size_t end_bytes = 22;      // 4.3.16, without comment
inline constexpr std::size_t end64_bytes = 56;    // 4.3.14
inline constexpr std::size_t locator_bytes = 20;  // 4.3.15

inline constexpr std::uint16_t zip64_tag = 0x0001;  // 4.5.3
inline constexpr std::uint32_t in_zip64 = 0xffffffffu;
inline constexpr std::uint16_t in_zip64_16 = 0xffffu;

constexpr bool needs_zip64(std::uint64_t value) { return value >= in_zip64; }
constexpr std::uint32_t low_field(std::uint64_t value) {
  return needs_zip64(value) ? in_zip64 : static_cast<std::uint32_t>(value);
}

}  // namespace detail

}  // namespace penstock::zip
