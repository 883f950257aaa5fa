/// The header of a .npy file for a vector, a row-major matrix or a text.
#pragma once

#include "formats/dense/npy_layout.hpp"
#include "penstock/dtype.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace penstock::npy {

/// Every header that is made has this length, whatever the shape, so that one can be written before the
/// number of rows is known and replaced later. It is a multiple of 64, as the format asks for aligned data, and the
/// smallest that holds two dimensions of 20 digits; NumPy writes the same 128 bytes for such arrays.
inline constexpr std::size_t header_bytes = 128;
using HeaderBytes = std::array<std::byte, header_bytes>;

namespace detail {

/// Appends to a header's memory; the caller makes sure that there is room.
class HeaderText {
 public:
  explicit HeaderText(std::span<char> memory) : memory_(memory) {}
  void text(std::string_view s) { size_ += s.copy(memory_.data() + size_, s.size()); }
  void number(std::uint64_t n) {
    char* const end = memory_.data() + memory_.size();
    size_ = static_cast<std::size_t>(std::to_chars(memory_.data() + size_, end, n).ptr - memory_.data());
  }

 private:
  std::span<char> memory_;
  std::size_t size_ = 0;
};

inline constexpr std::size_t prefix_bytes = 10;  // magic, version, length of the text
static_assert(prefix_bytes + std::string_view("{'descr': '<f4', 'fortran_order': False, 'shape': (").size() + 20 +
                  std::string_view(", ").size() + 20 + std::string_view("), }\n").size() <=
              header_bytes);

/// A header for at most two dimensions, and an element type of at most 20 characters.
inline HeaderBytes make_header(std::string_view descr, std::span<std::uint64_t const> shape) {
  std::array<char, header_bytes> text;
  text.fill(' ');
  HeaderText out(text);
  out.text(magic);
  out.text(std::string_view("\x01\x00\x76\x00", 4));  // version 1.0, 118 bytes of text
  out.text("{'descr': '");
  out.text(descr);
  out.text("', 'fortran_order': False, 'shape': (");
  if (!shape.empty()) out.number(shape[0]);
  if (!shape.empty()) out.text(shape.size() == 1 ? "," : ", ");
  if (shape.size() == 2) out.number(shape[1]);
  out.text("), }");
  text.back() = '\n';
  HeaderBytes bytes;
  std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}
static_assert(header_bytes - prefix_bytes == 0x76);

}  // namespace detail

/// The header of a vector of `rows` elements.
inline HeaderBytes make_header(DType type, std::uint64_t rows) {
  std::uint64_t const shape[] = {rows};
  return detail::make_header(descr_of(type), shape);
}
/// The header of a row-major matrix.
inline HeaderBytes make_header(DType type, std::uint64_t rows, std::uint64_t columns) {
  std::uint64_t const shape[] = {rows, columns};
  return detail::make_header(descr_of(type), shape);
}
/// The header of a vector of bool: bytes of 0 and 1.
inline HeaderBytes make_flags_header(std::uint64_t rows) {
  std::uint64_t const shape[] = {rows};
  return detail::make_header("|b1", shape);
}
/// The header of a text of `size_bytes` bytes without dimensions: what numpy.save writes for a bytes object.
inline HeaderBytes make_text_header(std::uint32_t size_bytes) {
  std::array<char, 13> descr{};  // "|S", 10 digits, and a zero to end it
  detail::HeaderText text(descr);
  text.text("|S");
  text.number(size_bytes);
  return detail::make_header(std::string_view(descr.data()), {});
}

}  // namespace penstock::npy
