/// What a file of formats/csv/corpus should become. The format of NAME.expect: formats/csv/corpus/README.md.
#pragma once

#include <bit>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "penstock/batch.hpp"
#include "penstock/dtype.hpp"

namespace penstock::corpus {

/// A line of an expectation as it stands there.
struct ExpectedRow {
  std::string text;      ///< behind the word `row`
  std::size_t line = 0;  ///< of the file, for messages
};

struct Expectation {
  std::string path;
  std::vector<std::string> options;  ///< words of a command line
  std::vector<ExpectedRow> rows;
  std::vector<std::string> faults;  ///< `fault RECORD LINE COLUMN BYTE FIELD CODE`, or `repair ...`
  std::uint64_t missing = 0;
  std::uint64_t inexact = 0;
  std::optional<int> error_code;  ///< the plan fails with this exit status
  std::string error_words;        ///< which its message holds
};

inline std::string read_whole(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Words apart by blanks; what stands in '...' is one word or part of one.
inline std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  bool is_open = false, is_quoted = false;
  for (char const c : text) {
    if (c == '\'') {
      is_quoted = !is_quoted;
      if (!is_open) words.emplace_back();
      is_open = true;
    } else if (c == ' ' && !is_quoted) {
      is_open = false;
    } else {
      if (!is_open) words.emplace_back();
      is_open = true;
      words.back() += c;
    }
  }
  if (is_quoted) throw std::runtime_error("a ' is not closed: " + std::string(text));
  return words;
}

/// All of `text` as a number, in `base` if it is an integer.
template <class T>
T number_from(std::string_view text, int base = 10) {
  T value{};
  std::from_chars_result parsed{};
  if constexpr (std::is_floating_point_v<T>) {
    parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  } else {
    parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
  }
  if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size()) return value;
  throw std::runtime_error("not a value of its type: " + std::string(text));
}

inline void take_error(std::string_view text, Expectation& expectation) {
  std::size_t const blank = text.find(' ');
  if (blank == text.npos || blank + 1 == text.size()) throw std::runtime_error("error EXIT WORDS was expected");
  expectation.error_code = number_from<int>(text.substr(0, blank));
  expectation.error_words = text.substr(blank + 1);
}

inline void take_line(std::string const& line, std::size_t number, Expectation& expectation) {
  std::size_t const blank = line.find(' ');
  std::string const word = line.substr(0, blank);
  std::string const rest = blank == line.npos ? "" : line.substr(blank + 1);
  if (word == "#" || word.empty()) return;
  if (word == "options")
    expectation.options = shell_words(rest);
  else if (word == "row")
    expectation.rows.push_back({rest, number});
  else if (word == "fault" || word == "repair")
    expectation.faults.push_back(line);
  else if (word == "missing")
    expectation.missing = number_from<std::uint64_t>(rest);
  else if (word == "inexact")
    expectation.inexact = number_from<std::uint64_t>(rest);
  else if (word == "error")
    take_error(rest, expectation);
  else
    throw std::runtime_error("unknown word: " + word);
}

/// Throws std::runtime_error that names the file and line.
inline Expectation read_expectation(std::string const& path) {
  Expectation expectation;
  expectation.path = path;
  std::istringstream text(read_whole(path));
  std::string line;
  for (std::size_t number = 1; std::getline(text, line); ++number) {
    try {
      take_line(line, number, expectation);
    } catch (std::runtime_error const& error) {
      throw std::runtime_error(path + ":" + std::to_string(number) + ": " + error.what());
    }
  }
  return expectation;
}

// --- rows as text: the bits of each value
// -----------------------------------------------------------------------------

template <std::unsigned_integral Bits>
std::string hex_of(Bits bits) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 8 * static_cast<int>(sizeof bits) - 4; shift >= 0; shift -= 4) text += digits[bits >> shift & 15];
  return text;
}

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// `missing`, `0x` and the bits, or the shortest decimal text of a value.
template <class T>
std::string canonical_value(std::string_view text) {
  if constexpr (std::is_floating_point_v<T>) {
    if (text == "missing")
      return hex_of(static_cast<BitsOf<T>>(sizeof(T) == 4 ? missing_float32_bits : missing_float64_bits));
  }
  if (text.starts_with("0x")) {
    if (text.size() != 2 + 2 * sizeof(T)) throw std::runtime_error("bits of another type: " + std::string(text));
    return hex_of(number_from<BitsOf<T>>(text.substr(2), 16));
  }
  return hex_of(std::bit_cast<BitsOf<T>>(number_from<T>(text)));
}

inline std::string canonical_value(std::string_view text, DType type) {
  switch (type) {
    case DType::float32: return canonical_value<float>(text);
    case DType::float64: return canonical_value<double>(text);
    case DType::int32: return canonical_value<std::int32_t>(text);
    case DType::int64: return canonical_value<std::int64_t>(text);
  }
  return "?";
}

/// `features 40000000 7fc00000 label 3f800000` for `2 missing label 1`. Throws std::runtime_error if a value is none of
/// its tensor's type.
inline std::string canonical_row(std::string_view text, BatchLayout const& layout) {
  Role role = Role::feature;
  std::string row = "features";
  for (std::string const& word : shell_words(text)) {
    bool is_role = false;
    for (Role const named : {Role::label, Role::weight, Role::qid}) {
      if (word != name_of(named)) continue;
      role = named;
      is_role = true;
    }
    row += " " + (is_role ? word : canonical_value(word, layout.dtype(role)));
  }
  return row;
}

/// The same of a decoded row.
inline std::string canonical_row(Batch const& batch, std::size_t row) {
  std::string text;
  for (Role const role : tensor_roles) {
    Dense const& tensor = batch.tensor(role);
    if (tensor.columns == 0) continue;
    text += (text.empty() ? "" : " ") + std::string(name_of(role));
    for (std::size_t i = row * tensor.columns; i < (row + 1) * tensor.columns; ++i) {
      bool const is_narrow = size_bytes(tensor.dtype) == 4;
      text += " " + (is_narrow ? hex_of(tensor.as<std::uint32_t>()[i]) : hex_of(tensor.as<std::uint64_t>()[i]));
    }
  }
  return text;
}

}  // namespace penstock::corpus
