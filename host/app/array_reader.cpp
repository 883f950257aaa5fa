#include "host/app/array_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "formats/dense/npy_reader.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// NumPy's headers are 128 bytes; the format's first version allows 64 KiB.
constexpr std::size_t header_bytes_max = std::size_t{64} << 10;

}  // namespace

ArrayReader::ArrayReader(std::unique_ptr<Source> source, std::string name)
    : source_(std::move(source)), name_(std::move(name)) {
  npy::Parsed parsed;
  do {
    parsed = npy::parse_header(std::as_bytes(std::span(head_)));
  } while (parsed.status == npy::Status::truncated && head_.size() < header_bytes_max && grow_head());
  if (parsed.status != npy::Status::ok) {
    std::string const found = parsed.found.empty() ? "" : " " + std::string(parsed.found);
    throw SourceError(name_ + ": " + std::string(describe(parsed.status)) + found);
  }
  array_ = parsed.array;
  given_ = parsed.data_offset_bytes;
  if (row_bytes() > row_bytes_max)
    throw DeviceError(name_ + ": its rows have " + format_bytes(row_bytes()) + ", more than this command holds");
}

std::size_t ArrayReader::read(std::span<std::byte> into) {
  std::size_t const from_head = std::min(into.size(), head_.size() - given_);
  std::copy_n(std::as_bytes(std::span(head_)).begin() + static_cast<std::ptrdiff_t>(given_), from_head, into.begin());
  given_ += from_head;
  for (std::size_t filled = from_head; filled < into.size();) {
    std::size_t const got = source_->read(reinterpret_cast<char*>(into.data()) + filled, into.size() - filled);
    if (got == 0) return filled;
    filled += got;
  }
  return into.size();
}

void ArrayReader::read_all(std::span<std::byte> into) {
  if (read(into) != into.size()) throw_truncated();
}

void ArrayReader::read_integers(std::span<std::int64_t> into) {
  std::span<std::byte> const bytes = std::as_writable_bytes(into);
  if (array_.dtype == DType::int64) return read_all(bytes);
  // int32 come to lie in the second half; number i is read before anything is written over it, as 8 i + 8 <= 4 n + 4 i
  // but for the last one.
  std::span<std::byte> const narrow = bytes.last(bytes.size() / 2);
  read_all(narrow);
  for (std::size_t i = 0; i < into.size(); ++i) {
    std::int32_t value = 0;
    std::memcpy(&value, narrow.data() + i * sizeof value, sizeof value);
    into[i] = value;
  }
}

void ArrayReader::throw_truncated() const {
  throw SourceError(name_ + ": ends before the " + format_count(array_.rows()) + " rows of its header");
}

bool ArrayReader::grow_head() {
  constexpr std::size_t step_bytes = 4096;
  std::size_t const before = head_.size();
  head_.resize(before + step_bytes);
  std::size_t const got = source_->read(head_.data() + before, step_bytes);
  head_.resize(before + got);
  return got != 0;
}

void expect_integers(ArrayReader const& reader, std::uint64_t rows) {
  npy::Array const& array = reader.array();
  bool const has_type = array.dtype == DType::int32 || array.dtype == DType::int64;
  if (array.dimensions != 1 || !has_type) throw SchemaError(reader.name() + ": expected a vector of integers");
  if (array.rows() == rows) return;
  throw SchemaError(reader.name() + ": expected " + format_count(rows) + " elements, found " +
                    format_count(array.rows()));
}

}  // namespace penstock::app
