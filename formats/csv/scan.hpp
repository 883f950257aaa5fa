/// Where fields and records end, 64 bytes at a time.
#pragma once

#include <bit>
#include <cstdint>

#include "formats/core/block.hpp"
#include "formats/csv/grammar.hpp"

namespace penstock::csv {

/// What a scanner found in a block: bit i for byte i.
struct BlockEnds {
  std::uint64_t fields = 0;     ///< ends of fields; those that are line ends end a record too
  std::uint64_t records = 0;    ///< ends of records
  std::uint64_t strays = 0;     ///< places of stray quotes
  std::uint64_t line_ends = 0;  ///< physical line ends: CR, and LF unless it is the second half of CR LF
};

/// Runs the automaton over consecutive blocks. Inside a block, quote parity is a shortcut with a proof:
/// opening quotes follow a separator, a line end or a closing quote, and closing quotes precede one. A block
/// that breaks this (or holds an escape, or a comment at a line's start) goes byte by byte.
template <class Isa>
class BlockScanner {
 public:
  explicit BlockScanner(Dialect const& dialect)
      : classes_(dialect),
        delimiter_(dialect.delimiter),
        quote_(dialect.quote),
        escape_(dialect.escape),
        comment_(dialect.comment),
        trim_(dialect.trim) {}

  [[nodiscard]] State state() const { return state_; }
  /// Goes on in `state`; `follows_cr`: the byte before the next block is a CR.
  void restart(State state, bool follows_cr) {
    state_ = state;
    follows_cr_ = follows_cr;
  }

  /// Scans `size` (1 to 64) bytes; 64 bytes must be readable.
  [[gnu::always_inline]] BlockEnds next(char const* block, unsigned size) {
    std::uint64_t const valid = size >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
    std::uint64_t const lf = block_equal(Isa{}, block, '\n') & valid;
    std::uint64_t const cr = block_equal(Isa{}, block, '\r') & valid;
    std::uint64_t const quotes = block_equal(Isa{}, block, quote_) & valid;
    std::uint64_t const separators = (block_equal(Isa{}, block, delimiter_) & valid) | lf | cr;
    std::uint64_t special = block_equal(Isa{}, block, escape_) & valid;
    std::uint64_t const starts = (lf | cr) << 1 | (state_ == State::record_start);
    special |= block_equal(Isa{}, block, comment_) & valid & starts;

    BlockEnds found;
    found.line_ends = cr | (lf & ~(cr << 1 | std::uint64_t{follows_cr_}));
    follows_cr_ = (cr >> (size - 1)) != 0;
    if (special == 0 && quotes == 0 && state_ <= State::unquoted) [[likely]] {
      found.fields = separators;
      found.records = lf | cr;
      state_ = state_behind(block, size, found);
    } else if (special != 0 || state_ > State::quote_in_quoted ||
               !by_parity(block, size, valid, quotes, separators, lf | cr, found)) {
      by_automaton(block, size, found);
    }
    return found;
  }

 private:
  /// False if the proof fails; then nothing has changed.
  bool by_parity(char const* block, unsigned size, std::uint64_t valid, std::uint64_t quotes, std::uint64_t separators,
                 std::uint64_t line_ends, BlockEnds& found) {
    std::uint64_t const entry = state_ == State::quoted ? ~std::uint64_t{0} : 0;
    std::uint64_t const inside = quotes == 0 ? entry : prefix_xor(quotes) ^ entry;
    std::uint64_t const ends = separators & ~inside;
    std::uint64_t const closing = quotes & ~inside, opening = quotes & inside;
    std::uint64_t const after_close = closing << 1 | (state_ == State::quote_in_quoted);
    std::uint64_t const at_start = ends << 1 | (state_ <= State::field_start);
    std::uint64_t const broken = (opening & ~(at_start | after_close)) | (after_close & valid & ~(ends | opening));
    if (broken != 0) [[unlikely]]
      return false;
    found.fields = ends;
    found.records = ends & line_ends;
    std::uint64_t const last = std::uint64_t{1} << (size - 1);
    state_ = (inside & last) != 0    ? State::quoted
             : (closing & last) != 0 ? State::quote_in_quoted
                                     : state_behind(block, size, found);
    return true;
  }

  /// The state behind a last byte outside quotes that is no quote.
  State state_behind(char const* block, unsigned size, BlockEnds const& found) const {
    std::uint64_t const last = std::uint64_t{1} << (size - 1);
    if ((found.records & last) != 0) return State::record_start;
    if ((found.fields & last) != 0) return State::field_start;
    return trim_ ? state_after_blanks(block, size, found.fields) : State::unquoted;
  }

  /// With trimming, blanks at a field's start leave the automaton there.
  State state_after_blanks(char const* block, unsigned size, std::uint64_t ends) const {
    while (size > 0 && is_blank(block[size - 1]) && (ends >> (size - 1) & 1) == 0) --size;
    if (size == 0) return state_ == State::record_start ? State::field_start : state_;
    return (ends >> (size - 1) & 1) != 0 ? State::field_start : State::unquoted;
  }

  [[gnu::noinline]] void by_automaton(char const* block, unsigned size, BlockEnds& found) {
    for (unsigned i = 0; i < size; ++i) {
      Class const byte_class = classes_[block[i]];
      Step const s = step(state_, byte_class);
      std::uint64_t const bit = std::uint64_t{1} << i;
      if (s.ends_field) found.fields |= bit;
      if (s.ends_field && byte_class == Class::line_end) found.records |= bit;
      if (s.is_stray) found.strays |= bit;
      state_ = s.next;
    }
  }

  ByteClasses classes_;
  char delimiter_;
  BlockNeedle quote_;
  BlockNeedle escape_;
  BlockNeedle comment_;
  bool trim_;
  State state_ = State::record_start;
  bool follows_cr_ = false;
};

}  // namespace penstock::csv
