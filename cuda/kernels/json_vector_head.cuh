/// What plain records of vectors and of Object2Vec say but for the elements of their lists, and where these are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/json_head_walk.cuh"
#include "cuda/kernels/json_tiles.hpp"
#include "cuda/vocabulary.cuh"
#include "formats/core/line_ends.hpp"
#include "formats/json/keys.hpp"
#include "formats/json/options.hpp"
#include "formats/jsonl/keys.hpp"
#include "formats/object2vec/record.hpp"

namespace penstock::cuda::json {

struct VectorRules {
  penstock::json::TextOptions text;
  std::uint64_t features = 0;  ///< 0, of sparse records: not known
  std::uint32_t labels = 0;
  bool is_sparse = false;
  bool checks_shape = true;
};

/// Reads a vector's head: label, and where values and keys lie. Every function returns the place behind what it took,
/// or null: it is not plain.
class VectorHead {
 public:
  using Rules = VectorRules;

  __device__ VectorHead(HeadsWork const& work, VectorRules const& rules, std::uint32_t row)
      : rules_(rules),
        walk_(work, row),
        begin_(work.text.data + work.rows.begins[row]),
        labels_(work.out.labels + std::size_t{row} * rules.labels) {}

  __device__ bool read(RowLists& lists) {
    char const* const end = read_members<false>(begin_);
    return end != nullptr && ends_line(*detail::pass_blanks(end)) && has_all(lists);
  }

 private:
  using Key = penstock::jsonl::Key;

  __device__ bool is_second(Key key) {
    unsigned const bit = 1u << static_cast<unsigned>(key);
    bool const was_seen = (seen_ & bit) != 0;
    seen_ |= bit;
    return was_seen;
  }
  __device__ bool has(Key key) const { return (seen_ >> static_cast<unsigned>(key) & 1u) != 0; }

  /// The record's object, or that of data.
  template <bool is_data>
  __device__ char const* read_members(char const* at) {
    return detail::walk_members(at, [this](char const* member) -> char const* {
      penstock::json::String name;
      char const* const value = detail::pass_key(member, name);
      if (value == nullptr) return nullptr;
      Key const key = penstock::jsonl::record_key(name, is_data);
      if (key == Key::unknown) return walk_.pass_unknown(value, rules_.text);
      if (is_second(key)) return nullptr;
      if (key == Key::label) return read_label(value);
      if (key == Key::features) return *value == '[' ? walk_.read_list(value, values_) : read_tensor(value);
      if constexpr (!is_data) return read_members<true>(value);
      return nullptr;
    });
  }

  __device__ char const* read_tensor(char const* at) {
    return detail::walk_members(at, [this](char const* member) -> char const* {
      penstock::json::String name;
      char const* const value = detail::pass_key(member, name);
      if (value == nullptr) return nullptr;
      Key const key = penstock::jsonl::tensor_key(name);
      if (key == Key::unknown) return walk_.pass_unknown(value, rules_.text);
      if (is_second(key)) return nullptr;
      if (key == Key::values) return walk_.read_list(value, values_);
      if (key == Key::keys) return walk_.read_list(value, keys_);
      return walk_.walk_list(
          value, 1, [this](char const* element, std::uint32_t) { return detail::read_short_integer(element, shape_); });
    });
  }

  __device__ char const* read_label(char const* at) {
    if (*at != '[') return rules_.labels == 1 ? detail::read_short_number(at, *labels_) : nullptr;
    return walk_.walk_list(at, rules_.labels, [this](char const* element, std::uint32_t i) {
      return detail::read_short_number(element, labels_[i]);
    });
  }

  /// What Record::finish() asks for, but for order and range of keys.
  __device__ bool has_all(RowLists& lists) const {
    if (!has(Key::features) || values_.last_stop == 0 || has(Key::keys) != rules_.is_sparse) return false;
    if (rules_.labels != 0 && !has(Key::label)) return false;
    if (has(Key::shape) && !fits_shape()) return false;
    std::uint64_t const count = rules_.is_sparse ? keys_.count() : rules_.features;
    if (values_.count() != count) return false;
    lists.of[0] = values_.extent();
    if (rules_.is_sparse) lists.of[1] = keys_.extent();
    return true;
  }
  /// A shape that is the record's limit of keys, where no other is known, is not plain.
  __device__ bool fits_shape() const {
    if (shape_ == 0) return false;
    if (shape_ == rules_.features) return true;
    return rules_.is_sparse && rules_.features != 0 && !rules_.checks_shape;
  }

  VectorRules const& rules_;
  detail::ListWalk walk_;
  char const* begin_;
  float* labels_;
  unsigned seen_ = 0;
  detail::PlainList values_;
  detail::PlainList keys_;
  std::uint32_t shape_ = 0;
};

struct TokenRules {
  penstock::json::TextOptions text;
  bool has_label = false;
};

/// Reads a head of Object2Vec: label, and where in0 and in1 lie.
class TokenHead {
 public:
  using Rules = TokenRules;

  __device__ TokenHead(HeadsWork const& work, TokenRules const& rules, std::uint32_t row)
      : rules_(rules),
        walk_(work, row),
        begin_(work.text.data + work.rows.begins[row]),
        label_(work.out.labels + row) {}

  __device__ bool read(RowLists& lists) {
    char const* const end = detail::walk_members(begin_, [this](char const* at) { return read_member(at); });
    if (end == nullptr || !ends_line(*detail::pass_blanks(end))) return false;
    unsigned const required = rules_.has_label ? 7u : 3u;
    if (seen_ != required || lists_[0].is_empty || lists_[1].is_empty) return false;
    for (int i = 0; i < 2; ++i) lists.of[i] = lists_[i].extent();
    return true;
  }

 private:
  using Key = penstock::object2vec::Key;

  __device__ char const* read_member(char const* at) {
    penstock::json::String name;
    at = detail::pass_key(at, name);
    if (at == nullptr) return nullptr;
    Key const key = penstock::object2vec::key_of(name);
    if (key == Key::unknown) return walk_.pass_unknown(at, rules_.text);
    unsigned const bit = 1u << static_cast<unsigned>(key);
    if ((seen_ & bit) != 0) return nullptr;
    seen_ |= bit;
    if (key != Key::label) return walk_.read_list(at, lists_[static_cast<unsigned>(key)]);
    return rules_.has_label ? detail::read_short_number(at, *label_) : nullptr;
  }

  TokenRules const& rules_;
  detail::ListWalk walk_;
  char const* begin_;
  float* label_;
  unsigned seen_ = 0;  ///< bits of in0, in1, label
  detail::PlainList lists_[2];
};

}  // namespace penstock::cuda::json
