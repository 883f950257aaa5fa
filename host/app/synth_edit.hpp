/// Spoiling a record of text that has been written, for the dirty kinds of synthetic data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace penstock::app::synth {

/// A record of tokens with a separator between them and a line feed behind the last. Memory behind it is there for what
/// the edits add.
class RecordEdit {
 public:
  RecordEdit(char* begin, char* end, char separator) : begin_(begin), end_(end), separator_(separator) {}

  [[nodiscard]] char* end() const { return end_; }

  /// Token `number`, which is there.
  [[nodiscard]] std::string_view token(std::size_t number) const {
    char const* at = begin_;
    for (; number > 0; --number) at = end_of(at) + 1;
    return {at, static_cast<std::size_t>(end_of(at) - at)};
  }
  /// Puts `text` in the place of a part of the record.
  void replace(std::string_view part, std::string_view text) {
    char* const at = begin_ + (part.data() - begin_);
    std::memmove(at + text.size(), at + part.size(), static_cast<std::size_t>(end_ - at) - part.size());
    std::memcpy(at, text.data(), text.size());
    end_ = end_ - part.size() + text.size();
  }
  void replace_token(std::size_t number, std::string_view text) { replace(token(number), text); }
  /// Before the line feed.
  void append(std::string_view text) { replace({end_ - 1, 0}, text); }
  void append(std::size_t count, char byte) {
    std::memset(end_ - 1, byte, count);
    end_ += count;
    end_[-1] = '\n';
  }
  /// Leaves `count` tokens.
  void keep_tokens(std::size_t count) {
    std::string_view const last = token(count - 1);
    end_ = begin_ + (last.data() - begin_) + last.size();
    *end_++ = '\n';
  }

 private:
  [[nodiscard]] char const* end_of(char const* at) const {
    while (*at != separator_ && *at != '\n') ++at;
    return at;
  }

  char* begin_;
  char* end_;
  char separator_;
};

/// One of a few spellings.
inline std::string_view one_of(std::span<std::string_view const> spellings, std::uint64_t random) {
  return spellings[(random & 0xffffffffu) * spellings.size() >> 32];
}

/// More than `--max-record-size 1KiB` allows.
inline constexpr std::size_t long_record_bytes = 1100;

}  // namespace penstock::app::synth
