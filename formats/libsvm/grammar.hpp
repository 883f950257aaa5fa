/// The parts of a libsvm line, and what they mean. The grammar with a worked example: formats/libsvm/README.md.
///
/// Everything here is a function of bytes that stand in a line: the line's end, which is always there, stops every
/// walk.
#pragma once

#include <cstdint>
#include <type_traits>

#include "formats/core/line_ends.hpp"
#include "formats/core/number.hpp"
#include "formats/core/platform.hpp"
#include "formats/libsvm/options.hpp"
#include "penstock/fault.hpp"

namespace penstock::libsvm {

/// The largest index that may be written, so that a number of columns still fits 64 signed bits.
inline constexpr std::uint64_t index_max = (~std::uint64_t{0} >> 1) - 1;

PENSTOCK_HD constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
/// Behind the last byte of everything that a line says.
PENSTOCK_HD constexpr bool ends_content(char c) { return ends_line(c) || c == '#'; }
PENSTOCK_HD constexpr bool ends_word(char c) { return is_blank(c) || ends_content(c); }

/// A stretch of bytes; `begin` is null if it is not there.
struct Bytes {
  char const* begin = nullptr;
  char const* end = nullptr;
  PENSTOCK_HD constexpr bool is_there() const { return begin != nullptr; }
  PENSTOCK_HD constexpr std::uint32_t size() const { return static_cast<std::uint32_t>(end - begin); }
};

PENSTOCK_HD constexpr char const* skip_blanks(char const* at) {
  while (is_blank(*at)) ++at;
  return at;
}
PENSTOCK_HD constexpr char const* word_end(char const* at) {
  while (!ends_word(*at)) ++at;
  return at;
}
/// The first `byte` of [at, end), or `end`.
PENSTOCK_HD constexpr char const* find(char const* at, char const* end, char byte) {
  while (at != end && *at != byte) ++at;
  return at;
}
PENSTOCK_HD constexpr bool begins_with_qid(char const* at) {
  return at[0] == 'q' && at[1] == 'i' && at[2] == 'd' && at[3] == ':';
}

// --- the head: label[:weight] [qid:N] ------------------------------------------------------------------------------

/// A record's head as bytes, whatever they are worth.
struct Head {
  Bytes word;    ///< label and weight
  Bytes label;   ///< or labels
  Bytes weight;  ///< behind the first colon
  Bytes qid;     ///< behind `qid:`
  char const* end = nullptr;
};

/// `at`: the record's first byte that is no blank.
PENSTOCK_HD constexpr Head read_head(char const* at) {
  Head head;
  head.word = {at, word_end(at)};
  char const* const colon = find(at, head.word.end, ':');
  head.label = {at, colon};
  if (colon != head.word.end) head.weight = {colon + 1, head.word.end};
  head.end = head.word.end;
  char const* const next = skip_blanks(head.end);
  if (next != head.end && begins_with_qid(next)) {
    head.end = word_end(next);
    head.qid = {next + 4, head.end};
  }
  return head;
}

/// Whether the line begins with a query id or a colon.
PENSTOCK_HD constexpr bool lacks_label(Head const& head) {
  return head.label.size() == 0 || begins_with_qid(head.word.begin);
}

PENSTOCK_HD constexpr std::uint32_t count_labels(Bytes labels) {
  std::uint32_t count = 1;
  for (char const* p = labels.begin; p != labels.end; ++p) count += *p == ',' ? 1 : 0;
  return count;
}

// --- items: index:value --------------------------------------------------------------------------------------------

/// How items are written.
struct Syntax {
  bool is_dmlc = false;
  bool is_libfm = false;
};

/// One item as bytes, whatever they are worth.
struct Item {
  Bytes all;
  Bytes field;  ///< of libfm
  Bytes index;
  Bytes value;
};

PENSTOCK_HD constexpr Item read_plain_item(char const* at, bool is_libfm) {
  Item item;
  item.all = {at, word_end(at)};
  char const* const end = item.all.end;
  char const* colon = find(at, end, ':');
  if (is_libfm && colon != end) {
    item.field = {at, colon};
    at = colon + 1;
    colon = find(at, end, ':');
  }
  item.index = {at, colon};
  if (colon != end) item.value = {colon + 1, end};
  return item;
}

/// Blanks around the colon belong to the item; blanks without a colon behind them do not.
PENSTOCK_HD constexpr Item read_dmlc_item(char const* at) {
  Item item;
  char const* end = at;
  while (!ends_word(*end) && *end != ':') ++end;
  item.index = item.all = {at, end};
  char const* const colon = skip_blanks(end);
  if (*colon != ':') return item;
  char const* const value = skip_blanks(colon + 1);
  item.all.end = word_end(value);
  item.value = {value, item.all.end};
  return item;
}

/// The item that begins at `at`, which is no blank and no content's end. Its last byte is followed by a blank or the
/// content's end.
PENSTOCK_HD constexpr Item read_item(char const* at, Syntax syntax) {
  return syntax.is_dmlc && !syntax.is_libfm ? read_dmlc_item(at) : read_plain_item(at, syntax.is_libfm);
}

// --- meaning -------------------------------------------------------------------------------------------------------

/// What bytes mean, or why they mean nothing.
template <class T>
struct Meaning {
  T value{};
  bool is_fault = false;
  FaultCode code = FaultCode::not_a_number;
  Bytes cell;  ///< that is at fault
  bool is_missing = false;
  bool is_inexact_integer = false;
};
template <class T>
PENSTOCK_HD constexpr Meaning<T> fault_at(FaultCode code, Bytes cell) {
  Meaning<T> meaning;
  meaning.is_fault = true;
  meaning.code = code;
  meaning.cell = cell;
  return meaning;
}

/// A value: any number, and NaN and infinity as spelled where the type has them.
template <class T>
PENSTOCK_HD Meaning<T> read_value(Bytes text, Overflow overflow) {
  auto const parsed = number::parse<T>(text.begin, text.end);
  Meaning<T> meaning;
  meaning.value = parsed.value;
  meaning.is_inexact_integer = parsed.status == number::Status::ok && parsed.is_inexact_integer;
  meaning.is_missing = parsed.status == number::Status::nan;
  switch (parsed.status) {
    case number::Status::ok: return meaning;
    case number::Status::malformed: return fault_at<T>(FaultCode::not_a_number, text);
    case number::Status::not_an_integer: return fault_at<T>(FaultCode::not_an_integer, text);
    case number::Status::out_of_range:
      if (std::is_floating_point_v<T> && overflow == Overflow::infinity) return meaning;
      return fault_at<T>(FaultCode::out_of_range, text);
    case number::Status::nan:
    case number::Status::infinite: break;
  }
  return std::is_floating_point_v<T> ? meaning : fault_at<T>(FaultCode::non_finite, text);
}

/// A label or a weight: a finite number.
PENSTOCK_HD inline Meaning<float> read_finite(Bytes text) {
  auto const parsed = number::parse<float>(text.begin, text.end);
  if (parsed.status == number::Status::nan || parsed.status == number::Status::infinite)
    return fault_at<float>(FaultCode::non_finite, text);
  return read_value<float>(text, Overflow::fault);
}

/// A query id: an integer from 0 on.
PENSTOCK_HD inline Meaning<std::int64_t> read_qid(Bytes text) {
  Meaning<std::int64_t> const qid = read_value<std::int64_t>(text, Overflow::fault);
  return !qid.is_fault && qid.value < 0 ? fault_at<std::int64_t>(FaultCode::out_of_range, text) : qid;
}

/// Decimal digits and nothing else, up to index_max.
PENSTOCK_HD inline Meaning<std::uint64_t> read_index(Bytes text) {
  std::uint64_t index = 0;
  bool is_index = text.begin != text.end;
  for (char const* p = text.begin; p != text.end && is_index; ++p) {
    auto const digit = static_cast<std::uint64_t>(static_cast<unsigned char>(*p - '0'));
    is_index = digit < 10 && index <= (index_max - digit) / 10;
    index = index * 10 + digit;
  }
  if (!is_index) return fault_at<std::uint64_t>(FaultCode::bad_index, text);
  Meaning<std::uint64_t> meaning;
  meaning.value = index;
  return meaning;
}

/// An index of at most eight digits, found by `end - 8`, where eight bytes must be readable; no branch on their number.
/// More, none, or other bytes: ~0. The right-aligned bytes before `begin` are shifted out:
///
///     text   . . 1 : 1 2 3 : 0 . 5        loaded  _ . . 1 : 1 2 3        shifted  0 0 0 0 0 1 2 3
PENSTOCK_HD_HOT std::uint64_t short_index(char const* end, std::uint32_t length) {
  if (length - 1 >= 8) return ~std::uint64_t{0};
  std::uint32_t const outside = 64 - 8 * length;
  std::uint64_t const values = number::digit_values(load_8_bytes(end - 8)) >> outside << outside;
  return number::non_digits(values) == 0 ? number::join_8_digits(values) : ~std::uint64_t{0};
}

/// What decides the meaning of items.
struct ItemRules {
  Syntax syntax;
  Overflow overflow = Overflow::fault;
  std::uint64_t base = 0;
  std::uint64_t columns = index_max;  ///< that were given: a 0-based index is below (and 1-based still an index)
};

/// The 0-based index of an item.
PENSTOCK_HD inline Meaning<std::uint64_t> item_index(Item const& item, ItemRules const& rules) {
  if (item.field.is_there()) {
    Meaning<std::uint64_t> const field = read_index(item.field);
    if (field.is_fault) return field;
  }
  Meaning<std::uint64_t> index = read_index(item.index);
  if (index.is_fault) return index;
  if (index.value < rules.base) return fault_at<std::uint64_t>(FaultCode::index_below_base, item.index);
  index.value -= rules.base;
  if (index.value >= rules.columns) return fault_at<std::uint64_t>(FaultCode::index_out_of_range, item.index);
  return index;
}

/// The value of an item. Without a colon it is 1, where that is allowed.
template <class T>
PENSTOCK_HD Meaning<T> item_value(Item const& item, ItemRules const& rules) {
  bool const is_whole = item.value.is_there() || (rules.syntax.is_dmlc && !rules.syntax.is_libfm);
  if (!is_whole) return fault_at<T>(FaultCode::missing_separator, item.all);
  if (item.value.is_there()) return read_value<T>(item.value, rules.overflow);
  Meaning<T> one;
  one.value = T{1};
  return one;
}

}  // namespace penstock::libsvm
