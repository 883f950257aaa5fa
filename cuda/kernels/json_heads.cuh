/// What a plain record of DeepAR says but for the numbers in its lists, and where these are: a walk over its members
/// that jumps from a list's opening bracket to its closing one.
///
///     { "start": "2009-11-01", "target": [1, 2.5, 3], "cat": [7], "dynamic_feat": [[0, 1, 0]] }
///       walked                           jumped       walked                       jumped
///
/// It takes no more than it is sure of. A record that is not plain is marked, for formats/deepar/record.hpp to read.
#pragma once

#include <cstdint>

#include "cuda/kernels/json_tiles.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "formats/deepar/record.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/time.hpp"

namespace penstock::cuda::json {

/// What a thread does for a record ends with these, whatever the record.
inline constexpr int plain_blanks_max = 8;
inline constexpr int plain_key_max = 32;
inline constexpr int plain_word_max = 40;      ///< bytes of a number or a word that nobody asks for
inline constexpr int plain_string_max = 4096;  ///< bytes of a string that nobody asks for
inline constexpr int plain_members_max = 64;

struct HeadRules {
  std::uint32_t cats = 0;
  std::uint32_t features = 0;  ///< lists of dynamic_feat
  std::uint32_t prediction_length = 0;
  bool refuses_unknown_keys = false;
  bool is_lenient = false;
};

struct HeadsWork {
  ChunkText text;
  HeadRules rules;
  Totals const* totals = nullptr;
  RowTable rows;
  Bracket const* brackets = nullptr;
  RowValues out;
};

namespace detail {

using Key = penstock::deepar::Key;

/// A list between two brackets with no other in between: it has one element, or none, for each stop behind the first
/// bracket.
struct PlainList {
  std::uint32_t first_stop = 0;  ///< the opening bracket's
  std::uint32_t last_stop = 0;   ///< the closing bracket's
  __device__ std::uint32_t count() const { return last_stop - first_stop; }
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

/// Reads a record's head. Every function returns the place behind what it took, or null: it is not plain.
class HeadReader {
 public:
  __device__ HeadReader(HeadsWork const& work, std::uint32_t row) : work_(work), brackets_(work, row), row_(row) {}

  __device__ bool read(RowLists& lists) {
    char const* at = work_.text.data + work_.rows.begins[row_];
    if (*at != '{') return false;
    at = pass_blanks(at + 1);
    for (int member = 0; member < plain_members_max; ++member) {
      at = read_member(at);
      if (at == nullptr) return false;
      at = pass_blanks(at);
      if (*at == '}') return ends_line(*pass_blanks(at + 1)) && has_all(lists);
      if (*at != ',') return false;
      at = pass_blanks(at + 1);
    }
    return false;
  }

 private:
  __device__ std::uint32_t offset_of(char const* at) const { return static_cast<std::uint32_t>(at - work_.text.data); }

  __device__ char const* read_member(char const* at) {
    if (*at != '"') return nullptr;
    char const* const begin = ++at;
    while (*at != '"') {
      bool const is_usual = *at >= 0x20 && *at != '\\' && *at < 0x7f;
      if (!is_usual || at - begin == plain_key_max) return nullptr;
      ++at;
    }
    Key const key = penstock::deepar::key_of({begin, at});
    at = pass_blanks(at + 1);
    if (*at != ':') return nullptr;
    at = pass_blanks(at + 1);
    if (key == Key::unknown) return work_.rules.refuses_unknown_keys ? nullptr : pass_value(at, work_.rules.is_lenient);
    unsigned const bit = 1u << static_cast<unsigned>(key);
    if ((seen_ & bit) != 0) return nullptr;
    seen_ |= bit;
    switch (key) {
      case Key::start: return read_start(at);
      case Key::target: return read_list(at, target_);
      case Key::cat: return read_cat(at);
      default: return read_features(at);
    }
  }

  __device__ char const* read_start(char const* at) const {
    using penstock::json::date_bytes;
    using penstock::json::date_time_bytes;
    if (*at != '"') return nullptr;
    ++at;
    int const bytes = at[date_bytes] == '"' ? date_bytes : date_time_bytes;
    if (at[bytes] != '"') return nullptr;
    penstock::json::Time const time = penstock::json::read_time(at, bytes);
    if (!time.is_valid) return nullptr;
    work_.out.start[row_] = time.seconds;
    return at + bytes + 1;
  }

