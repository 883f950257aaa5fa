/// Near misses: "did you mean ...?" for verbs, flags, kinds and column names.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace penstock {

/// The table of edits grows with the product of two lengths, and a damaged header holds names of megabytes. 256 bytes
/// are more than anybody types; comparing two such names takes some 0.1 ms.
inline constexpr std::size_t compared_bytes_max = 256;

/// The known name that `typed` most likely meant, or nothing if none is near. The case of ASCII letters does
/// not count; a name that differs in nothing else wins. Otherwise the fewest edits win (insert, delete or
/// replace a byte, swap two neighbours; no byte is edited twice: "optimal string alignment"), the first of
/// equals. At most a third of the typed bytes may be edited, but one always and never more than three, and
/// something must stay. Words longer than compared_bytes_max, typed or known, are near nothing.
[[nodiscard]] std::optional<std::string> nearest(std::string_view typed, std::span<std::string const> known);

}  // namespace penstock
