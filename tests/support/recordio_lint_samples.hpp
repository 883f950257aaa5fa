/// For every rule of the RecordIO linter a file that is about it and nothing else, as far as that can be.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>

#include "tests/support/recordio_lint.hpp"

namespace penstock::lint_support {

using enum LintRule;

struct Sample {
  std::string file;
  Rules rules;  ///< all that it triggers, in order
  LintOptions options = {};
};

inline std::map<LintRule, Sample> frame_samples() {
  std::string const whole = frame(row);
  std::string const begin = row.substr(0, 24);  // a multiple of four
  std::string const end = row.substr(24);
  // The magic is taken for text in one join and left out in the other; `22 02 7b 7d` is text or a field of its own.
  std::string const text_begin = features(dense({1})) + "\x1a\x06pq";
  EXPECT_EQ(text_begin.size() % 4, 0u);
  std::string const has_magic = features(dense({1, -1804698880.0f, 0.5f}));
  std::string const cut = has_magic.substr(0, 20);
  return {
      {bad_magic, {whole + "no frame", {bad_magic}}},
      {reserved_flag, {whole + frame(row, 4) + whole, {reserved_flag}}},
      {truncated_header, {whole + whole.substr(0, 7), {truncated_header}}},
      {truncated_payload, {whole + whole.substr(0, 20), {truncated_payload}}},
      {missing_padding, {frame(row + "\x1a\x01u").substr(0, 8 + 3 + row.size()), {missing_padding}}},
      {nonzero_padding, {word(magic) + word(23) + features(dense({1})) + "\x1a\x01u" + "x", {nonzero_padding}}},
      {record_too_large, {frame(features(dense({1, 2, 3, 4}))), {record_too_large}, {31}}},
      {empty_payload, {frame(""), {empty_payload}}},
      {split_concatenated, {frame(row.substr(0, 5), 1) + frame(row.substr(5), 3), {split_concatenated}}},
      {split_by_magic, {frame(cut, 1) + frame(has_magic.substr(24), 3), {split_by_magic}}},
      {split_ambiguous, {frame(text_begin, 1) + frame("\x22\x02{}", 3), {split_ambiguous}}},
      {split_malformed, {frame(begin, 1) + frame(end + "\x07", 3), {split_malformed}}},
      {bad_part_sequence, {whole + frame(row, 2) + whole, {bad_part_sequence}}},
      {unfinished_split, {whole + frame(row, 1), {unfinished_split}}},
      {magic_in_payload, {frame(has_magic), {magic_in_payload}}},
  };
}

inline std::map<LintRule, Sample> message_samples() {
  std::string const one = floats({1});
  std::string const int32_first = field(7, field(1, varint(5))) + field(2, dense({1}));
  return {
      {malformed_record, {frame(row + "\x07"), {malformed_record}}},
      {overlong_varint, {frame(features(dense({1, 2}) + field(3, "\x82" + std::string(1, '\0')))), {overlong_varint}}},
      {int32_out_of_range,
       {frame(features(field(1, varint((1ull << 32) + 7)), 7)), {int32_out_of_range, feature_type}}},
      {unpacked_list, {frame(features("\x0d" + one + "\x0d" + one)), {unpacked_list}}},
      {scattered_list, {frame(features(dense({1}) + dense({2}))), {scattered_list}}},
      {fields_out_of_order, {frame(label(dense({1})) + features(dense({1}))), {fields_out_of_order}}},
      {unknown_field, {frame(row + field(16, "ab")), {unknown_field}}},
      {wrong_wire_type, {frame(row + "\x18\x05"), {wrong_wire_type}}},
      {repeated_field, {frame(row + field(3, "a") + field(3, "b")), {repeated_field}}},
      {duplicate_map_key, {frame(features(dense({1})) + features(dense({2}))), {duplicate_map_key}}},
      {entry_without_key,
       {frame(features(dense({1})) + field(1, field(2, field(2, dense({1}))))), {entry_without_key}}},
      {entry_without_value, {frame(field(1, key_values)), {entry_without_value}}},
      {oneof_merged, {frame(entry(1, field(2, dense({1})) + field(2, dense({2})))), {oneof_merged}}},
      // In the order of field numbers the last one cannot be the float32 tensor, so the value comes in two pieces.
      {oneof_replaced, {frame(entry(1, int32_first)), {fields_out_of_order, oneof_replaced}}},
  };
}

inline std::map<LintRule, Sample> tensor_samples() {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  float const inf = std::numeric_limits<float>::infinity();
  std::string const keys = field(2, varints({0, 3}));
  return {
      {keys_mismatch, {frame(features(sparse({7, 8, 9}, {0, 3}, 5))), {keys_mismatch}}},
      {missing_shape, {frame(features(dense({7, 8}) + keys)), {missing_shape}}},
      {key_out_of_shape, {frame(features(sparse({7, 8}, {0, 5}, 5))), {key_out_of_shape}}},
      {unsorted_keys, {frame(features(sparse({7, 8}, {3, 0}, 5))), {unsorted_keys}}},
      {duplicate_keys, {frame(features(sparse({7, 8}, {3, 3}, 5))), {duplicate_keys}}},
      {shape_only_row, {frame(features(field(3, varint(5)))), {shape_only_row}}},
      {shape_mismatch, {frame(features(dense({1, 2}) + field(3, varint(3)))), {shape_mismatch}}},
      {rank_above_one, {frame(features(dense({1, 2}) + field(3, varints({1, 2})))), {rank_above_one}}},
      {empty_tensor, {frame(features("")), {empty_tensor}}},
      {feature_type, {frame(features(field(1, doubles({0.1})), 3)), {feature_type}}},
      {label_type, {frame(features(dense({1})) + label(field(1, varint(5)), 7)), {label_type}}},
      {bytes_value, {frame(features(field(1, "\xff\xd8") + field(2, "image/jpeg"), 9)), {bytes_value}}},
      {no_values_key, {frame(entry(1, field(2, dense({1})), "source")), {no_values_key}}},
      {other_key, {frame(row + entry(2, field(2, dense({1})), "distance")), {other_key}}},
      {several_labels, {frame(features(dense({1})) + label(dense({0, 2}))), {several_labels}}},
      {nan_value, {frame(features(dense({1, nan, nan}))), {nan_value}}},
      {infinite_value, {frame(features(dense({1, inf, -inf}))), {infinite_value}}},
  };
}

inline std::map<LintRule, Sample> comparison_samples() {
  std::string const other = entry(2, field(2, dense({1})), "x");
  return {
      {label_mismatch, {frame(row) + frame(features(dense({1, 2}))), {label_mismatch}}},
      {names_mismatch, {frame(row) + frame(row + other), {other_key, names_mismatch}}},
      {tensor_type_mismatch,
       {frame(features(dense({1}))) + frame(features(field(1, doubles({1})), 3)),
        {feature_type, tensor_type_mismatch}}},
      {density_mismatch, {frame(row) + frame(sparse_row), {density_mismatch}}},
      {width_mismatch, {frame(row) + frame(features(dense({1, 2, 3})) + label(dense({1}))), {width_mismatch}}},
  };
}

inline std::map<LintRule, Sample> samples() {
  std::map<LintRule, Sample> all = frame_samples();
  all.merge(message_samples());
  all.merge(tensor_samples());
  all.merge(comparison_samples());
  return all;
}

}  // namespace penstock::lint_support
