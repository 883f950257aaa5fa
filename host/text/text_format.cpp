#include "host/text/text_format.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

namespace penstock {
namespace {

__extension__ using Uint128 = unsigned __int128;

std::string fixed(double value, int decimals) {
  std::array<char, 400> text{};  // a double has at most 309 digits before the point
  auto const end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, decimals).ptr;
  return {text.data(), end};
}

std::string two_digits(std::uint64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

// ---- excerpts -------------------------------------------------------------------------------------------

constexpr std::string_view ellipsis = "\xe2\x80\xa6";

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// A code point at the start of some bytes, or (`size_bytes` 0) bytes that are not well-formed UTF-8.
struct CodePoint {
  char32_t value = 0;
  std::size_t size_bytes = 0;
};

/// Well-formed as in the Unicode standard, table 3-7: shortest forms only, no surrogates, none beyond U+10FFFF.
CodePoint code_point_at(std::string_view bytes) {
  auto const lead = static_cast<unsigned char>(bytes[0]);
  if (lead < 0x80) return {lead, 1};
  std::size_t const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < size) return {};
  auto value = static_cast<char32_t>(lead & (0x7fu >> size));
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(bytes[i])) return {};
    value = value << 6 | (static_cast<unsigned char>(bytes[i]) & 0x3fu);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  bool const is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[size] || is_surrogate || value > 0x10ffff) return {};
  return {value, size};
}

/// Whether a code point can be shown without harm: no control, nothing that reorders or hides its neighbours.
bool is_displayable(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  constexpr Range hidden[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200b, 0x200f},
                              {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xe0000, 0xe007f}};
  return std::ranges::none_of(hidden, [c](Range range) { return c >= range.first && c <= range.last; });
}

std::string escaped_bytes(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string text;
  for (char c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    text += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
  }
  return text;
}

/// A stretch of input that is shown as a whole: a character or an escape.
struct Piece {
  std::size_t size_bytes = 0;
  std::string text;
  std::size_t columns = 0;
};

Piece piece_at(std::string_view bytes) {
  switch (bytes[0]) {
    case '\n': return {1, "\\n", 2};
    case '\r': return {1, "\\r", 2};
    case '\t': return {1, "\\t", 2};
    default: break;
  }
  CodePoint const point = code_point_at(bytes);
  if (point.size_bytes != 0 && is_displayable(point.value)) {
    return {point.size_bytes, std::string(bytes.substr(0, point.size_bytes)), 1};
  }
  std::size_t const size = std::max<std::size_t>(point.size_bytes, 1);
  return {size, escaped_bytes(bytes.substr(0, size)), 4 * size};
}

/// Where the character that holds byte `at` begins, if the bytes before it are UTF-8.
std::size_t character_begin(std::string_view bytes, std::size_t at) {
  std::size_t begin = at;
  while (begin > 0 && at - begin < 3 && begin < bytes.size() && is_continuation(bytes[begin])) --begin;
  bool const holds = begin < bytes.size() && begin + code_point_at(bytes.substr(begin)).size_bytes > at;
  return holds ? begin : at;
}

/// A window of a line around a cell, as pieces.
class Window {
 public:
  Window(std::string_view line, std::size_t cell_begin, std::size_t cell_end) {
    constexpr std::size_t reach_bytes = 4 * caret_columns_max;  // a column shows at most four bytes
    std::size_t const begin = character_begin(line, cell_begin);
    std::size_t const from = begin > reach_bytes ? character_begin(line, begin - reach_bytes) : 0;
    append(line.substr(0, begin), from, begin);
    cell_first_ = pieces_.size();
    std::size_t const cell_stop = append(line, begin, std::min(cell_end, begin + reach_bytes));
    cell_last_ = pieces_.size();
    std::size_t const stop = append(line, cell_stop, std::min(line.size(), cell_stop + reach_bytes));
    is_cut_before_ = from > 0;
    is_cut_after_ = stop < line.size();
    choose();
  }

