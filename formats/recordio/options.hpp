/// What can be said about a RecordIO-protobuf input. The rules behind the options: formats/recordio/README.md.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "formats/core/format.hpp"
#include "formats/recordio/schema.hpp"

namespace penstock::recordio {

/// Whether the last frame of an input may end without its padding.
enum class Padding : std::uint8_t { strict, lenient };
/// How the parts of a split record become one payload: end to end, or with the magic between them.
enum class Join : std::uint8_t { automatic, end_to_end, with_magic };
/// What becomes of keys that stand twice in a sparse tensor. A sum is taken in the order of the record.
enum class Duplicates : std::uint8_t { fault, last, sum };

struct Options {
  Padding padding = Padding::strict;
  Join join = Join::automatic;
  Duplicates duplicates = Duplicates::fault;
  std::uint64_t num_features = 0;  ///< 0: the records say it
  std::string features_key{values_key};
  std::string label_key{values_key};
  bool has_label_lists = false;  ///< the number of labels varies from record to record
};

namespace detail {

/// Sets `into` to the value whose name is `text`; false if it is none of them.
template <class T, std::size_t n>
bool set_named(T& into, std::string_view text, std::string_view const (&names)[n]) {
  for (std::size_t i = 0; i < n; ++i) {
    if (text != names[i]) continue;
    into = static_cast<T>(i);
    return true;
  }
  return false;
}

inline bool set_padding(Options& options, std::string_view value) {
  return set_named(options.padding, value, {"strict", "lenient"});
}
inline bool set_join(Options& options, std::string_view value) {
  return set_named(options.join, value, {"auto", "concat", "magic"});
}
inline bool set_duplicates(Options& options, std::string_view value) {
  return set_named(options.duplicates, value, {"error", "last", "sum"});
}
inline bool set_num_features(Options& options, std::string_view value) {
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  bool const is_number = error == std::errc{} && end == value.data() + value.size();
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!is_number || number == 0 || number > most) return false;
  options.num_features = number;
  return true;
}
inline bool set_features_key(Options& options, std::string_view value) {
  options.features_key = value;
  return true;
}
inline bool set_label_key(Options& options, std::string_view value) {
  options.label_key = value;
  return true;
}
inline bool set_multilabel(Options& options, std::string_view value) {
  options.has_label_lists = value == "true";
  return options.has_label_lists;
}

}  // namespace detail

inline constexpr FormatOption<Options> read_options[] = {
    {"num-features", "N", "the number of features of sparse records (default: the shape in the records)",
     detail::set_num_features},
    {"multilabel", "", "the number of labels varies from record to record", detail::set_multilabel},
    {"duplicates", "error|last|sum",
     "a key that stands twice in a record: a fault (default), its last value, or the sum", detail::set_duplicates},
    {"padding", "strict|lenient", "a last frame without its padding: a fault (default), or taken", detail::set_padding},
    {"join", "auto|concat|magic",
     "parts of split records: end to end (concat), with the magic number between them (magic), or what fits (default)",
     detail::set_join},
    {"features-key", "KEY", "the entry that holds the features (default values)", detail::set_features_key},
    {"label-key", "KEY", "the entry that holds the label (default values)", detail::set_label_key},
};

}  // namespace penstock::recordio
