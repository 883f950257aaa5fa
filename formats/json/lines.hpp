/// The records of a chunk one by one, for scouts.
#pragma once

#include <cstdint>
#include <span>

#include "formats/core/line_ends.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"
#include "penstock/chunk.hpp"

namespace penstock::json {

/// Counts the lines of an input's first chunks until a record is found that can serve as the first.
class FirstRecord {
 public:
  /// Calls `use(char const* at)` with the first byte of each line that is neither blank nor rejected, until it returns
  /// true, which is then returned.
  template <class Use>
  bool find(Chunk const& chunk, Use use) {
    if (chunk.stamp.offset_bytes == 0) line_ = 1;
    char const* const text = chunk.text.data;
    std::uint32_t at = 0;
    for (std::size_t reject = 0; at < chunk.text.size;) {
      bool const is_reject = reject < chunk.rejects.size() && chunk.rejects[reject].begin == at;
      if (!is_reject) {
        char const* const content = skip_space(text + at + (at == 0 ? mark_bytes(chunk) : 0));
        has_bytes_ = has_bytes_ || !ends_line(*content);
        if (!ends_line(*content) && use(content)) return true;
      }
      std::uint32_t end = at;
      while (end < chunk.text.size && !ends_line(text[end])) ++end;
      if (is_reject) ++reject;
      line_ += end < chunk.text.size && is_new_line(text, end, chunk.follows_cr) ? 1 : 0;
      at = end + 1;
    }
    return false;
  }

  /// The line that was found, in its file.
  [[nodiscard]] std::uint64_t line() const { return line_; }
  /// Some line is not blank.
  [[nodiscard]] bool has_bytes() const { return has_bytes_; }

 private:
  std::uint64_t line_ = 1;
  bool has_bytes_ = false;
};

/// Calls `use(key, value)` for each member of the object at `at`; `value` is its first byte. False: it is no object,
/// or, where that `is_record`, not all of the line.
template <class Use>
bool for_each_member(char const* at, bool is_lenient, bool is_record, Use use) {
  Outcome outcome;
  MemberWalk walk(at, is_lenient);
  while (walk.next(outcome)) {
    char const* const value = walk.value();
    if (!walk.pass_value(false, outcome)) return false;
    use(walk.key(), value);
  }
  return !outcome.is_fault && (!is_record || !read_end(walk.object_end()).is_error());
}

}  // namespace penstock::json