  [[nodiscard]] CaretExcerpt excerpt() const {
    bool const cut_left = is_cut_before_ || first_ > 0;
    bool const cut_right = is_cut_after_ || last_ < pieces_.size();
    CaretExcerpt result;
    if (cut_left) result.text += ellipsis;
    for (std::size_t i = first_; i < last_; ++i) result.text += pieces_[i].text;
    if (cut_right) result.text += ellipsis;
    std::size_t const marked = std::max<std::size_t>(columns(cell_first_, std::min(cell_last_, last_)), 1);
    result.marker = std::string((cut_left ? 1 : 0) + columns(first_, cell_first_), ' ') + '^';
    result.marker.append(marked - 1, '~');
    return result;
  }

 private:
  /// Appends the pieces that begin in [from, to); returns where the last one ends.
  std::size_t append(std::string_view line, std::size_t from, std::size_t to) {
    while (from < to) {
      pieces_.push_back(piece_at(line.substr(from)));
      from += pieces_.back().size_bytes;
    }
    return from;
  }

  [[nodiscard]] std::size_t columns(std::size_t from, std::size_t to) const {
    std::size_t sum = 0;
    for (std::size_t i = from; i < to; ++i) sum += pieces_[i].columns;
    return sum;
  }

  /// Takes pieces while there is room for them: first the cell's, then its neighbours', by turns.
  void choose() {
    std::size_t room = caret_columns_max - 2;  // two ellipses
    first_ = last_ = cell_first_;
    auto const take = [&](std::size_t piece) {
      if (pieces_[piece].columns > room) return false;
      room -= pieces_[piece].columns;
      return true;
    };
    while (last_ < cell_last_ && take(last_)) ++last_;
    bool goes_left = true;
    bool goes_right = last_ == cell_last_;
    while (goes_left || goes_right) {
      goes_left = goes_left && first_ > 0 && take(first_ - 1);
      if (goes_left) --first_;
      goes_right = goes_right && last_ < pieces_.size() && take(last_);
      if (goes_right) ++last_;
    }
  }

  std::vector<Piece> pieces_;
  std::size_t cell_first_ = 0, cell_last_ = 0;  ///< the cell's pieces
  std::size_t first_ = 0, last_ = 0;            ///< the pieces that are shown
  bool is_cut_before_ = false, is_cut_after_ = false;
};

// ---- sizes ----------------------------------------------------------------------------------------------

/// Bytes in a unit that is written after a number; nothing if there is no such unit.
std::optional<std::uint64_t> unit_bytes(std::string_view unit) {
  std::string upper(unit);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (upper.empty() || upper == "B") return 1;
  auto const power = std::string_view("KMGT").find(upper[0]);
  std::string_view const rest = std::string_view(upper).substr(1);
  if (power == std::string_view::npos || (rest != "" && rest != "B" && rest != "IB")) return std::nullopt;
  std::uint64_t bytes = 1;
  for (std::size_t i = 0; i <= power; ++i) bytes *= rest == "B" ? 1000 : 1024;
  return bytes;
}

constexpr std::size_t fraction_digits_max = 18;  // 10^18 still fits 64 bits

/// The fraction 0.`digits` of `unit`, cut to whole bytes.
std::uint64_t fraction_of(std::string_view digits, std::uint64_t unit) {
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
  for (char digit : digits) {
    numerator = numerator * 10 + static_cast<std::uint64_t>(digit - '0');
    denominator *= 10;
  }
  return static_cast<std::uint64_t>(Uint128{numerator} * unit / denominator);
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::string_view units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  unsigned shift = 10;
  std::size_t unit = 0;
  auto const tenths = [&] {
    std::uint64_t const whole = bytes >> shift;
    std::uint64_t const rest = bytes & ((std::uint64_t{1} << shift) - 1);  // below 2^60: ten times it fits
    return whole * 10 + (rest * 10 + (std::uint64_t{1} << (shift - 1))) / (std::uint64_t{1} << shift);
  };
  while (tenths() >= 10240) shift += 10, ++unit;
  return std::to_string(tenths() / 10) + "." + std::to_string(tenths() % 10) + " " + std::string(units[unit]);
}

