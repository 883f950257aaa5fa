/// Reading a zip archive that lies in memory (mapped, usually). Arbitrary bytes are safe.
#pragma once

#include "formats/dense/crc32.hpp"
#include "formats/dense/little_endian.hpp"
#include "formats/dense/zip_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace penstock::zip {

enum class Status : std::uint8_t {
  ok,
  not_a_zip,           ///< no end record: another format, or a file that was cut off
  many_disks,          ///< an archive in several volumes
  malformed,           ///< offsets, sizes or signatures contradict each other
  encrypted,           ///< behind a password
  deflated,            ///< compressed, as numpy.savez_compressed and scipy.sparse.save_npz do
  unsupported_method,  ///< compressed in another way
  not_found,           ///< no entry of that name
};

constexpr std::string_view describe(Status status) {
  constexpr std::string_view texts[] = {
      "a readable archive",
      "not a zip archive, or one that was cut off (no end record)",
      "a zip archive in several volumes",
      "a damaged zip archive",
      "an encrypted entry",
      "a compressed entry",
      "an entry compressed in an unsupported way",
      "no entry of that name",
  };
  return texts[static_cast<std::size_t>(status)];
}

namespace detail {

/// Reads integers one after another from memory that the caller has checked.
class Fields {
 public:
  explicit Fields(std::byte const* at) : at_(at) {}
  template <class U>
  U next() {
    U const value = load_little_endian<U>(at_);
    at_ += sizeof(U);
    return value;
  }
  std::uint16_t u16() { return next<std::uint16_t>(); }
  std::uint32_t u32() { return next<std::uint32_t>(); }
  std::uint64_t u64() { return next<std::uint64_t>(); }
  void skip(std::size_t bytes) { at_ += bytes; }

 private:
  std::byte const* at_;
};

inline bool lies_within(std::uint64_t offset, std::uint64_t size, std::uint64_t whole) {
  return offset <= whole && size <= whole - offset;
}

inline bool has_signature(std::span<std::byte const> archive, std::uint64_t offset, std::uint32_t signature) {
  return lies_within(offset, 4, archive.size()) &&
         load_little_endian<std::uint32_t>(archive.data() + offset) == signature;
}

/// The end record is the last whose comment (at most 65,535 bytes) reaches exactly to the archive's end.
inline bool find_end(std::span<std::byte const> archive, std::size_t& offset) {
  if (archive.size() < end_bytes) return false;
  for (std::size_t comment = 0; comment <= 0xffff && comment <= archive.size() - end_bytes; ++comment) {
    offset = archive.size() - end_bytes - comment;
    if (!has_signature(archive, offset, end_signature)) continue;
    if (load_little_endian<std::uint16_t>(archive.data() + offset + 20) == comment) return true;
  }
  return false;
}

/// Reads the zip64 end record that the locator before `end_offset` names, if there is a locator.
inline Status read_end64(std::span<std::byte const> archive, std::size_t end_offset, Directory& directory) {
  if (end_offset < locator_bytes) return Status::ok;
  std::size_t const locator = end_offset - locator_bytes;
  if (!has_signature(archive, locator, locator_signature)) return Status::ok;
  auto const offset = load_little_endian<std::uint64_t>(archive.data() + locator + 8);
  if (!lies_within(offset, end64_bytes, locator) || !has_signature(archive, offset, end64_signature)) {
    return Status::malformed;
  }
  Fields fields(archive.data() + offset + 16);
  if (fields.u32() != 0 || fields.u32() != 0) return Status::many_disks;
  std::uint64_t const entries_here = fields.u64();
  directory.entries = fields.u64();
  if (entries_here != directory.entries) return Status::many_disks;
  directory.size_bytes = fields.u64();
  directory.offset_bytes = fields.u64();
  return Status::ok;
}

}  // namespace detail

/// Finds the directory of `archive`. What it says about offsets and sizes is checked by Entries.
inline Status find_directory(std::span<std::byte const> archive, Directory& directory) {
  std::size_t end = 0;
  if (!detail::find_end(archive, end)) return Status::not_a_zip;
  detail::Fields fields(archive.data() + end + 4);
  std::uint16_t const disk = fields.u16();
  std::uint16_t const first_disk = fields.u16();
  std::uint16_t const entries_here = fields.u16();
  std::uint16_t const entries = fields.u16();
  std::uint32_t const size = fields.u32();
  std::uint32_t const offset = fields.u32();
  directory = {entries, offset, size};
  bool const may_be_long = entries == detail::in_zip64_16 || size == detail::in_zip64 || offset == detail::in_zip64;
  Status const status = may_be_long ? detail::read_end64(archive, end, directory) : Status::ok;
  if (status != Status::ok) return status;
  if (!may_be_long && (disk != 0 || first_disk != 0 || entries_here != entries)) return Status::many_disks;
  return detail::lies_within(directory.offset_bytes, directory.size_bytes, end) ? Status::ok : Status::malformed;
}

