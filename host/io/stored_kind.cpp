#include "host/io/stored_kind.hpp"

#include <algorithm>
#include <array>

namespace penstock {
namespace {

using namespace std::string_view_literals;

struct Mark {
  std::string_view bytes;  ///< '?' stands for any byte
  StoredFormat format;
};

constexpr StoredFormat unsupported(std::string_view name, std::string_view remedy) {
  return {StoredKind::unsupported, name, remedy};
}

// Sources: RFC 1952 (gzip), RFC 8878 (zstd), the xz and LZ4 frame format specifications, APPNOTE.TXT (zip), bzip2's
// block mark (the digits of pi), parquet-format and the Arrow and Avro specifications. "PAR1" alone could begin
// a header line; in a Parquet file the compact-protocol field header 0x15 follows it.
constexpr std::array marks = {
    Mark{"\x1f\x8b"sv, {StoredKind::gzip, "gzip", ""}},
    Mark{"\x28\xb5\x2f\xfd"sv, unsupported("zstd-compressed data", "zstd -dc")},
    Mark{"\xfd\x37zXZ\0"sv, unsupported("xz-compressed data", "xz -dc")},
    Mark{"BZh?1AY&SY"sv, unsupported("bzip2-compressed data", "bzip2 -dc")},
    Mark{"\x04\x22\x4d\x18"sv, unsupported("lz4-compressed data", "lz4 -dc")},
    Mark{"\x1f\x9d"sv, unsupported("compress(1)-compressed data", "uncompress -c")},
    Mark{"PK\x03\x04"sv, unsupported("a zip archive (a spreadsheet?)", "unzip -p")},
    Mark{"PK\x05\x06"sv, unsupported("an empty zip archive", "")},
    Mark{"PAR1\x15"sv, unsupported("a Parquet file", "")},
    Mark{"ARROW1\0\0"sv, unsupported("an Arrow IPC (Feather) file", "")},
    Mark{"Obj\x01"sv, unsupported("an Avro file", "")},
};

constexpr bool agrees(std::string_view bytes, std::string_view mark) {
  std::size_t const common = std::min(bytes.size(), mark.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (mark[i] != '?' && mark[i] != bytes[i]) return false;
  }
  return true;
}

static_assert(std::all_of(marks.begin(), marks.end(),
                          [](Mark const& mark) { return mark.bytes.size() <= stored_mark_bytes_max; }));

}  // namespace

StoredFormat stored_format(std::string_view first_bytes) {
  for (Mark const& mark : marks) {
    if (first_bytes.size() >= mark.bytes.size() && agrees(first_bytes, mark.bytes)) return mark.format;
  }
  return {};
}

bool could_become_mark(std::string_view first_bytes) {
  return std::any_of(marks.begin(), marks.end(), [first_bytes](Mark const& mark) {
    return first_bytes.size() < mark.bytes.size() && agrees(first_bytes, mark.bytes);
  });
}

}  // namespace penstock
