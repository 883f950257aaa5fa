/// Walks over the members of a plain record that jump from a list's opening bracket to its closing one, for heads of
/// all kinds, and the kernel that reads them.
///
///     { "start": "2009-11-01", "target": [1, 2.5, 3], "cat": [7], "dynamic_feat": [[0, 1, 0]] }
///       walked                           jumped       walked                       jumped
///
/// They take no more than they are sure of. A record that is not plain is marked, for the format's own text to read.
#pragma once

#include <cstdint>

#include "cuda/kernels/json_number.cuh"
#include "cuda/kernels/json_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/core/line_ends.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"
#include "formats/json/options.hpp"

namespace penstock::cuda::json {

/// What a thread does for a record ends with these, whatever the record; and with care_bytes_max of values that nobody
/// asks for.
inline constexpr int plain_blanks_max = 8;
inline constexpr int plain_key_max = 32;
inline constexpr int plain_word_max = 40;      ///< bytes of a number or a word that nobody asks for
inline constexpr int plain_string_max = 4096;  ///< bytes of a string that nobody asks for
inline constexpr int plain_members_max = 64;

struct HeadsWork {
  ChunkText text;
  Totals const* totals = nullptr;
  RowTable rows;
  Bracket const* brackets = nullptr;
  RowValues out;
};

namespace detail {

/// A list between two brackets with no other in between: behind the first there is a stop behind each element.
struct PlainList {
  std::uint32_t first_stop = 0;  ///< the opening bracket's
  std::uint32_t last_stop = 0;   ///< the closing bracket's
  bool is_empty = false;

  __device__ std::uint32_t count() const { return is_empty ? 0 : last_stop - first_stop; }
  __device__ Extent extent() const { return {first_stop + 1, first_stop + 1 + count()}; }
};

/// A record's brackets, one after the other.
class BracketWalk {
 public:
  __device__ BracketWalk(HeadsWork const& work, std::uint32_t row)
      : next_(work.brackets + work.rows.brackets[row]), end_(work.brackets + work.rows.brackets[row + 1]) {}

  /// The next one, which must stand at byte `at`.
  __device__ bool take(std::uint32_t at, std::uint32_t& stop) {
    if (next_ == end_ || next_->at != at) return false;
    stop = next_++->stop;
    return true;
  }
  /// The byte of the next one; 0: there is none.
  __device__ std::uint32_t next_at() const { return next_ == end_ ? 0 : next_->at; }

 private:
  Bracket const* next_;
  Bracket const* end_;
};

__device__ inline char const* pass_blanks(char const* at) {
  for (int i = 0; i < plain_blanks_max && penstock::json::is_space(*at); ++i) ++at;
  return at;
}

/// skip_string(), up to a limit.
__device__ inline char const* pass_string(char const* at) {
  for (char const* const limit = at + plain_string_max; at < limit;) {
    std::uint64_t const unusual = penstock::json::detail::unusual_bytes(load_8_bytes(at));
    if (unusual == 0) {
      at += 8;
      continue;
    }
    at += trailing_zeros(unusual) >> 3;
    if (*at == '"') return at + 1;
    if (*at == '\\') {
      penstock::json::Escape const escape = penstock::json::read_escape(at);
      if (escape.error != penstock::json::Error::none) return nullptr;
      at = escape.at;
    } else {
      int const bytes = static_cast<unsigned char>(*at) < 0x20 ? 0 : penstock::json::utf8_bytes(at);
      if (bytes == 0) return nullptr;
      at += bytes;
    }
  }
  return nullptr;
}

/// The value of a key that nobody asks for, if it is a short one and no object and no list. Null: it is not plain.
__device__ inline char const* pass_value(char const* at, bool is_lenient) {
  using penstock::json::Kind;
  if (*at == '"') {
    return pass_string(at + 1);
  }
  int bytes = 0;
  while (bytes < plain_word_max && penstock::json::detail::is_word(at[bytes])) ++bytes;
  Kind const kind = penstock::json::kind_at(at, is_lenient);
  if (bytes == plain_word_max || kind == Kind::none || kind == Kind::object || kind == Kind::list) return nullptr;
  penstock::json::Found const end = penstock::json::skip_scalar(at, kind);
  return end.is_error() ? nullptr : end.at;
}

/// A key of few bytes, none of them unusual, at its quote: the place of its value. Null: it is not plain.
__device__ inline char const* pass_key(char const* at, penstock::json::String& key) {
  if (*at != '"') return nullptr;
  char const* const begin = ++at;
  while (*at != '"') {
    bool const is_usual = *at >= 0x20 && *at != '\\' && *at < 0x7f;
    if (!is_usual || at - begin == plain_key_max) return nullptr;
    ++at;
  }
  key = {begin, at};
  at = pass_blanks(at + 1);
  return *at == ':' ? pass_blanks(at + 1) : nullptr;
}

/// The object at `at`: `read_member` takes one member from its quote on. The place behind the brace; null: it is not
/// plain.
template <class ReadMember>
__device__ char const* walk_members(char const* at, ReadMember const& read_member) {
  if (*at != '{') return nullptr;
  at = pass_blanks(at + 1);
  for (int member = 0; member < plain_members_max; ++member) {
    at = read_member(at);
    if (at == nullptr) return nullptr;
    at = pass_blanks(at);
    if (*at == '}') return at + 1;
    if (*at != ',') return nullptr;
    at = pass_blanks(at + 1);
  }
  return nullptr;
}

/// A record's lists. Functions return the place behind what they took, or null: it is not plain.
class ListWalk {
 public:
  __device__ ListWalk(HeadsWork const& work, std::uint32_t row) : text_(work.text.data), brackets_(work, row) {}

