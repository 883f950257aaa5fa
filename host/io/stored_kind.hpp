/// What the first bytes of an input say about how it is stored.
#pragma once

#include <cstddef>
#include <string_view>

namespace penstock {

/// Text and everything unknown is `plain`.
enum class StoredKind { plain, gzip, unsupported };

/// `name` and `remedy` (a command that turns it into text, or advice) are set for `unsupported`.
struct StoredFormat {
  StoredKind kind = StoredKind::plain;
  std::string_view name;
  std::string_view remedy;
};

/// As many first bytes as it takes to tell all known formats apart: bzip2's level and block mark are longest.
inline constexpr std::size_t stored_mark_bytes_max = 10;

/// The format that `first_bytes` (at most stored_mark_bytes_max count) begin.
[[nodiscard]] StoredFormat stored_format(std::string_view first_bytes);

/// Whether further bytes could turn `first_bytes` into the mark of a known format: then it is worth waiting
/// for them. False for text after a byte or two, so that a slow pipe's first line is not held back.
[[nodiscard]] bool could_become_mark(std::string_view first_bytes);

}  // namespace penstock
