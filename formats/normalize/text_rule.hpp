/// How a text becomes a number: its place in a vocabulary, a hash, true or false, a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/normalize/calendar.hpp"

namespace penstock::normalize {

/// The `size` bytes from `text` on, fewer than eight, as the lowest of a word.
PENSTOCK_HD inline std::uint64_t load_rest(char const* text, std::size_t size) {
  auto const byte = [text](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (8 * i);
  };
  if (size >= 4)  // two words that overlap
    return load_4_bytes(text) | static_cast<std::uint64_t>(load_4_bytes(text + size - 4)) << (8 * (size - 4));
  return size == 0 ? 0 : byte(0) | byte(size / 2) | byte(size - 1);
}

/// The first eight bytes of a text; those behind its end are 0.
PENSTOCK_HD inline std::uint64_t head_of(char const* text, std::size_t size) {
  return size >= 8 ? load_8_bytes(text) : load_rest(text, size);
}
/// The same of a text that stands where eight bytes can be read.
PENSTOCK_HD inline std::uint64_t readable_head_of(char const* text, std::size_t size) {
  std::uint64_t const head = load_8_bytes(text);
  return size >= 8 ? head : head & ((std::uint64_t{1} << 8 * size) - 1);
}

/// The bytes of a text from `at` on, fewer than eight, as the lowest of a word; eight at least stand in front of them.
PENSTOCK_HD inline std::uint64_t load_tail(char const* text, std::size_t at, std::size_t size) {
  return load_8_bytes(text + size - 8) >> 8 * (8 - (size - at));
}

/// Hash of a text: eight bytes at a time, the rest as a last word, then its length, each multiplied in by a 64-bit
/// product whose halves are added. A fixed function: hashed buckets are part of what a model has learned. `head` is
/// head_of() the text.
PENSTOCK_HD_HOT std::uint64_t hash_of(std::uint64_t head, char const* text, std::size_t size) {
  std::uint64_t hash = 0x9e3779b97f4a7c15u;
  auto const mix = [&hash](std::uint64_t word) {
    constexpr std::uint64_t odd = 0xd6e8feb86659fd93u;
    hash = (hash ^ word) * odd + multiply_high(hash ^ word, odd);
  };
  if (size != 0) mix(head);
  if (size > 8) {
    std::size_t at = 8;
    for (; at + 8 <= size; at += 8) mix(load_8_bytes(text + at));
    if (at < size) mix(load_tail(text, at, size));
  }
  mix(size);
  return hash ^ hash >> 29;
}
PENSTOCK_HD inline std::uint64_t hash_of(char const* text, std::size_t size) {
  return hash_of(head_of(text, size), text, size);
}

/// A vocabulary: an open-addressing table of at least twice as many slots as entries, probed one by one. A slot decides
/// about texts of up to eight bytes; of longer ones, what is behind those is compared elsewhere. Views.
struct Vocabulary {
  struct alignas(16) Slot {
    std::uint64_t head = 0;      ///< head_of() the entry
    std::uint32_t tag = 0;       ///< tag_of() it
    std::uint32_t place = none;  ///< its number, or, if it is longer than its head, where it goes on in `rests`
  };
  static constexpr std::uint32_t none = 0xffff'ffffu;
  static constexpr std::size_t head_bytes = 8;

  Slot const* slots = nullptr;
  std::uint32_t mask = 0;     ///< slots are mask + 1, a power of two
  std::uint32_t entries = 0;  ///< numbered from 0
  /// Of entries that are longer than their heads: their number and, from bit 32 on, their size; then their bytes behind
  /// the head, eight in a word, 0 behind the last.
  std::uint64_t const* rests = nullptr;
  std::size_t rest_words = 0;

  /// Bits of a text's hash that its place among the slots does not tell, and whether its head is all of it.
  PENSTOCK_HD static std::uint32_t tag_of(std::uint64_t hash, std::size_t size) {
    return static_cast<std::uint32_t>(hash >> 32) << 4 | static_cast<std::uint32_t>(size <= head_bytes ? size : 9);
  }

