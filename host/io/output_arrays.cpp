#include "host/io/output_arrays.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace penstock {
namespace {

/// Integers that are converted at a time: 16 or 32 KiB, which stay in a first-level cache.
constexpr std::size_t block_values = 4096;

/// Passes int32 on as int64. Cuts may lie within a number.
class WideningSink final : public Sink {
 public:
  WideningSink(Spool& spool, Crc32& crc) : spool_(spool), crc_(crc) {}

  void write(std::span<std::byte const> bytes) override {
    while (!bytes.empty()) {
      std::size_t const count = std::min(bytes.size(), narrow_.size() - narrow_bytes_);
      std::copy_n(bytes.begin(), count, narrow_.begin() + static_cast<std::ptrdiff_t>(narrow_bytes_));
      narrow_bytes_ += count;
      bytes = bytes.subspan(count);
      pass_on();
    }
  }
  void commit() override {}

 private:
  /// All whole numbers; the rest stays, in front.
  void pass_on() {
    std::size_t const count = narrow_bytes_ / sizeof(std::int32_t);
    for (std::size_t i = 0; i < count; ++i) {
      std::int32_t value = 0;
      std::memcpy(&value, narrow_.data() + i * sizeof value, sizeof value);
      wide_[i] = value;
    }
    std::size_t const used = count * sizeof(std::int32_t);
    narrow_bytes_ -= used;
    std::memmove(narrow_.data(), narrow_.data() + used, narrow_bytes_);
    std::span<std::byte const> const bytes = std::as_bytes(std::span(wide_).first(count));
    crc_.update(bytes);
    spool_.write(bytes);
  }

  Spool& spool_;
  Crc32& crc_;
  std::array<std::byte, block_values * sizeof(std::int32_t)> narrow_{};
  std::size_t narrow_bytes_ = 0;
  std::array<std::int64_t, block_values> wide_{};
};

}  // namespace

void ArrayMember::stream_to(OutputFile& file) {
  spool_.reset();
  stream_ = &file;
  write_headers(file);
}

void ArrayMember::append(std::span<std::byte const> bytes, std::uint64_t rows) {
  rows_ += rows;
  if (bytes.empty()) return;
  data_crc_.update(bytes);
  if (stream_ != nullptr)
    stream_->write(bytes);
  else
    spool_->write(bytes);
}

void ArrayMember::finish(OutputFile& file) {
  if (stream_ == nullptr) {
    write_headers(file);
    spool_->copy_to(file.sink());
    spool_.reset();  // gives its disk space back
    return;
  }
  file.seekable()->write_at(0, zip::local_header(entry(0)).bytes());
  file.seekable()->write_at(zip::local_header_bytes(name_), header());
}

npy::HeaderBytes ArrayMember::header() const {
  switch (shape_.kind) {
    case ArrayShape::Kind::matrix: return npy::make_header(shape_.dtype, rows_, shape_.columns);
    case ArrayShape::Kind::text: return npy::make_text_header(static_cast<std::uint32_t>(rows_));
    case ArrayShape::Kind::flags: return npy::make_flags_header(rows_);
    case ArrayShape::Kind::vector: break;
  }
  return npy::make_header(shape_.dtype, rows_);
}

zip::Entry ArrayMember::entry(std::uint64_t header_offset_bytes) const {
  zip::Entry entry;
  entry.name = name_;
  entry.size_bytes = entry.stored_bytes = npy::header_bytes + data_bytes();
  entry.header_offset_bytes = header_offset_bytes;
  entry.crc = crc32_combine(crc32(header()), data_crc_.value(), data_bytes());
  return entry;
}

void ArrayMember::write_headers(OutputFile& file) const {
  file.write(zip::local_header(entry(0)).bytes());
  file.write(header());
}

void ArrayMember::replace(DType dtype, Spool spool, Crc32 data_crc) {
  shape_.dtype = dtype;
  spool_ = std::move(spool);
  data_crc_ = data_crc;
}

template <class Integer>
void IndexMember::append_as(std::span<std::int64_t const> values, std::int64_t shift) {
  std::array<Integer, block_values> block;
  while (!values.empty()) {
    std::size_t const count = std::min(values.size(), block_values);
    for (std::size_t i = 0; i < count; ++i) block[i] = static_cast<Integer>(values[i] + shift);
    append(std::as_bytes(std::span(block).first(count)), count);
    values = values.subspan(count);
  }
}

void IndexMember::append_shifted(std::span<std::int64_t const> values, std::int64_t shift) {
  if (dtype() == DType::int32)
    append_as<std::int32_t>(values, shift);
  else
    append_as<std::int64_t>(values, shift);
}

void IndexMember::widen() {
  if (dtype() == DType::int64) return;
  Spool wide(beside_path_);
  Crc32 crc;
  WideningSink sink(wide, crc);
  spool().copy_to(sink);
  replace(DType::int64, std::move(wide), crc);
}

}  // namespace penstock
