/// Text for people: quantities as the command line prints them, sizes as users type them, and excerpts of
/// input that are safe to show on a terminal. No locale takes part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock {

/// "812 B", "51.9 KiB", "11.2 GiB": binary units, one decimal (rounded half up).
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

/// "41,238,901".
[[nodiscard]] std::string format_count(std::uint64_t count);

/// "812 B/s", "96.4 MB/s", "1.32 GB/s": decimal units, three digits. Not finite or negative: "0 B/s".
[[nodiscard]] std::string format_rate(double bytes_per_second);

/// "290 ms" below a second, "2.9 s" below a minute, then as format_clock(). Not finite or negative: "0 ms".
[[nodiscard]] std::string format_duration(double seconds);

/// "0:01:23": hours, minutes, seconds, cut to whole seconds. Hours have as many digits as they need.
[[nodiscard]] std::string format_clock(std::uint64_t seconds);

/// A share as "42.0 %", below one percent "0.06 %", below that "<0.01 %". Cut, not rounded, so that "100.0 %"
/// means all of it. `part` beyond `whole` counts as all, and a share of nothing as "0.0 %".
[[nodiscard]] std::string format_percent(std::uint64_t part, std::uint64_t whole);

/// A size in bytes as users type it: digits, perhaps a fraction, perhaps one space, perhaps a unit. "K", "M",
/// "G", "T" and "KiB" ... "TiB" are powers of 1024; "KB", "MB", "GB", "TB" are powers of 1000; "B" or no unit
/// are bytes. Case does not count. A fraction (at most 18 digits) needs a unit and is cut to whole bytes:
/// "1.5GiB". Nothing if `text` is anything else or exceeds 2^64 - 1.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// `bytes` for a terminal, at most `columns_max` columns wide; what is cut shows as an ellipsis. Well-formed
/// UTF-8 stays, one column a code point; line feed, carriage return and tab show as \n, \r and \t; other
/// control characters, marks that reorder or hide text (U+061C, U+200B-200F, U+2028-202E, U+2060-206F,
/// U+FEFF, U+E0000-E007F) and bytes that are not UTF-8 show as \xNN. A backslash stays as it is: this is
/// for eyes, not for reading back.
[[nodiscard]] std::string escape_for_display(std::string_view bytes, std::size_t columns_max);

/// A part of a line of input and, to be printed below it, a mark under one cell.
struct CaretExcerpt {
  std::string text;    ///< escaped; an ellipsis where the line is cut
  std::string marker;  ///< spaces, then "^~~~" as wide as the visible part of the cell
};

/// At most 100 columns: what remains of a wide terminal after a margin.
inline constexpr std::size_t caret_columns_max = 100;

/// The surroundings of bytes [cell_begin, cell_end) of `line`, with the cell near the middle if the line is
/// too long to show. An empty cell is marked by a lone "^". Positions beyond the line count as its end.
/// Looks at no more than a few hundred bytes, however long the line.
[[nodiscard]] CaretExcerpt caret_line(std::string_view line, std::size_t cell_begin, std::size_t cell_end);

}  // namespace penstock
