/// From the words of options to what the runtime takes. Everything here throws ConfigurationError that names the
/// option.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/reshape.hpp"
#include "host/app/options.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock::app {

/// `--NAME "VALUE": WHAT`
[[noreturn]] void throw_bad_value(std::string_view name, std::string_view value, std::string const& what,
                                  std::string const& hint = {});

/// A whole number in decimal digits.
[[nodiscard]] std::optional<std::uint64_t> count_of(Arguments const& arguments, std::string_view name);
/// A size such as 64MiB.
[[nodiscard]] std::optional<std::uint64_t> size_of(Arguments const& arguments, std::string_view name);

/// The index of the option's value in `words`; nothing if it was not given.
[[nodiscard]] std::optional<std::size_t> word_of(Arguments const& arguments, std::string_view name,
                                                 std::span<std::string_view const> words);

/// One of a few words, each of which stands for a value.
template <class T, std::size_t size>
[[nodiscard]] std::optional<T> choice_of(Arguments const& arguments, std::string_view name,
                                         std::pair<std::string_view, T> const (&choices)[size]) {
  std::vector<std::string_view> words;
  for (auto const& choice : choices) words.push_back(choice.first);
  std::optional<std::size_t> const found = word_of(arguments, name, words);
  return found ? std::optional<T>(choices[*found].second) : std::nullopt;
}

/// The items of one CSV record with commas: `a,"b,c",` has three.
[[nodiscard]] std::vector<std::string> csv_items(std::string_view name, std::string_view list);

/// --absent and --features.
[[nodiscard]] std::optional<Absent> absent_of(Arguments const& arguments);
[[nodiscard]] std::optional<bool> is_sparse_wanted(Arguments const& arguments);
/// What absent features mean where dense features of this type become sparse, or the reverse; it has to be said.
[[nodiscard]] Absent reshape_of(std::optional<Absent> absent, bool becomes_sparse, DType dtype);

[[nodiscard]] CsvOptions csv_options(Arguments const& arguments);
/// Without an encoder.
[[nodiscard]] StreamOptions stream_options(Arguments const& arguments);

}  // namespace penstock::app