  /// The value of a key that nobody asks for.
  __device__ char const* pass_unknown(char const* at, penstock::json::TextOptions const& text) {
    if (text.refuses_unknown_keys) return nullptr;
    char const* const end = pass_value(at, text.is_lenient);
    if (end != nullptr) passed_bytes_ += static_cast<std::uint32_t>(end - at);
    return passed_bytes_ <= care_bytes_max ? end : nullptr;
  }

  __device__ bool take_bracket(char const* at, std::uint32_t& stop) { return brackets_.take(offset_of(at), stop); }

  /// A list that holds no other.
  __device__ char const* read_list(char const* at, PlainList& list) {
    if (*at != '[' || !take_bracket(at, list.first_stop)) return nullptr;
    char const* const end = text_ + brackets_.next_at();
    if (*end != ']' || !take_bracket(end, list.last_stop)) return nullptr;
    list.is_empty = pass_blanks(at + 1) == end;
    return end + 1;
  }

  /// A list of `count` elements that `read_element` takes, each from its first byte on.
  template <class ReadElement>
  __device__ char const* walk_list(char const* at, std::uint32_t count, ReadElement const& read_element) {
    PlainList list;
    char const* const end = read_list(at, list);
    if (end == nullptr) return nullptr;
    at = pass_blanks(at + 1);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i != 0) {
        if (*at != ',') return nullptr;
        at = pass_blanks(at + 1);
      }
      at = read_element(at, i);
      if (at == nullptr) return nullptr;
      at = pass_blanks(at);
    }
    return at + 1 == end ? end : nullptr;
  }

 private:
  __device__ std::uint32_t offset_of(char const* at) const { return static_cast<std::uint32_t>(at - text_); }

  char const* text_;
  BracketWalk brackets_;
  std::uint32_t passed_bytes_ = 0;  ///< of values that nobody asks for
};

/// An integer of few digits.
__device__ inline char const* read_short_integer(char const* at, std::uint32_t& value) {
  char const* const begin = at;
  value = 0;
  for (; penstock::json::is_digit(*at) && at - begin < plain_integer_max; ++at)
    value = value * 10 + static_cast<std::uint32_t>(*at - '0');
  return at == begin || (*begin == '0' && at != begin + 1) ? nullptr : at;
}

/// A number, of up to plain_word_max bytes.
__device__ inline char const* read_short_number(char const* at, float& value) {
  int bytes = 0;
  while (bytes < plain_word_max && penstock::json::detail::is_word(at[bytes])) ++bytes;
  return plain_number(at, at + bytes, value) ? at + bytes : nullptr;
}

}  // namespace detail

inline constexpr unsigned heads_threads = 128;

/// A thread takes a record: what a `Head` reads of it, and where its lists lie; or its mark. Launch: 128 threads for
/// 128 records, as many as the chunk can have. Shared: none. Barriers: none. Work: some 10 operations for a byte that
/// is walked over; 32 bytes read and written a record.
template <class Head>
__global__ void PENSTOCK_BOUNDS(heads_threads, 4) heads_kernel(HeadsWork work, typename Head::Rules rules) {
  std::uint32_t const row = blockIdx.x * heads_threads + threadIdx.x;
  bool const is_in = work.totals->is_refused == 0 && row < work.totals->rows;
  bool is_marked = false;
  if (is_in) {
    RowLists lists;
    is_marked = !Head(work, rules, row).read(lists);
    work.out.lists[row] = is_marked ? RowLists{} : lists;
  }
  std::uint32_t const marks = __ballot_sync(all_lanes, is_marked);
  if (lane_of_thread() == 0) work.out.marks[row / warp_lanes] = marks;
}

/// A thread takes a record, which is marked. Launch: as above. Shared: none. Barriers: none. Work: a bit a record.
static __global__ void PENSTOCK_BOUNDS(heads_threads, 8) mark_all_kernel(HeadsWork work) {
  std::uint32_t const row = blockIdx.x * heads_threads + threadIdx.x;
  std::uint32_t const marks = __ballot_sync(all_lanes, work.totals->is_refused == 0 && row < work.totals->rows);
  if (lane_of_thread() == 0) work.out.marks[row / warp_lanes] = marks;
}

/// No record is plain. `rows_max`: what marks are written for.
inline void mark_all(Stream& stream, HeadsWork const& work, std::uint32_t rows_max) {
  launch("json_mark_all", stream, {blocks_for(rows_max, heads_threads), heads_threads}, mark_all_kernel, work);
}

/// `rows_max`: what marks are written for.
template <class Head>
void read_heads(Stream& stream, HeadsWork const& work, typename Head::Rules const& rules, std::uint32_t rows_max) {
  launch("json_heads", stream, {blocks_for(rows_max, heads_threads), heads_threads}, heads_kernel<Head>, work, rules);
}

}  // namespace penstock::cuda::json
