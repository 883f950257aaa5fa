/// The automaton of CSV. Grammar, table and worked bytes: formats/csv/README.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/csv/options.hpp"

namespace penstock::csv {

enum class Class : std::uint8_t { other, delimiter, line_end, quote, escape, comment, blank };
inline constexpr std::size_t class_count = 7;

enum class State : std::uint8_t {
  record_start,
  field_start,
  unquoted,
  quoted,
  quote_in_quoted,
  closed,
  escaped,
  escaped_quoted,
  comment,
};
inline constexpr std::size_t state_count = 9;

PENSTOCK_HD constexpr bool is_line_end(char byte) { return byte == '\n' || byte == '\r'; }
PENSTOCK_HD constexpr bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

/// What one byte does: the state after it, and whether it ends a field (and with it a record, if it is a
/// line end) or is a stray quote's place.
struct Step {
  State next;
  bool ends_field = false;
  bool is_stray = false;
};

namespace detail {
using enum State;
inline constexpr Step rs{record_start, true}, fs{field_start, true}, fb{field_start}, un{unquoted},
    us{unquoted, false, true}, qu{quoted}, qq{quote_in_quoted}, cl{closed}, es{escaped}, ss{escaped, false, true},
    eq{escaped_quoted}, co{comment};

// clang-format off
inline constexpr Step transitions[state_count][class_count] = {
    //                    other  delim  line   quote  escape comment blank
    /* record_start    */ {un,   fs,    rs,    qu,    es,    co,    fb},
    /* field_start     */ {un,   fs,    rs,    qu,    es,    un,    fb},
    /* unquoted        */ {un,   fs,    rs,    us,    es,    un,    un},
    /* quoted          */ {qu,   qu,    qu,    qq,    eq,    qu,    qu},
    /* quote_in_quoted */ {us,   fs,    rs,    qu,    ss,    us,    cl},
    /* closed          */ {us,   fs,    rs,    us,    ss,    us,    cl},
    /* escaped         */ {un,   un,    rs,    un,    un,    un,    un},
    /* escaped_quoted  */ {qu,   qu,    qu,    qu,    qu,    qu,    qu},
    /* comment         */ {co,   co,    rs,    co,    co,    co,    co},
};
// clang-format on

#if defined(__CUDACC__)
struct Transitions {
  Step at[state_count][class_count];
};
constexpr Transitions copy_of_transitions() {
  Transitions copy;
  for (std::size_t s = 0; s < state_count; ++s)
    for (std::size_t c = 0; c < class_count; ++c) copy.at[s][c] = transitions[s][c];
  return copy;
}
// The device cannot see the host's table: a copy in its own memory, one a translation unit.
static __device__ Transitions const device_transitions = copy_of_transitions();
#endif
}  // namespace detail

PENSTOCK_HD constexpr Step step(State state, Class byte_class) {
#if defined(__CUDA_ARCH__)
  return detail::device_transitions.at[static_cast<std::size_t>(state)][static_cast<std::size_t>(byte_class)];
#else
  return detail::transitions[static_cast<std::size_t>(state)][static_cast<std::size_t>(byte_class)];
#endif
}

/// The class of every byte value under a dialect.
class ByteClasses {
 public:
  constexpr explicit ByteClasses(Dialect const& dialect) {
    if (dialect.trim) set(' ', Class::blank), set('\t', Class::blank);
    if (dialect.comment != 0) set(dialect.comment, Class::comment);
    if (dialect.escape != 0) set(dialect.escape, Class::escape);
    if (dialect.quote != 0) set(dialect.quote, Class::quote);
    set(dialect.delimiter, Class::delimiter);
    set('\n', Class::line_end);
    set('\r', Class::line_end);
  }
  PENSTOCK_HD constexpr Class operator[](char byte) const { return classes_[static_cast<unsigned char>(byte)]; }

 private:
  constexpr void set(char byte, Class c) { classes_[static_cast<unsigned char>(byte)] = c; }

  Class classes_[256] = {};
};

}  // namespace penstock::csv