std::string format_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string format_rate(double bytes_per_second) {
  if (!std::isfinite(bytes_per_second) || bytes_per_second < 0) bytes_per_second = 0;
  if (bytes_per_second < 999.5) return fixed(bytes_per_second, 0) + " B/s";
  constexpr std::string_view units[] = {"KB/s", "MB/s", "GB/s", "TB/s", "PB/s"};
  double value = bytes_per_second / 1000;
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < std::size(units); ++unit) value /= 1000;
  int const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fixed(value, decimals) + " " + std::string(units[unit]);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) seconds = 0;
  if (seconds < 0.9995) return fixed(seconds * 1000, 0) + " ms";
  if (seconds < 59.95) return fixed(seconds, 1) + " s";
  constexpr double seconds_max = 1e15;
  return format_clock(static_cast<std::uint64_t>(std::min(seconds + 0.5, seconds_max)));
}

std::string format_clock(std::uint64_t seconds) {
  return std::to_string(seconds / 3600) + ":" + two_digits(seconds / 60 % 60) + ":" + two_digits(seconds % 60);
}

std::string format_percent(std::uint64_t part, std::uint64_t whole) {
  if (part == 0 || whole == 0) return "0.0 %";
  if (part >= whole) return "100.0 %";
  auto const share = static_cast<std::uint64_t>(Uint128{part} * 10'000 / whole);
  if (share == 0) return "<0.01 %";
  if (share < 100) return "0." + two_digits(share) + " %";
  return std::to_string(share / 100) + "." + std::to_string(share / 10 % 10) + " %";
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  char const* const end = text.data() + text.size();
  std::uint64_t whole = 0;
  auto const [after_whole, error] = std::from_chars(text.data(), end, whole);
  if (error != std::errc{}) return std::nullopt;
  std::string_view rest(after_whole, static_cast<std::size_t>(end - after_whole));
  bool const has_fraction = rest.starts_with('.');
  std::string_view fraction;
  if (has_fraction) {
    std::size_t const stop = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    fraction = rest.substr(1, stop - 1);
    rest.remove_prefix(stop);
    if (fraction.empty() || fraction.size() > fraction_digits_max) return std::nullopt;
  }
  if (rest.starts_with(' ')) {
    rest.remove_prefix(1);
    if (rest.empty()) return std::nullopt;
  }
  auto const unit = unit_bytes(rest);
  if (!unit || (has_fraction && *unit == 1) || whole > max / *unit) return std::nullopt;
  std::uint64_t const part = fraction_of(fraction, *unit);
  return whole * *unit > max - part ? std::nullopt : std::optional(whole * *unit + part);
}

std::string escape_for_display(std::string_view bytes, std::size_t columns_max) {
  std::string text;
  std::size_t columns = 0;
  std::size_t size_with_ellipsis = 0;  // as much of `text` as leaves a column for an ellipsis
  while (!bytes.empty()) {
    Piece const piece = piece_at(bytes);
    if (columns + piece.columns > columns_max) {
      text.resize(size_with_ellipsis);
      return columns_max == 0 ? text : text + std::string(ellipsis);
    }
    text += piece.text;
    columns += piece.columns;
    if (columns < columns_max) size_with_ellipsis = text.size();
    bytes.remove_prefix(piece.size_bytes);
  }
  return text;
}

CaretExcerpt caret_line(std::string_view line, std::size_t cell_begin, std::size_t cell_end) {
  cell_begin = std::min(cell_begin, line.size());
  cell_end = std::clamp(cell_end, cell_begin, line.size());
  return Window(line, cell_begin, cell_end).excerpt();
}

}  // namespace penstock
