/// Reading the header of a .npy file. Arbitrary bytes are safe.
#pragma once

#include "formats/dense/little_endian.hpp"
#include "formats/dense/npy_layout.hpp"
#include "penstock/dtype.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <system_error>

namespace penstock::npy {

enum class Status : std::uint8_t {
  ok,
  truncated,         ///< the bytes end inside the header
  not_npy,           ///< another magic
  bad_version,       ///< neither 1.0, 2.0 nor 3.0
  malformed,         ///< the text is not the dictionary that the format asks for
  big_endian,        ///< elements in the other byte order
  object,            ///< pickled Python objects
  structured,        ///< records with named fields
  unsupported_type,  ///< any other element type than the four of DType
  fortran_order,     ///< column-major
  dimensions,        ///< more dimensions than dimensions_max
  too_large,         ///< the size in bytes does not fit 64 bits
};

constexpr std::string_view describe(Status status) {
  constexpr std::string_view texts[] = {
      "a readable array",
      "the file ends inside the array's header",
      "not a .npy array",
      "a version of the .npy format other than 1.0, 2.0 and 3.0",
      "a damaged .npy header",
      "big-endian elements (convert with a.astype(a.dtype.newbyteorder('<')))",
      "Python objects as elements",
      "structured elements with named fields",
      "an element type other than float32, float64, int32 and int64",
      "column-major order (convert with numpy.ascontiguousarray(a))",
      "too many dimensions",
      "an array larger than 64 bits can count",
  };
  return texts[static_cast<std::size_t>(status)];
}

/// What a header says. `array` and `data_offset_bytes` hold only with Status::ok (and, all but the type, with
/// Status::unsupported_type); `found` is the text that `status` is about (a type, a shape) or empty, and points into
/// the bytes that were parsed.
struct Parsed {
  Status status = Status::ok;
  Array array;
  std::size_t data_offset_bytes = 0;
  std::string_view found;
};

namespace detail {

/// Reads the tokens of a Python literal; every method skips white space first.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  [[nodiscard]] char peek() { return at_end() ? '\0' : text_[at_]; }
  [[nodiscard]] bool take(std::string_view token) {
    skip_space();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  /// A string in either kind of quotes, without escapes.
  [[nodiscard]] bool take_string(std::string_view& value) {
    char const quote = peek();
    if (quote != '\'' && quote != '"') return false;
    std::size_t const end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return false;
    value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return value.find('\\') == std::string_view::npos;
  }
  /// A decimal integer below 2^64; Python 2 wrote an L behind some.
  [[nodiscard]] bool take_number(std::uint64_t& value) {
    skip_space();
    char const* const begin = text_.data() + at_;
    auto const [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc{}) return false;
    at_ += static_cast<std::size_t>(end - begin);
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;
    return true;
  }
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::string_view since(std::size_t begin) const { return text_.substr(begin, at_ - begin); }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

/// The three values of the dictionary as they were written.
struct Dictionary {
  std::string_view descr;
  bool is_structured = false;
  bool is_fortran = false;
  bool has_too_many_dimensions = false;
  std::string_view shape;
  Array array;
  unsigned seen = 0;  // bits: descr 1, fortran_order 2, shape 4
};

/// `[('name', '<f4'), ...]`: only its extent matters, since it is refused.
inline bool take_structured(Scanner& scanner, Dictionary& dictionary) {
  std::size_t const begin = scanner.position();
  std::size_t depth = 0;
  std::string_view ignored;
  std::uint64_t number = 0;
  do {
    if (scanner.take("[") || scanner.take("(")) {
      ++depth;
    } else if (scanner.take("]") || scanner.take(")")) {
      --depth;
    } else if (!scanner.take(",") && !scanner.take_string(ignored) && !scanner.take_number(number)) {
      return false;
    }
  } while (depth != 0);
  dictionary.is_structured = true;
  dictionary.descr = scanner.since(begin);
  return true;
}

inline bool take_shape(Scanner& scanner, Dictionary& dictionary) {
  if (scanner.peek() != '(') return false;
  std::size_t const begin = scanner.position();
  bool has_comma = scanner.take("(");  // after the parenthesis a number may come, as after a comma
  Array& array = dictionary.array;
  while (scanner.peek() != ')') {
    std::uint64_t extent = 0;
    if (!has_comma || !scanner.take_number(extent)) return false;
    dictionary.has_too_many_dimensions = array.dimensions == dimensions_max;
    if (dictionary.has_too_many_dimensions) --array.dimensions;  // keep scanning: it may yet be malformed
    array.shape[array.dimensions++] = extent;
    has_comma = scanner.take(",");
  }
  if (array.dimensions == 1 && !has_comma) return false;  // (5) is a number, not a tuple
  bool const is_closed = scanner.take(")");
  dictionary.shape = scanner.since(begin);
  return is_closed;
}

inline bool take_value(Scanner& scanner, std::string_view key, Dictionary& dictionary) {
  if (key == "descr") {
    dictionary.seen ^= 1u;
    if (scanner.peek() == '[') return take_structured(scanner, dictionary);
    return scanner.take_string(dictionary.descr);
  }
  if (key == "fortran_order") {
    dictionary.seen ^= 2u;
    dictionary.is_fortran = scanner.take("True");
    return dictionary.is_fortran || scanner.take("False");
  }
  if (key != "shape") return false;
  dictionary.seen ^= 4u;
  dictionary.array.dimensions = 0;
  return take_shape(scanner, dictionary);
}

/// The whole text: a dictionary with exactly the three keys, in any order, then white space.
inline bool parse_dictionary(std::string_view text, Dictionary& dictionary) {
  Scanner scanner(text);
  if (!scanner.take("{")) return false;
  bool has_comma = true;
  for (int keys = 0; !scanner.take("}"); ++keys) {
    std::string_view key;
    if (keys == 3 || !has_comma || !scanner.take_string(key) || !scanner.take(":")) return false;
    if (!take_value(scanner, key, dictionary)) return false;
    has_comma = scanner.take(",");
  }
  return dictionary.seen == 7 && scanner.at_end();
}

/// The element type, or why there is none. '=' (native), '|' (no order) and no sign at all are read as
/// NumPy reads them on a little-endian machine.
inline Status parse_descr(std::string_view descr, DType& dtype) {
  if (descr.empty()) return Status::malformed;
  char const order = descr[0];
  bool const has_order = order == '<' || order == '>' || order == '=' || order == '|';
  std::string_view const kind = has_order ? descr.substr(1) : descr;
  if (kind.starts_with('O')) return Status::object;
  for (DType known : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    if (kind != descr_of(known).substr(1)) continue;
    dtype = known;
    return order == '>' ? Status::big_endian : Status::ok;
  }
  return Status::unsupported_type;
}

inline bool fits(Array const& array) {
  std::uint64_t product = size_bytes(array.dtype);
  for (std::size_t i = 0; i < array.dimensions; ++i) {
    // A zero does not excuse its neighbours: rows() and columns() are used on their own.
    std::uint64_t const extent = std::max<std::uint64_t>(array.shape[i], 1);
    if (product > std::numeric_limits<std::uint64_t>::max() / extent) return false;
    product *= extent;
  }
  return true;
}

inline void judge(Dictionary const& dictionary, Parsed& parsed) {
  parsed.array = dictionary.array;
  parsed.found = dictionary.descr;
  parsed.status = dictionary.is_structured ? Status::structured : parse_descr(dictionary.descr, parsed.array.dtype);
  if (parsed.status != Status::ok) return;
  parsed.found = dictionary.shape;
  if (dictionary.is_fortran)
    parsed.status = Status::fortran_order;
  else if (dictionary.has_too_many_dimensions)
    parsed.status = Status::dimensions;
  else if (!fits(parsed.array))
    parsed.status = Status::too_large;
  else
    parsed.found = {};
}

}  // namespace detail

/// Parses the header at the start of `bytes`, which may be a whole file or any part of it that holds the
/// header; arbitrary bytes are safe. The caller compares array.data_bytes() with what lies behind.
inline Parsed parse_header(std::span<std::byte const> bytes) {
  Parsed parsed;
  auto const refuse = [&parsed](Status status) {
    parsed.status = status;
    return parsed;
  };
  std::string_view const text(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  if (!text.starts_with(magic.substr(0, text.size()))) return refuse(Status::not_npy);
  if (bytes.size() < magic.size() + 2) return refuse(Status::truncated);
  auto const major = static_cast<unsigned>(bytes[6]);
  if (major < 1 || major > 3 || bytes[7] != std::byte{0}) return refuse(Status::bad_version);
  std::size_t const length_bytes = major == 1 ? 2 : 4;
  std::size_t const begin = magic.size() + 2 + length_bytes;
  if (bytes.size() < begin) return refuse(Status::truncated);
  std::size_t const length = major == 1 ? load_little_endian<std::uint16_t>(bytes.data() + 8)
                                        : load_little_endian<std::uint32_t>(bytes.data() + 8);
  if (bytes.size() - begin < length) return refuse(Status::truncated);
  detail::Dictionary dictionary;
  if (!detail::parse_dictionary(text.substr(begin, length), dictionary)) return refuse(Status::malformed);
  detail::judge(dictionary, parsed);
  parsed.data_offset_bytes = begin + length;
  return parsed;
}

}  // namespace penstock::npy
