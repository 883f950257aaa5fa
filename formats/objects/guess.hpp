/// Records of one input resemble each other: the keys of the record before are guessed to come again, and plain values
/// are told at a glance. What is guessed is checked; what fails the check is left to the general way, so guesses make
/// things fast and decide nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "formats/core/block.hpp"
#include "formats/core/line_ends.hpp"
#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/plain_numbers.hpp"
#include "formats/objects/no_guess.hpp"
#include "formats/objects/short_number.hpp"

namespace penstock::objects {

/// Where bytes of interest stand in a piece of text, a bit a byte, found 64 bytes at a time ahead of whoever reads.
template <class Isa>
class Glance {
 public:
  /// Nothing is known of any text.
  void begin(char const* text_end) {
    text_end_ = text_end;
    base_ = end_ = nullptr;
  }

  /// Before anything is asked about the 64 bytes from `at` on, and about as many behind each of those.
  [[gnu::always_inline]] void look_at(char const* at) {
    bool const is_known = at >= base_ && at < end_;
    if (!is_known) [[unlikely]]
      fill(at);
  }

  /// Bit i says it of byte at + i. Quotes: all of them. Stops: commas and closing braces. Odd: what a string cannot
  /// hold, or not without a closer look: backslashes, control characters, bytes above 0x7f.
  [[nodiscard]] std::uint64_t quotes(char const* at) const { return window(quotes_, at); }
  [[nodiscard]] std::uint64_t stops(char const* at) const { return window(stops_, at); }
  [[nodiscard]] std::uint64_t odd(char const* at) const { return window(odd_, at); }

 private:
  static constexpr std::size_t blocks = 64;
  /// Of the piece, what is not the begin of what is asked: a key, a value and what is behind.
  static constexpr std::size_t margin_bytes = 2 * block_bytes;

  using Masks = std::array<std::uint64_t, blocks + 2>;

  [[gnu::always_inline]] std::uint64_t window(Masks const& masks, char const* at) const {
    auto const offset = static_cast<std::size_t>(at - base_);
    std::uint64_t const* const word = masks.data() + offset / 64;
    unsigned const shift = offset % 64;
    return word[0] >> shift | word[1] << 1 << (63 - shift);
  }

  /// Text ends with a line end, so that what is accepted never reaches what lies behind it.
  [[gnu::noinline]] void fill(char const* at) {
    base_ = at;
    end_ = at + (blocks * block_bytes - margin_bytes);
    for (std::size_t i = 0; i < blocks; ++i, at += block_bytes) {
      if (at >= text_end_) {
        quotes_[i] = stops_[i] = odd_[i] = 0;
        continue;
      }
      quotes_[i] = block_equal(Isa{}, at, '"');
      stops_[i] = block_equal(Isa{}, at, ',') | block_equal(Isa{}, at, '}');
      odd_[i] = block_equal(Isa{}, at, '\\') | block_beyond_ascii(Isa{}, at);
    }
  }

  char const* text_end_ = nullptr;
  char const* base_ = nullptr;
  char const* end_ = nullptr;
  Masks quotes_ = {};
  Masks stops_ = {};
  Masks odd_ = {};
};

/// See no_guess.hpp for what is asked.
template <class Isa>
class Guess {
 public:
  static constexpr bool keeps_values = true;
  static constexpr bool reads_texts = true;

  void begin_text(char const* text_end) { glance_.begin(text_end); }

  /// A record begins at `at`.
  void begin(char const* /*at*/) { next_ = 0; }

  /// The key at `at`, if it is the one that came here before, or one of the next.
  [[gnu::always_inline]] Guessed key(char const* at) {
    if (next_ < count_ && is_same(keys_[next_], at)) [[likely]]
      return take(next_, at);
    return key_further_on(at);
  }

  /// What stood at `at`, where no guess was right.
  void learn(char const* at, Guessed found) {
    auto const bytes = static_cast<std::size_t>(found.value - at);
    if (bytes > key_bytes_max || next_ == keys_max) return;
    Key& key = keys_[next_];
    key = {};
    std::memcpy(key.text, at, bytes);
    std::memset(key.mask, 0xff, bytes);
    key.bytes = static_cast<std::uint32_t>(bytes);
    key.node = found.node;
    ++next_;
    count_ = std::max(count_, next_);
  }

