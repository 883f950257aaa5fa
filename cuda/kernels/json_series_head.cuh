/// What a plain record of DeepAR says but for the numbers in its lists, and where these are.
#pragma once

#include <cstdint>

#include "cuda/kernels/json_head_walk.cuh"
#include "cuda/kernels/json_tiles.hpp"
#include "cuda/vocabulary.cuh"
#include "formats/deepar/record.hpp"
#include "formats/json/options.hpp"
#include "formats/json/time.hpp"

namespace penstock::cuda::json {

struct SeriesRules {
  penstock::json::TextOptions text;
  std::uint32_t cats = 0;
  std::uint32_t features = 0;  ///< lists of dynamic_feat
  std::uint64_t prediction_length = 0;
};

/// Reads a record's head. Every function returns the place behind what it took, or null: it is not plain.
class SeriesHead {
 public:
  using Rules = SeriesRules;

  __device__ SeriesHead(HeadsWork const& work, SeriesRules const& rules, std::uint32_t row)
      : work_(work), rules_(rules), walk_(work, row), row_(row) {}

  __device__ bool read(RowLists& lists) {
    char const* const end = detail::walk_members(work_.text.data + work_.rows.begins[row_],
                                                 [this](char const* at) { return read_member(at); });
    return end != nullptr && ends_line(*detail::pass_blanks(end)) && has_all(lists);
  }

 private:
  using Key = penstock::deepar::Key;
  using PlainList = detail::PlainList;

  __device__ char const* read_member(char const* at) {
    penstock::json::String name;
    at = detail::pass_key(at, name);
    if (at == nullptr) return nullptr;
    Key const key = penstock::deepar::key_of(name);
    if (key == Key::unknown) return walk_.pass_unknown(at, rules_.text);
    unsigned const bit = 1u << static_cast<unsigned>(key);
    if ((seen_ & bit) != 0) return nullptr;
    seen_ |= bit;
    switch (key) {
      case Key::start: return read_start(at);
      case Key::target: return walk_.read_list(at, target_);
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

  __device__ char const* read_cat(char const* at) {
    return walk_.walk_list(at, rules_.cats, [this](char const* element, std::uint32_t i) {
      std::uint32_t value = 0;
      element = detail::read_short_integer(element, value);
      work_.out.cat[std::size_t{row_} * rules_.cats + i] = static_cast<std::int32_t>(value);
      return element;
    });
  }

  __device__ char const* read_features(char const* at) {
    std::uint32_t stop = 0;
    if (*at != '[' || !walk_.take_bracket(at, stop)) return nullptr;
    at = detail::pass_blanks(at + 1);
    for (std::uint32_t i = 0; i < rules_.features; ++i) {
      if (i != 0) {
        if (*at != ',') return nullptr;
        at = detail::pass_blanks(at + 1);
      }
      PlainList list;
      at = walk_.read_list(at, list);
      if (at == nullptr) return nullptr;
      if (i == 0) features_ = list;
      if (list.count() != features_.count()) return nullptr;
      features_end_ = list.last_stop + 1;
      at = detail::pass_blanks(at);
    }
    return *at == ']' && walk_.take_bracket(at, stop) ? at + 1 : nullptr;
  }

  /// What Record::finish() asks for. (An empty target is not plain, and neither are empty lists of dynamic_feat.)
  __device__ bool has_all(RowLists& lists) const {
    auto const has = [&](Key key) { return (seen_ >> static_cast<unsigned>(key) & 1u) != 0; };
    if (!has(Key::start) || !has(Key::target) || target_.is_empty) return false;
    if (rules_.cats != 0 && !has(Key::cat)) return false;
    lists.of[0] = target_.extent();
    if (rules_.features == 0) return true;
    if (!has(Key::dynamic_feat) || features_.count() != target_.count() + rules_.prediction_length) return false;
    lists.of[1] = {features_.first_stop + 1, features_end_};
    return true;
  }

  HeadsWork const& work_;
  SeriesRules const& rules_;
  detail::ListWalk walk_;
  std::uint32_t row_;
  unsigned seen_ = 0;
  PlainList target_;
  PlainList features_;  ///< the first
  std::uint32_t features_end_ = 0;
};

}  // namespace penstock::cuda::json