  __device__ char const* read_list(char const* at, PlainList& list) {
    if (*at != '[' || !brackets_.take(offset_of(at), list.first_stop)) return nullptr;
    char const* const end = work_.text.data + brackets_.next_at();
    if (*end != ']' || !brackets_.take(offset_of(end), list.last_stop)) return nullptr;
    return end + 1;
  }

  __device__ char const* read_cat(char const* at) {
    PlainList list;
    char const* const end = read_list(at, list);
    if (end == nullptr) return nullptr;
    at = pass_blanks(at + 1);
    for (std::uint32_t i = 0; i < work_.rules.cats; ++i) {
      if (i != 0) {
        if (*at != ',') return nullptr;
        at = pass_blanks(at + 1);
      }
      std::int32_t value = 0;
      char const* const begin = at;
      for (; penstock::json::is_digit(*at) && at - begin < 9; ++at) value = value * 10 + (*at - '0');
      if (at == begin || (*begin == '0' && at != begin + 1)) return nullptr;
      work_.out.cat[std::size_t{row_} * work_.rules.cats + i] = value;
      at = pass_blanks(at);
    }
    return at + 1 == end ? end : nullptr;
  }

  __device__ char const* read_features(char const* at) {
    std::uint32_t stop = 0;
    if (*at != '[' || !brackets_.take(offset_of(at), stop)) return nullptr;
    at = pass_blanks(at + 1);
    for (std::uint32_t i = 0; i < work_.rules.features; ++i) {
      if (i != 0) {
        if (*at != ',') return nullptr;
        at = pass_blanks(at + 1);
      }
      PlainList list;
      at = read_list(at, list);
      if (at == nullptr) return nullptr;
      if (i == 0) features_ = list;
      if (list.count() != features_.count()) return nullptr;
      features_end_ = list.last_stop + 1;
      at = pass_blanks(at);
    }
    return *at == ']' && brackets_.take(offset_of(at), stop) ? at + 1 : nullptr;
  }

  /// What Record::finish() asks for.
  __device__ bool has_all(RowLists& lists) const {
    auto const has = [&](Key key) { return (seen_ >> static_cast<unsigned>(key) & 1u) != 0; };
    HeadRules const& rules = work_.rules;
    if (!has(Key::start) || !has(Key::target)) return false;
    if (rules.cats != 0 && !has(Key::cat)) return false;
    lists.target_begin = target_.first_stop + 1;
    lists.target_end = target_.last_stop + 1;
    if (rules.features == 0) return true;
    if (!has(Key::dynamic_feat) || features_.count() != target_.count() + rules.prediction_length) return false;
    lists.features_begin = features_.first_stop + 1;
    lists.features_end = features_end_;
    return true;
  }

  HeadsWork const& work_;
  BracketWalk brackets_;
  std::uint32_t row_;
  unsigned seen_ = 0;
  PlainList target_;
  PlainList features_;  ///< the first
  std::uint32_t features_end_ = 0;
};

}  // namespace detail

inline constexpr unsigned heads_threads = 128;

/// A thread takes a record: start, cat, and where its lists lie; or its mark. Launch: 128 threads for 128 records, as
/// many as the chunk can have. Shared: none. Work: some 10 operations for a byte that is walked over; 32 bytes read and
/// written a record.
static __global__ void PENSTOCK_BOUNDS(heads_threads, 4) heads_kernel(HeadsWork work) {
  std::uint32_t const row = blockIdx.x * heads_threads + threadIdx.x;
  bool const is_in = work.totals->is_refused == 0 && row < work.totals->rows;
  bool is_marked = false;
  if (is_in) {
    RowLists lists;
    is_marked = !detail::HeadReader(work, row).read(lists);
    work.out.lists[row] = is_marked ? RowLists{} : lists;
  }
  std::uint32_t const marks = __ballot_sync(all_lanes, is_marked);
  if (lane_of_thread() == 0) work.out.marks[row / warp_lanes] = marks;
}

/// `rows_max`: what marks are written for.
inline void read_heads(Stream& stream, HeadsWork const& work, std::uint32_t rows_max) {
  launch("json_heads", stream, {blocks_for(rows_max, heads_threads), heads_threads}, heads_kernel, work);
}

}  // namespace penstock::cuda::json
