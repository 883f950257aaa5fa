/// Lists of numbers on the CPU, 64 bytes of text at a time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "formats/core/block.hpp"
#include "formats/core/line_ends.hpp"
#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/number.hpp"
#include "formats/json/number_list.hpp"
#include "formats/json/plain_check.hpp"

namespace penstock::json {

/// Numbers between commas, with at most one blank in front, null and "NaN". Decides nothing: what it leaves, and why,
/// is for read_number().
template <class Isa>
class PlainNumbers {
 public:
  /// Text ends at `end`, where lines do; up to 63 bytes more are read.
  void begin(char const* end) {
    text_end_ = end;
    next_ = count_ = next_odd_ = 0;
    base_ = listed_end_ = nullptr;
  }

  /// From an element's first byte on, or a blank before it; at most `room` elements.
  Taken take(char const* at, float* out, std::size_t room, NumberRules const& rules) {
    float* const first = out;
    float* const full = out + room;
    std::size_t missing = 0;
    auto const taken = [&](bool is_end) { return Taken{at, static_cast<std::size_t>(out - first), missing, is_end}; };
    find(at);
    for (;;) {
      if (next_ == count_) return taken(false);
      for (;;) {
        if constexpr (has_plain_json_run<Isa>) at = take_run(at, out, full);
        if (next_ == count_) break;
        // The next is odd, or one of the next four is not decided, or there is little room.
        std::size_t left = count_ - next_;
        if constexpr (has_plain_json_run<Isa>) left = std::clamp<std::size_t>(odds_[next_odd_] - next_, 1, 4);
        for (; left != 0; --left) {
          if (out == full || !take_one(at, *out, missing, rules)) return taken(false);
          ++out;
        }
      }
      if (at[-1] == ']') return taken(true);
      list_separators(at);
    }
  }

  /// The same for a caller who has no room and wants to know how many there are.
  Taken pass(char const* at, NumberRules const& rules) { return take(at, unwanted_, unwanted_max, rules); }

  /// Whether [begin, end) is a number as JSON has them, and plain; only that no point stands before an exponent is left
  /// to the caller to know. fast_float32 takes some that are none: +1, .5, 1., 01, 1.e5.
  [[gnu::always_inline]] static bool is_decimal(char const* begin, char const* end, float& value) {
    if (end == begin) return false;
    char const* const first = begin + (*begin == '-' ? 1 : 0);
    bool const has_zero_in_front = *first == '0' && is_digit(first[1]);
    bool const is_strict = is_digit(*first) && is_digit(end[-1]) && !has_zero_in_front;
    return is_strict && fast_float32(Isa{}, begin, static_cast<std::uint32_t>(end - begin), value);
  }

 private:
  static constexpr std::size_t piece_bytes = 1024;
  static constexpr std::size_t unwanted_max = 256;

  /// Makes the first separator from `at` on the next of the list.
  void find(char const* at) {
    bool const is_listed = at >= base_ && at < listed_end_ && (next_ == 0 || at > base_ + positions_[next_ - 1]);
    if (!is_listed) return list_separators(at);  // a record may be read a second time
    while (next_ < count_ && base_ + positions_[next_] < at) ++next_;
    while (odds_[next_odd_] < next_) ++next_odd_;
    if (next_ == count_) list_separators(at);
  }

  /// Plain numbers up to the next odd one, as far as they are decided; up to three values behind them are written, for
  /// which there has to be room. Returns the begin of the next.
  [[gnu::noinline]] char const* take_run(char const* at, float*& out, float* full) {
    std::size_t const run = odds_[next_odd_] - next_;
    auto const room = static_cast<std::size_t>(full - out);
    std::size_t const wanted = std::min(run, room - std::min<std::size_t>(room, 3));
    if (wanted == 0) return at;
    std::size_t const taken =
        plain_json_run(Isa{}, base_, static_cast<std::size_t>(at - base_), positions_ + next_, wanted, out);
    out += taken;
    next_ += taken;
    return taken == 0 ? at : base_ + positions_[next_ - 1] + 1;
  }

  bool take_one(char const*& at, float& value, std::size_t& missing, NumberRules const& rules) {
    char const* const end = base_ + positions_[next_];
    char const* const begin = at + (*at == ' ' ? 1 : 0);
    bool const is_plain = plain_json_float32(Isa{}, begin, end, value) ||
                          (is_decimal(begin, end, value) && (!has_exponents_ || has_strict_mantissa(begin, end)));
    if (!is_plain) [[unlikely]] {
      if (!rules.takes_missing || !spells_missing(begin, end)) return false;
      value = missing_value<float>();
      ++missing;
    }
    at = end + 1;
    if constexpr (has_plain_json_run<Isa>) next_odd_ += odds_[next_odd_] == next_ ? 1 : 0;
    ++next_;
    return true;
  }