/// Walks the directory of an archive, which must outlive this object:
///
///     zip::Entries entries(archive);
///     for (zip::Entry entry; entries.next(entry);) ...
///     if (entries.status() != zip::Status::ok) ...
///
/// Every entry that comes out lies wholly inside the archive.
class Entries {
 public:
  explicit Entries(std::span<std::byte const> archive) : archive_(archive) {
    Directory directory;
    status_ = find_directory(archive, directory);
    if (status_ != Status::ok) return;
    left_ = directory.entries;
    at_ = directory.offset_bytes;
    end_ = directory.offset_bytes + directory.size_bytes;
  }

  /// The next entry; false at the end and after an error.
  bool next(Entry& entry) {
    if (left_ == 0 || status_ != Status::ok) return false;
    --left_;
    if (!read_central(entry) || !find_data(entry)) status_ = Status::malformed;
    return status_ == Status::ok;
  }
  [[nodiscard]] Status status() const { return status_; }

 private:
  bool read_central(Entry& entry) {
    if (!detail::lies_within(at_, detail::central_bytes, end_)) return false;
    if (!detail::has_signature(archive_, at_, detail::central_signature)) return false;
    detail::Fields fields(archive_.data() + at_ + 8);
    entry.is_encrypted = (fields.u16() & 1u) != 0;
    entry.method = fields.u16();
    fields.skip(4);
    entry.crc = fields.u32();
    entry.stored_bytes = fields.u32();
    entry.size_bytes = fields.u32();
    std::size_t const name = fields.u16();
    std::size_t const extra = fields.u16();
    std::size_t const comment = fields.u16();
    fields.skip(8);
    entry.header_offset_bytes = fields.u32();
    at_ += detail::central_bytes;
    if (!detail::lies_within(at_, name + extra + comment, end_)) return false;
    entry.name = {reinterpret_cast<char const*>(archive_.data() + at_), name};
    bool const is_read = read_extra(archive_.subspan(at_ + name, extra), entry);
    at_ += name + extra + comment;
    return is_read;
  }

  /// The zip64 field holds, in this order, those of the three numbers that did not fit (4.5.3).
  static bool read_extra(std::span<std::byte const> extra, Entry& entry) {
    std::uint64_t* const numbers[] = {&entry.size_bytes, &entry.stored_bytes, &entry.header_offset_bytes};
    std::span<std::byte const> const zip64 = find_zip64(extra);
    std::size_t used = 0;
    for (std::uint64_t* number : numbers) {
      if (*number != detail::in_zip64) continue;
      if (zip64.size() - used < 8) return false;
      *number = load_little_endian<std::uint64_t>(zip64.data() + used);
      used += 8;
    }
    return true;
  }

  static std::span<std::byte const> find_zip64(std::span<std::byte const> extra) {
    while (extra.size() >= 4) {
      auto const tag = load_little_endian<std::uint16_t>(extra.data());
      std::size_t const size = load_little_endian<std::uint16_t>(extra.data() + 2);
      if (size > extra.size() - 4) break;
      if (tag == detail::zip64_tag) return extra.subspan(4, size);
      extra = extra.subspan(4 + size);
    }
    return {};
  }

  /// The data lies behind the local header, whose own name and extra field say how long it is.
  bool find_data(Entry& entry) const {
    std::uint64_t const begin = entry.header_offset_bytes;
    if (!detail::lies_within(begin, detail::local_bytes, archive_.size())) return false;
    if (!detail::has_signature(archive_, begin, detail::local_signature)) return false;
    detail::Fields fields(archive_.data() + begin + 26);
    std::size_t const name = fields.u16();
    std::size_t const extra = fields.u16();
    entry.data_offset_bytes = begin + detail::local_bytes + name + extra;
    if (!detail::lies_within(entry.data_offset_bytes, entry.stored_bytes, archive_.size())) return false;
    return name == entry.name.size() &&
           std::memcmp(archive_.data() + begin + detail::local_bytes, entry.name.data(), name) == 0;
  }

  std::span<std::byte const> archive_;
  std::uint64_t left_ = 0;
  std::uint64_t at_ = 0;
  std::uint64_t end_ = 0;
  Status status_ = Status::ok;
};

/// Whether the bytes of `entry` can be used as they lie in the archive, or why not. Those of a deflated one can be used
/// once they are inflated (RFC 1951).
constexpr Status readable(Entry const& entry) {
  if (entry.is_encrypted) return Status::encrypted;
  if (entry.method == method_deflated) return Status::deflated;
  if (entry.method != method_stored) return Status::unsupported_method;
  return entry.stored_bytes == entry.size_bytes ? Status::ok : Status::malformed;
}

/// Finds the first entry called `name`; ok only if it is readable() too.
inline Status find(std::span<std::byte const> archive, std::string_view name, Entry& entry) {
  Entries entries(archive);
  while (entries.next(entry)) {
    if (entry.name == name) return readable(entry);
  }
  return entries.status() == Status::ok ? Status::not_found : entries.status();
}

/// The data of a readable entry that Entries or find() gave for the same archive.
inline std::span<std::byte const> data(std::span<std::byte const> archive, Entry const& entry) {
  return archive.subspan(entry.data_offset_bytes, entry.stored_bytes);
}

/// Whether an entry's data has the checksum that the directory says; reads all of it.
inline bool has_intact_data(std::span<std::byte const> archive, Entry const& entry) {
  return crc32(data(archive, entry)) == entry.crc;
}

}  // namespace penstock::zip
