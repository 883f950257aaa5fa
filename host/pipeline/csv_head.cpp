#include "host/pipeline/csv_head.hpp"

#include "host/io/source.hpp"
#include "host/io/stored_kind.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace penstock {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view utf8_mark = "\xef\xbb\xbf"sv;

struct Mark {
  std::size_t offset;
  std::string_view bytes;
  std::string_view name;
};

// Formats that people have next to their CSV files and whose first bytes are no text. Sources: formats/recordio
// (the frame's magic number), numpy's format 1, the HDF5 and pickle (protocol 2 and later) specifications,
// POSIX.1 (ustar) and RFC 1952 for a file that was compressed twice.
constexpr std::array marks = {
    Mark{0, "\x0a\x23\xd7\xce"sv, "RecordIO"},
    Mark{0, "\x93NUMPY"sv, "a NumPy array (.npy)"},
    Mark{0, "\x89HDF\r\n"sv, "an HDF5 file"},
    Mark{0, "\x1f\x8b"sv, "data that was compressed twice"},
    Mark{257, "ustar"sv, "a tar archive"},
    Mark{0, "\x80\x02"sv, "a Python pickle"},
    Mark{0, "\x80\x03"sv, "a Python pickle"},
    Mark{0, "\x80\x04"sv, "a Python pickle"},
    Mark{0, "\x80\x05"sv, "a Python pickle"},
    Mark{0, "SQLite format 3\0"sv, "an SQLite database"},
    Mark{0,
         "\x7f"
         "ELF"sv,
         "a program"},
};

/// The name of the binary format that `bytes` begin; empty for text.
std::string_view binary_name(std::string_view bytes) {
  for (Mark const& mark : marks) {
    if (bytes.size() >= mark.offset && bytes.substr(mark.offset).starts_with(mark.bytes)) return mark.name;
  }
  return stored_format(bytes.substr(0, stored_mark_bytes_max)).name;
}

/// Of text in UTF-16 about half the bytes are NUL if it is English, and still more than a tenth if numbers and
/// delimiters stand between other words. Text in UTF-8 has none; a tenth is far from a damaged file's few.
bool is_full_of_nuls(std::string_view bytes) {
  auto const nuls = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\0'));
  return nuls >= 2 && nuls * 10 >= bytes.size();
}

/// "UTF-16" or "UTF-32" if the bytes look like it, else empty.
std::string_view wide_encoding(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe\0\0"sv) || bytes.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
  if (bytes.starts_with("\xff\xfe"sv) || bytes.starts_with("\xfe\xff"sv)) return "UTF-16";
  if (!is_full_of_nuls(bytes)) return {};
  std::array<std::size_t, 2> nuls = {};
  for (std::size_t i = 0; i < bytes.size(); ++i) nuls[i % 2] += bytes[i] == '\0' ? 1 : 0;
  bool const is_one_sided = std::min(nuls[0], nuls[1]) * 8 <= std::max(nuls[0], nuls[1]);
  return is_one_sided ? "UTF-16" : std::string_view{};
}

void require_text(std::string const& name, std::string_view bytes) {
  if (std::string const binary(binary_name(bytes)); !binary.empty()) {
    throw SourceError(name + ": looks like " + binary + ", not like CSV text", "Name the text that it was made from.");
  }
  if (std::string const wide(wide_encoding(bytes)); !wide.empty()) {
    throw SourceError(name + ": looks like " + wide + "; UTF-8 is needed",
                      "Convert it: iconv -f " + wide + " -t UTF-8 FILE");
  }
  if (is_full_of_nuls(bytes)) {
    throw SourceError(name + ": looks like binary data, not like CSV text", "Many of its first bytes are NUL.");
  }
}

}  // namespace

CsvHead::CsvHead(InputFile const& file) : file_(file), source_(open_source(file)), source_name_(source_->name()) {
  read_until(head_bytes);
  require_text(source_name_, bytes_);
  if (!std::string_view(bytes_).starts_with(utf8_mark)) return;
  mark_bytes_ = offset_bytes_ = utf8_mark.size();
  bytes_.erase(0, utf8_mark.size());
}

HeadText CsvHead::text() const { return {bytes_, is_whole_}; }

ShardStart CsvHead::start() const {
  if (is_reopened()) return {.offset_bytes = mark_bytes_};
  return {offset_bytes_, line_, follows_cr_};
}

void CsvHead::read_until(std::size_t size) {
  std::size_t filled = bytes_.size();
  if (filled >= size || is_whole_) return;
  bytes_.resize(size);
  while (filled < size && !is_whole_) {
    std::size_t const count = source_->read(bytes_.data() + filled, size - filled);
    is_whole_ = count == 0;
    filled += count;
  }
  bytes_.resize(filled);
}

bool CsvHead::grow(std::size_t bytes_max) {
  if (is_whole_ || bytes_.size() >= bytes_max) return false;
  read_until(std::min(bytes_.size() * 2, bytes_max));
  return true;
}

void CsvHead::drop(std::size_t bytes) {
  if (bytes == 0) return;
  std::string_view const dropped = std::string_view(bytes_).substr(0, bytes);
  line_ += count_line_ends(dropped, follows_cr_);
  follows_cr_ = dropped.back() == '\r';
  offset_bytes_ += bytes;
  bytes_.erase(0, bytes);
  read_until(head_bytes);
}

void CsvHead::drop_line() {
  std::size_t end = bytes_.find_first_of("\r\n");
  for (; end == bytes_.npos && !bytes_.empty(); end = bytes_.find_first_of("\r\n")) drop(bytes_.size());
  if (end != bytes_.npos) drop(end + 1);
}

void CsvHead::release() {
  if (!is_reopened()) return;
  source_.reset();
  std::string().swap(bytes_);  // assigning an empty string would keep the memory
}

Shard CsvHead::shard(std::uint64_t offset, bool follows_cr) {
  Shard shard{.name = source_name_, .open = {}, .offset_bytes = offset, .follows_cr = follows_cr};
  if (is_reopened()) {
    shard.open = [file = file_, offset] { return open_at(file, offset); };
    return shard;
  }
  if (std::exchange(is_taken_, true))
    throw SourceError(source_name_ + ": can be read only once", "Name a file instead.");
  bytes_.erase(0, static_cast<std::size_t>(offset - offset_bytes_));
  // std::function wants to be copied, which a source cannot: the copies share it, and the first call takes it.
  auto rest = std::make_shared<std::unique_ptr<Source>>(
      std::make_unique<PrefetchedSource>(std::move(source_), std::exchange(bytes_, {})));
  shard.open = [rest]() -> std::unique_ptr<Source> { return std::move(*rest); };
  return shard;
}

}  // namespace penstock