  /// Lists where commas stand in the piece of text at `base`, up to the first closing bracket, which is the last; and
  /// which of them end what is no plain number.
  [[gnu::noinline]] void list_separators(char const* base) {
    std::uint16_t* out = positions_;
    std::uint16_t* odd_out = odds_;
    std::uint64_t exponents = 0;
    std::uint64_t goes_on = 0;  // all ones if an element is longer than a block
    auto size = std::min<std::size_t>(static_cast<std::size_t>(text_end_ - base), piece_bytes);
    for (std::size_t at = 0; at < size;) {
      char const* const block = base + at;
      std::uint64_t const closing = block_equal(Isa{}, block, ']');
      if (closing != 0) size = std::min(size, at + static_cast<unsigned>(std::countr_zero(closing)) + 1);
      std::uint64_t separators = block_equal(Isa{}, block, ',') | closing;
      if (size - at < block_bytes) separators &= first_bits(size - at);
      std::uint64_t odd = 0;
      if constexpr (has_plain_json_run<Isa>) {
        NumberBytes const bytes = {block_digits(Isa{}, block), block_equal(Isa{}, block, '0'),
                                   block_equal(Isa{}, block, '.'), block_equal(Isa{}, block, '-'),
                                   block_equal(Isa{}, block, ' ')};
        odd = odd_numbers(bytes, separators) | (separators & (0 - separators) & goes_on);
      } else {
        exponents |= (block_equal(Isa{}, block, 'e') | block_equal(Isa{}, block, 'E')) & first_bits(size - at);
      }
      goes_on = 0;
      if (separators == 0) [[unlikely]] {
        goes_on = ~std::uint64_t{0};
        at += block_bytes;
        continue;
      }
      for (; odd != 0; odd &= odd - 1) {
        std::uint64_t const before = separators & (odd ^ (odd - 1)) >> 1;
        *odd_out++ = static_cast<std::uint16_t>(out - positions_ + std::popcount(before));
      }
      out = append(out, at, separators);
      at += block_bytes - static_cast<unsigned>(std::countl_zero(separators));  // the next element's begin
    }
    base_ = base;
    listed_end_ = base + size;
    next_ = next_odd_ = 0;
    count_ = static_cast<std::size_t>(out - positions_);
    *odd_out = static_cast<std::uint16_t>(count_);
    has_exponents_ = has_plain_json_run<Isa> ? odd_out != odds_ : exponents != 0;
    if (count_ == 0) return;
    for (int i = 0; i < 3; ++i, ++out) *out = static_cast<std::uint16_t>(out[-1] + 1);  // plain_json_run() reads them
  }

  /// Positions are written several at a time without asking; what is too much is written over. (A block of numbers of
  /// seven bytes and more has at most eight or nine.)
  [[gnu::always_inline]] static std::uint16_t* append(std::uint16_t* out, std::size_t at, std::uint64_t mask) {
    std::uint16_t* const last = out + std::popcount(mask);
    auto const write = [&](unsigned positions) {
      for (unsigned i = 0; i < positions; ++i) {
        *out++ = static_cast<std::uint16_t>(at + static_cast<unsigned>(std::countr_zero(mask)));
        mask &= mask - 1;
      }
    };
    write(8);
    while (out < last) write(4);
    return last;
  }

  /// Of a number that is otherwise valid: that no point stands before the exponent.
  static bool has_strict_mantissa(char const* begin, char const* end) {
    char const* at = end - 1;
    while (at > begin && is_digit(*at)) --at;
    if (at > begin && (*at == '+' || *at == '-')) --at;
    return (*at | 0x20) != 'e' || is_digit(at[-1]);
  }

  static bool spells_missing(char const* begin, char const* end) {
    constexpr std::uint32_t null_word = 0x6c6c756e;        // null
    constexpr std::uint32_t quoted_nan_word = 0x6e616e22;  // "nan
    std::uint32_t const word = load_4_bytes(begin);
    if (end - begin == 4) return word == null_word;
    return end - begin == 5 && (word | 0x20202000u) == quoted_nan_word && begin[4] == '"';
  }

  char const* text_end_ = nullptr;
  char const* base_ = nullptr;        ///< of the listed piece of text
  char const* listed_end_ = nullptr;  ///< all separators before it are in the list
  std::size_t next_ = 0;
  std::size_t count_ = 0;
  std::size_t next_odd_ = 0;    ///< of `odds_`, the first that is not before `next_`
  bool has_exponents_ = false;  ///< some e or E may stand in the piece
  std::uint16_t positions_[piece_bytes + block_bytes + 8];
  /// Which of the positions do not end a plain number, where that is known; then `count_`.
  std::uint16_t odds_[piece_bytes + 1] = {};
  float unwanted_[unwanted_max];
};

}  // namespace penstock::json
