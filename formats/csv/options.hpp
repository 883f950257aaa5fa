/// What can be said about a CSV text. The rules behind the options: formats/csv/README.md.
#pragma once

#include <cstdint>

namespace penstock::csv {

/// The special bytes. 0 means none. The delimiter is never a line end, quote, escape or comment byte.
struct Dialect {
  char delimiter = ',';
  char quote = '"';
  char escape = 0;
  char comment = 0;
  bool trim = false;           ///< blanks (space, tab) around a cell are not part of it
  bool strict_quotes = false;  ///< a quote in a wrong place is a fault instead of text

  bool operator==(Dialect const&) const = default;
};

/// Spelled NaN and infinity.
enum class NonFinitePolicy : std::uint8_t { fault, clip, pass };
/// Numbers beyond the range of a floating-point type.
enum class OverflowPolicy : std::uint8_t { fault, infinity };

}  // namespace penstock::csv