  /// The entry with these bytes, or none. `head` is head_of() the text.
  PENSTOCK_HD_HOT std::uint32_t find(std::uint64_t head, char const* text, std::size_t size) const {
    std::uint64_t const hash = hash_of(head, text, size);
    std::uint32_t const tag = tag_of(hash, size);
    for (std::uint32_t at = static_cast<std::uint32_t>(hash) & mask;; at = (at + 1) & mask) {
      Slot const slot = slots[at];
      if (slot.place == none) return none;
      if (slot.head != head || slot.tag != tag) continue;
      if (size <= head_bytes) return slot.place;
      if (goes_on(rests + slot.place, text, size)) return static_cast<std::uint32_t>(rests[slot.place]);
    }
  }
  PENSTOCK_HD static bool goes_on(std::uint64_t const* rest, char const* text, std::size_t size) {
    if (*rest >> 32 != size) return false;
    std::size_t at = head_bytes;
    for (; at + 8 <= size; at += 8)
      if (*++rest != load_8_bytes(text + at)) return false;
    return at == size || *++rest == load_tail(text, at, size);
  }
};

enum class Reading : std::uint8_t { vocabulary, hash, boolean, time };

/// What becomes of a text that is in no vocabulary: it rejects its record, is missing, or is the number behind the
/// last.
enum class Unknown : std::uint8_t { fault, ignore, other };

/// What is done with a column of text.
struct TextRule {
  Reading reading = Reading::vocabulary;
  Unknown unknown = Unknown::fault;
  std::uint8_t hash_bits = 10;
  TimeFormat time_format = TimeFormat::iso;
  Vocabulary vocabulary;
};

/// What a text became.
struct TextValue {
  enum Kind : std::uint8_t { value, missing, fault } kind = value;
  double number = 0;
};

namespace detail {

PENSTOCK_HD inline bool equals_lower(char const* text, std::size_t size, char const* word, std::size_t word_size) {
  if (size != word_size) return false;
  for (std::size_t i = 0; i < size; ++i)
    if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]) != word[i]) return false;
  return true;
}

/// true, false, yes, no, t, f, y, n, on, off, 1 and 0, in any case.
PENSTOCK_HD inline TextValue boolean_of(char const* text, std::size_t size) {
  constexpr struct {
    char word[6];
    std::uint8_t size;
    std::uint8_t is_true;
  } words[] = {{"true", 4, 1}, {"false", 5, 0}, {"yes", 3, 1}, {"no", 2, 0},  {"t", 1, 1}, {"f", 1, 0},
               {"y", 1, 1},    {"n", 1, 0},     {"on", 2, 1},  {"off", 3, 0}, {"1", 1, 1}, {"0", 1, 0}};
  for (auto const& each : words)
    if (equals_lower(text, size, each.word, each.size)) return {TextValue::value, each.is_true ? 1.0 : 0.0};
  return {TextValue::fault, 0};
}

/// Readings but that of a vocabulary.
PENSTOCK_HD inline TextValue read_other(TextRule const& rule, std::uint64_t head, char const* text, std::size_t size) {
  switch (rule.reading) {
    case Reading::hash:
      return {TextValue::value, static_cast<double>(hash_of(head, text, size) >> (64 - rule.hash_bits))};
    case Reading::boolean: return boolean_of(text, size);
    case Reading::time: {
      Instant instant;
      bool const is_read = read_instant(text, text + size, rule.time_format, instant);
      return {is_read ? TextValue::value : TextValue::fault, is_read ? seconds_of(instant) : 0.0};
    }
    case Reading::vocabulary: break;
  }
  return {};
}

}  // namespace detail

/// The number of a text that is not missing. `head` is head_of() the text.
PENSTOCK_HD_HOT TextValue read_text(TextRule const& rule, std::uint64_t head, char const* text, std::size_t size) {
  if (rule.reading != Reading::vocabulary) return detail::read_other(rule, head, text, size);
  std::uint32_t const entry = rule.vocabulary.find(head, text, size);
  if (entry != Vocabulary::none) return {TextValue::value, static_cast<double>(entry)};
  if (rule.unknown == Unknown::other) return {TextValue::value, static_cast<double>(rule.vocabulary.entries)};
  return {rule.unknown == Unknown::ignore ? TextValue::missing : TextValue::fault, 0};
}
PENSTOCK_HD inline TextValue read_text(TextRule const& rule, char const* text, std::size_t size) {
  return read_text(rule, head_of(text, size), text, size);
}

}  // namespace penstock::normalize
