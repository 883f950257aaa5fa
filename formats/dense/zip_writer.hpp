/// The bytes of each header of a zip archive of stored entries.
#pragma once

#include "formats/dense/little_endian.hpp"
#include "formats/dense/zip_layout.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace penstock::zip {

/// Names that are written have at most this many bytes: `<tensor>.npy` takes a dozen, and with 64 every header
/// has a small fixed bound.
inline constexpr std::size_t name_bytes_max = 64;

/// The bytes of one header.
class Header {
 public:
  [[nodiscard]] std::span<std::byte const> bytes() const { return {bytes_.data(), size_}; }

  Header& u16(std::uint16_t v) { return integer(v); }
  Header& u32(std::uint32_t v) { return integer(v); }
  Header& u64(std::uint64_t v) { return integer(v); }
  Header& text(std::string_view s) {
    std::memcpy(bytes_.data() + size_, s.data(), s.size());
    size_ += s.size();
    return *this;
  }

 private:
  template <class U>
  Header& integer(U value) {
    store_little_endian(bytes_.data() + size_, value);
    size_ += sizeof value;
    return *this;
  }
  static constexpr std::size_t capacity = detail::central_bytes + name_bytes_max + 4 + 3 * 8;
  static_assert(capacity >= detail::local_bytes + name_bytes_max + 4 + 2 * 8);
  static_assert(capacity >= detail::end64_bytes + detail::locator_bytes + detail::end_bytes);

  std::array<std::byte, capacity> bytes_{};
  std::size_t size_ = 0;
};

namespace detail {

/// Version 4.5 (zip64), no flags, stored, 1980-01-01 00:00 (the earliest that can be said, 4.4.6; a fixed
/// time makes equal arrays equal files), checksum.
inline void common_fields(Header& header, Entry const& entry) {
  constexpr std::uint16_t first_day = (0 << 9) | (1 << 5) | 1;
  header.u16(45).u16(0).u16(method_stored).u16(0).u16(first_day).u32(entry.crc);
}

}  // namespace detail

/// The local header of `entry` (name, size_bytes, crc), whose data follows it at once. Sizes always stand in the
/// zip64 extra field, so that the header's length depends on the name alone and it can be replaced when
/// the size becomes known. Precondition: name.size() <= name_bytes_max.
inline Header local_header(Entry const& entry) {
  Header header;
  header.u32(detail::local_signature);
  detail::common_fields(header, entry);
  header.u32(detail::in_zip64).u32(detail::in_zip64);
  header.u16(static_cast<std::uint16_t>(entry.name.size())).u16(4 + 2 * 8).text(entry.name);
  header.u16(detail::zip64_tag).u16(2 * 8).u64(entry.size_bytes).u64(entry.size_bytes);
  return header;
}

/// The length of local_header() for a name.
constexpr std::uint64_t local_header_bytes(std::string_view name) {
  return detail::local_bytes + name.size() + 4 + 2 * 8;
}

/// The directory's header of `entry` (name, size_bytes, header_offset_bytes, crc); what does not fit 32
/// bits stands in the zip64 extra field. Precondition: name.size() <= name_bytes_max.
inline Header central_header(Entry const& entry) {
  bool const has_long_size = detail::needs_zip64(entry.size_bytes);
  bool const has_long_offset = detail::needs_zip64(entry.header_offset_bytes);
  auto const extra_bytes = static_cast<std::uint16_t>((has_long_size ? 16 : 0) + (has_long_offset ? 8 : 0));
  auto const field_bytes = static_cast<std::uint16_t>(extra_bytes == 0 ? 0 : 4 + extra_bytes);
  Header header;
  header.u32(detail::central_signature).u16(45);  // written by version 4.5, MS-DOS attributes
  detail::common_fields(header, entry);
  header.u32(detail::low_field(entry.size_bytes)).u32(detail::low_field(entry.size_bytes));
  header.u16(static_cast<std::uint16_t>(entry.name.size())).u16(field_bytes);
  header.u16(0).u16(0).u16(0).u32(0);  // comment, disk, attributes
  header.u32(detail::low_field(entry.header_offset_bytes)).text(entry.name);
  if (extra_bytes != 0) header.u16(detail::zip64_tag).u16(extra_bytes);
  if (has_long_size) header.u64(entry.size_bytes).u64(entry.size_bytes);
  if (has_long_offset) header.u64(entry.header_offset_bytes);
  return header;
}

/// What follows the directory and ends the archive; with the zip64 record and its locator where one of
/// the three numbers needs them.
inline Header end_records(Directory const& directory) {
  Header header;
  bool const has_long = directory.entries >= detail::in_zip64_16 || detail::needs_zip64(directory.size_bytes) ||
                        detail::needs_zip64(directory.offset_bytes);
  if (has_long) {
    header.u32(detail::end64_signature).u64(detail::end64_bytes - 12).u16(45).u16(45).u32(0).u32(0);
    header.u64(directory.entries).u64(directory.entries);
    header.u64(directory.size_bytes).u64(directory.offset_bytes);
    header.u32(detail::locator_signature).u32(0).u64(directory.offset_bytes + directory.size_bytes).u32(1);
  }
  auto const entries =
      static_cast<std::uint16_t>(directory.entries < detail::in_zip64_16 ? directory.entries : detail::in_zip64_16);
  header.u32(detail::end_signature).u16(0).u16(0).u16(entries).u16(entries);
  header.u32(detail::low_field(directory.size_bytes)).u32(detail::low_field(directory.offset_bytes)).u16(0);
  return header;
}

}  // namespace penstock::zip