  /// Behind the value at `at`, if that is a plain one.
  [[gnu::always_inline]] char const* pass(char const* at) {
    glance_.look_at(at);
    if (*at == '"') return pass_string(at);
    if (*at == 't' || *at == 'f' || *at == 'n') return word(at);
    return plain_number_end(at);
  }

  /// Behind true, false or null.
  [[gnu::always_inline]] static char const* word(char const* at) {
    constexpr std::uint32_t true_word = 0x65757274, null_word = 0x6c6c756e, fals_word = 0x736c6166;
    std::uint32_t const text = load_4_bytes(at);
    bool const is_long = text == fals_word && at[4] == 'e';
    char const* const end = at + (is_long ? 5 : 4);
    bool const is_word = is_long || text == true_word || text == null_word;
    return is_word && (*end == ',' || *end == '}') ? end : nullptr;
  }

  [[gnu::always_inline]] char const* number(char const* at, float& value) {
    glance_.look_at(at);
    unsigned const bytes = bytes_to_stop(at);
    if (plain_json_float32(Isa{}, at, at + bytes, value)) [[likely]]
      return at + bytes;
    bool const is_plain = bytes <= shorter_number_max && !has_letter(at, bytes) &&
                          json::PlainNumbers<Isa>::is_decimal(at, at + bytes, value);
    return is_plain ? at + bytes : nullptr;
  }

  [[gnu::always_inline]] char const* number_end(char const* at) {
    glance_.look_at(at);
    return plain_number_end(at);
  }

 private:
  static constexpr std::size_t key_bytes_max = 64;
  static constexpr std::size_t keys_max = 256;
  /// How many keys that came here before may be absent in a row.
  static constexpr std::size_t absent_max = 4;

  /// From a key's opening quote up to its value, as it is written.
  struct Key {
    char text[key_bytes_max];
    char mask[key_bytes_max];  ///< 0xff where the text is
    std::uint32_t bytes;
    std::uint32_t node;
  };

  [[gnu::always_inline]] static bool is_same(Key const& key, char const* at) {
    return is_same_masked(Isa{}, at, key.text, key.mask, key.bytes);
  }

  [[gnu::always_inline]] Guessed take(std::size_t i, char const* at) {
    next_ = i + 1;
    char const* const value = at + keys_[i].bytes;
    return {keys_[i].node, *value > ' ' ? value : json::skip_space(value)};
  }

  [[gnu::noinline]] Guessed key_further_on(char const* at) {
    std::size_t const end = std::min(next_ + absent_max, count_);
    for (std::size_t i = next_ + 1; i < end; ++i) {
      if (is_same(keys_[i], at)) return take(i, at);
    }
    return {};
  }

  [[gnu::always_inline]] char const* pass_string(char const* at) const {
    std::uint64_t const quotes = glance_.quotes(at + 1);
    std::uint64_t const content = (quotes - 1) & ~quotes;
    bool const is_plain = quotes != 0 && (glance_.odd(at + 1) & content) == 0;
    return is_plain ? at + 2 + std::countr_zero(quotes) : pass_odd_string(at);
  }

  /// A string that is long, or whose bytes need a closer look.
  [[gnu::noinline]] static char const* pass_odd_string(char const* at) {
    json::Found const end = json::skip_string(at + 1);
    return end.is_error() ? nullptr : end.at;
  }

  /// Of a value that is no string; more than short_number_max where it is long.
  [[gnu::always_inline]] unsigned bytes_to_stop(char const* at) const {
    return static_cast<unsigned>(std::countr_zero(glance_.stops(at) | std::uint64_t{2} << short_number_max));
  }

  [[gnu::always_inline]] char const* plain_number_end(char const* at) const {
    unsigned const bytes = bytes_to_stop(at);
    bool const is_plain =
        is_plain_json(Isa{}, at, at + bytes) || (bytes <= short_number_max && is_short_number(at, bytes));
    return is_plain ? at + bytes : nullptr;
  }

  Glance<Isa> glance_;
  std::size_t next_ = 0;   ///< of `keys_`, the one that is guessed
  std::size_t count_ = 0;  ///< of `keys_` that were learned
  std::array<Key, keys_max> keys_;
};

}  // namespace penstock::objects
