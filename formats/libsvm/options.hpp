/// What can be said about a libsvm text, and how it is said on the command line. The rules: formats/libsvm/README.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/core/format.hpp"
#include "penstock/dtype.hpp"

namespace penstock::libsvm {

/// The index of a row's first column. `automatic`: 1 if index 0 occurs nowhere in the input, else 0.
enum class IndexBase : std::uint8_t { zero, one, automatic };
/// What becomes of an index that stands twice in a record.
enum class Duplicates : std::uint8_t { fault, last, sum };
/// Numbers beyond the range of a floating-point value. (Labels and weights are always finite.)
enum class Overflow : std::uint8_t { fault, infinity };

struct Options {
  IndexBase index_base = IndexBase::automatic;
  std::uint64_t num_features = 0;  ///< 0: not given
  Duplicates duplicates = Duplicates::fault;
  bool multilabel = false;
  bool checks_qid_order = true;  ///< query ids must not descend from one record to the next
  bool dmlc = false;             ///< bare indices, and blanks around colons
  bool libfm = false;            ///< `field:index:value`
  bool drops_libfm_fields = false;
  DType dtype = DType::float32;
  Overflow overflow = Overflow::fault;
};

struct WriteOptions {
  int index_base = 1;  ///< 0 or 1
};

namespace detail {

/// One of `words` as the value at its place.
template <class T, std::size_t n>
bool choose(T& into, std::string_view word, std::string_view const (&words)[n], T const (&values)[n]) {
  for (std::size_t i = 0; i < n; ++i) {
    if (word != words[i]) continue;
    into = values[i];
    return true;
  }
  return false;
}

/// Decimal digits, 1 to 2^63 - 1.
inline bool read_count(std::uint64_t& into, std::string_view text) {
  constexpr std::uint64_t count_max = ~std::uint64_t{0} >> 1;
  std::uint64_t count = 0;
  for (char const c : text) {
    if (c < '0' || c > '9') return false;
    auto const digit = static_cast<std::uint64_t>(c - '0');
    if (count > (count_max - digit) / 10) return false;
    count = count * 10 + digit;
  }
  if (count == 0) return false;
  into = count;
  return true;
}

inline bool set_flag(bool& into, std::string_view value) {
  into = value == "true";
  return into;
}

}  // namespace detail

inline constexpr FormatOption<Options> option_list[] = {
    {"index-base", "auto|0|1", "what the first column's index is; auto: 1 if no index of the input is 0",
     [](Options& o, std::string_view v) {
       return detail::choose(o.index_base, v, {"auto", "0", "1"},
                             {IndexBase::automatic, IndexBase::zero, IndexBase::one});
     }},
    {"num-features", "N", "columns of the features; an index beyond is a fault",
     [](Options& o, std::string_view v) { return detail::read_count(o.num_features, v); }},
    {"duplicates", "error|last|sum", "an index that stands twice in a record",
     [](Options& o, std::string_view v) {
       return detail::choose(o.duplicates, v, {"error", "last", "sum"},
                             {Duplicates::fault, Duplicates::last, Duplicates::sum});
     }},
    {"qid-order", "ascending|any", "whether a query id below the one of the record before is a fault (default: it is)",
     [](Options& o, std::string_view v) {
       return detail::choose(o.checks_qid_order, v, {"ascending", "any"}, {true, false});
     }},
    {"multilabel", "", "a record begins with a list of labels: 1,5,9",
     [](Options& o, std::string_view v) { return detail::set_flag(o.multilabel, v); }},
    {"compat", "none|dmlc", "dmlc: an index alone means the value 1, and blanks may stand around a colon",
     [](Options& o, std::string_view v) {
       return detail::choose(o.dmlc, v, {"none", "dmlc"}, {false, true});
     }},
    {"libfm", "", "pairs are libfm triples, field:index:value; say too what becomes of the fields",
     [](Options& o, std::string_view v) { return detail::set_flag(o.libfm, v); }},
    {"libfm-fields", "drop", "the fields of libfm triples are checked and dropped",
     [](Options& o, std::string_view v) { return detail::choose(o.drops_libfm_fields, v, {"drop"}, {true}); }},
    {"dtype", "float32|float64|int32|int64", "the type of the values",
     [](Options& o, std::string_view v) {
       return detail::choose(o.dtype, v, {"float32", "float64", "int32", "int64"},
                             {DType::float32, DType::float64, DType::int32, DType::int64});
     }},
    {"overflow", "error|inf", "values beyond the range of their type",
     [](Options& o, std::string_view v) {
       return detail::choose(o.overflow, v, {"error", "inf"}, {Overflow::fault, Overflow::infinity});
     }},
};

inline constexpr FormatOption<WriteOptions> write_option_list[] = {
    {"output-index-base", "1|0", "the index written for the first column",
     [](WriteOptions& o, std::string_view v) {
       return detail::choose(o.index_base, v, {"1", "0"}, {1, 0});
     }},
};

}  // namespace penstock::libsvm
