#include "formats/recordio/decode.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "formats/recordio/decoder.hpp"
#include "formats/recordio/framing.hpp"

namespace {

using namespace penstock::recordio;
using Memory = std::vector<std::byte>;

Memory hex(std::string const& text) {
  Memory bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += text[i] == ' ' ? 1 : 2)
    if (text[i] != ' ') bytes.push_back(static_cast<std::byte>(std::strtoul(text.substr(i, 2).c_str(), nullptr, 16)));
  return bytes;
}

constexpr char const* key = "0a 06 76 61 6c 75 65 73 ";

std::string two_digits(std::size_t value) {
  constexpr char digits[] = "0123456789abcdef";
  return {digits[value / 16], digits[value % 16], ' '};
}

/// One byte of tag, one of length, then the content.
std::string message(char const* tag, std::string const& content) {
  return std::string(tag) + " " + two_digits(hex(content).size()) + content + " ";
}

/// A features entry with the key "values" around the bytes of a Value.
std::string features(std::string const& value) { return message("0a", key + message("12", value)); }
/// The same around the bytes of an Int32Tensor.
std::string int32_features(std::string const& tensor) { return features(message("3a", tensor)); }

template <class T>
std::vector<T> values_of(TensorView const& view) {
  std::vector<T> values(view.count);
  EXPECT_TRUE(view.copy_to(std::span<T>(values)));
  return values;
}

/// Decodes what must be a dense record of features of type T.
template <class T>
std::vector<T> features_of(std::string const& payload) {
  Memory const bytes = hex(payload);
  RecordResult const result = decode_record(bytes);
  EXPECT_EQ(result.status, RecordStatus::ok) << payload;
  return values_of<T>(result.record.features);
}

void expect_malformed(std::string const& payload, WireError error) {
  Memory const bytes = hex(payload);
  RecordResult const result = decode_record(bytes);
  EXPECT_EQ(result.status, RecordStatus::malformed) << payload;
  EXPECT_EQ(describe(result.error), describe(error)) << payload;
  EXPECT_LE(result.error_offset_bytes, bytes.size());
  EXPECT_FALSE(result.record.features.has_entry) << payload;
}

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Ints = std::vector<std::int32_t>;

TEST(RecordioDecode, WorkedRecordOfFloat32) {
  Memory const bytes =
      hex("0a 1a 0a 06 76 61 6c 75 65 73 12 10 12 0e 0a 0c 00 00 80 3f 00 00 00 40 00 00 00 bf "
          "12 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 80 3f");
  RecordResult const result = decode_record(bytes);
  EXPECT_EQ(result.status, RecordStatus::ok);
  EXPECT_EQ(values_of<float>(result.record.features), (Floats{1.0f, 2.0f, -0.5f}));
  EXPECT_EQ(values_of<float>(result.record.label), Floats{1.0f});
  EXPECT_EQ(result.record.features.packed.data(), bytes.data() + 16);
  EXPECT_EQ(result.record.features.packed.size(), 12u);
  EXPECT_FALSE(result.record.has_other_features || result.record.has_other_labels);
}

TEST(RecordioDecode, WorkedRecordsOfOtherTypes) {
  Memory const wide =
      hex("0a 16 0a 06 76 61 6c 75 65 73 12 0c 1a 0a 0a 08 9a 99 99 99 99 99 b9 3f "
          "12 16 0a 06 76 61 6c 75 65 73 12 0c 1a 0a 0a 08 00 00 00 00 00 00 00 40");
  EXPECT_EQ(values_of<double>(decode_record(wide).record.features), Doubles{0.1});
  EXPECT_EQ(values_of<double>(decode_record(wide).record.label), Doubles{2.0});
  Memory const integers =
      hex("0a 1a 0a 06 76 61 6c 75 65 73 12 10 3a 0e 0a 0c ff ff ff ff ff ff ff ff ff 01 ac 02 "
          "12 0f 0a 06 76 61 6c 75 65 73 12 05 3a 03 0a 01 05");
  EXPECT_EQ(values_of<std::int32_t>(decode_record(integers).record.features), (Ints{-1, 300}));
  EXPECT_EQ(values_of<std::int32_t>(decode_record(integers).record.label), Ints{5});
  Memory const labels =
      hex("0a 16 0a 06 76 61 6c 75 65 73 12 0c 12 0a 0a 08 00 00 80 3f 00 00 00 00 "
          "12 16 0a 06 76 61 6c 75 65 73 12 0c 12 0a 0a 08 00 00 00 00 00 00 00 40");
  EXPECT_EQ(values_of<float>(decode_record(labels).record.label), (Floats{0, 2}));
}

TEST(RecordioDecode, NanAndInfinityAreCarried) {
  Floats const values =
      features_of<float>("0a 1a 0a 06 76 61 6c 75 65 73 12 10 12 0e 0a 0c 00 00 c0 7f 00 00 80 7f 00 00 80 ff");
  ASSERT_EQ(values.size(), 3u);
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], std::numeric_limits<float>::infinity());
  EXPECT_EQ(values[2], -std::numeric_limits<float>::infinity());
}

TEST(RecordioDecode, ValuesMayBeScattered) {
  EXPECT_EQ(features_of<float>("0a 16 0a 06 76 61 6c 75 65 73 12 0c 12 0a 0d 00 00 80 3f 0d 00 00 00 40"),
            (Floats{1, 2}));
  EXPECT_EQ(features_of<float>("0a 1c 0a 06 76 61 6c 75 65 73 12 12 12 10 0a 04 00 00 80 3f "
                               "0a 08 00 00 00 40 00 00 40 40"),
            (Floats{1, 2, 3}));
  EXPECT_EQ(features_of<float>("0a 17 0a 06 76 61 6c 75 65 73 12 0d 12 0b 0a 04 00 00 80 3f 0d 00 00 00 40"),
            (Floats{1, 2}));
  EXPECT_EQ(features_of<double>(features("1a 16 09 00 00 00 00 00 00 f0 3f 0a 00 09 00 00 00 00 00 00 00 40 78 01")),
            (Doubles{1, 2}));
  EXPECT_EQ(features_of<std::int32_t>(int32_features("08 05 0a 02 06 07 08 ac 02")), (Ints{5, 6, 7, 300}));
}

TEST(RecordioDecode, EntriesInAnyOrder) {
  EXPECT_EQ(features_of<float>("0a 12 12 08 12 06 0a 04 00 00 80 3f 0a 06 76 61 6c 75 65 73"), Floats{1});
  Memory const label_first = hex("12 12 " + std::string(key) + "12 08 12 06 0a 04 00 00 10 41 " + "0a 12 " + key +
                                 "12 08 12 06 0a 04 00 00 80 3f");
  RecordResult const result = decode_record(label_first);
  EXPECT_EQ(values_of<float>(result.record.features), Floats{1});
  EXPECT_EQ(values_of<float>(result.record.label), Floats{9});
}

TEST(RecordioDecode, EntriesWithoutKeyOrValue) {
  Memory const no_key = hex("0a 0a 12 08 12 06 0a 04 00 00 80 3f");
  EXPECT_FALSE(decode_record(no_key).record.features.has_entry);
  EXPECT_TRUE(decode_record(no_key).record.has_other_features);
  EXPECT_EQ(values_of<float>(decode_record(no_key, {.features = "", .label = ""}).record.features), Floats{1});
  Memory const no_value = hex("0a 08 0a 06 76 61 6c 75 65 73");
  EXPECT_EQ(decode_record(no_value).status, RecordStatus::ok);
  EXPECT_TRUE(decode_record(no_value).record.features.has_entry);
  EXPECT_EQ(decode_record(no_value).record.features.kind, TensorKind::none);
}

TEST(RecordioDecode, LastEntryOfAKeyWinsEntirely) {
  std::string const one = features("12 06 0a 04 00 00 80 3f");
  std::string const two = features("12 06 0a 04 00 00 00 40");
  EXPECT_EQ(features_of<float>(one + two), Floats{2});
  Memory const unset = hex(one + "0a 08 " + key);
  EXPECT_EQ(decode_record(unset).record.features.kind, TensorKind::none);
  EXPECT_EQ(decode_record(unset).record.features.count, 0u);
}

TEST(RecordioDecode, ValuesOfOneEntryMerge) {
  EXPECT_EQ(features_of<float>(message(
                "0a", key + message("12", "12 06 0a 04 00 00 80 3f") + message("12", "12 06 0a 04 00 00 00 40"))),
            (Floats{1, 2}));
}

TEST(RecordioDecode, LastMemberOfTheOneofWins) {
  EXPECT_EQ(features_of<std::int32_t>("0a 17 0a 06 76 61 6c 75 65 73 12 0d 12 06 0a 04 00 00 80 3f 3a 03 0a 01 05"),
            Ints{5});
  EXPECT_EQ(features_of<float>("0a 1a 0a 06 76 61 6c 75 65 73 12 10 12 06 0a 04 00 00 80 3f 12 06 0a 04 00 00 00 40"),
            (Floats{1, 2}));
  EXPECT_EQ(features_of<float>(features("12 06 0a 04 00 00 80 3f 3a 03 0a 01 05 12 06 0a 04 00 00 00 40")), Floats{2});
  EXPECT_EQ(features_of<float>(features("12 06 0a 04 00 00 80 3f 3a 00 12 00")), Floats{});
}

TEST(RecordioDecode, UnknownFieldsAreSkipped) {
  std::string const record = features("12 06 0a 04 00 00 80 3f");
  for (char const* unknown :
       {"78 2a ", "82 01 02 aa bb ", "79 01 02 03 04 05 06 07 08 ", "7d 01 02 03 04 ", "7b 7c ",
        "7b 08 01 83 01 0a 02 01 02 84 01 7c ", "08 05 ", "1a 02 61 31 22 02 7b 7d 2a 02 7b 7d "}) {
    EXPECT_EQ(features_of<float>(unknown + record), Floats{1}) << unknown;
    EXPECT_EQ(features_of<float>(record + unknown), Floats{1}) << unknown;
  }
  EXPECT_EQ(features_of<float>(features("7b 12 06 0a 04 00 00 00 40 7c 12 06 0a 04 00 00 80 3f")), Floats{1});
}

TEST(RecordioDecode, WrongWireTypeIsAnUnknownField) {
  EXPECT_EQ(features_of<float>(features("12 02 08 05")), Floats{});
  EXPECT_EQ(features_of<float>(features("12 0f 09 00 00 00 00 00 00 00 00 0a 04 00 00 80 3f")), Floats{1});
}

TEST(RecordioDecode, Varints) {
  EXPECT_EQ(features_of<std::int32_t>(int32_features("0a 05 ff ff ff ff 0f")), Ints{-1});
  EXPECT_EQ(features_of<std::int32_t>(int32_features("0a 02 81 00")), Ints{1});
  EXPECT_EQ(features_of<std::int32_t>(int32_features("0a 05 87 80 80 80 10")), Ints{7});
  EXPECT_EQ(features_of<std::int32_t>(int32_features("0a 0a 80 80 80 80 f8 ff ff ff ff 01")),
            Ints{std::numeric_limits<std::int32_t>::min()});
  expect_malformed(int32_features("0a 0b ff ff ff ff ff ff ff ff ff ff 01"), WireError::varint_too_long);
  expect_malformed(int32_features("0a 02 05 80"), WireError::truncated);
  expect_malformed(int32_features("08 ff ff ff ff ff ff ff ff ff ff 01"), WireError::varint_too_long);
}

TEST(RecordioDecode, TagsAndLengthsAreShortVarints) {
  std::string const content = key + message("12", "12 06 0a 04 00 00 80 3f");
  EXPECT_EQ(features_of<float>("8a 80 80 80 00 92 80 80 80 00 " + content), Floats{1});
  expect_malformed("8a 80 80 80 80 00 12 " + content, WireError::varint_too_long);
  expect_malformed("0a 92 80 80 80 80 00 " + content, WireError::varint_too_long);
}

TEST(RecordioDecode, WireErrors) {
  expect_malformed(features("12 07 0a 05 00 00 80 3f 00"), WireError::ragged_packed);
  expect_malformed(features("1a 06 0a 04 00 00 80 3f"), WireError::ragged_packed);
  expect_malformed("00", WireError::bad_tag);
  expect_malformed("02 00", WireError::bad_tag);
  expect_malformed("0e", WireError::bad_wire_type);
  expect_malformed("0f 00", WireError::bad_wire_type);
  expect_malformed("7c", WireError::bad_group);
  expect_malformed("7b", WireError::bad_group);
  expect_malformed("7b 84 01", WireError::bad_group);
  expect_malformed("0a 7f", WireError::truncated);
  expect_malformed("7d 00 00", WireError::truncated);
  expect_malformed("79 00 00 00 00 00 00 00", WireError::truncated);
  expect_malformed("0a 02 12 08 12 06 0a 04 00 00 80 3f", WireError::truncated);
  expect_malformed("12 02 12 7f", WireError::truncated);
}

TEST(RecordioDecode, ErrorsHaveAPosition) {
  Memory const bytes = hex("78 01 " + features("12 07 0a 05 00 00 80 3f 00"));
  EXPECT_EQ(decode_record(bytes).error_offset_bytes, 18u);
  Memory const tag = hex("78 01 79 00");
  EXPECT_EQ(decode_record(tag).error_offset_bytes, 2u);
}

TEST(RecordioDecode, NestingHasALimit) {
  auto const groups = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "7b ";
    for (int i = 0; i < depth; ++i) text += "7c ";
    return text;
  };
  Memory const deep = hex(groups(nesting_max));
  EXPECT_EQ(decode_record(deep).status, RecordStatus::ok);
  expect_malformed(groups(nesting_max + 1), WireError::too_deep);
  Memory const inside = hex("0a c6 01 " + groups(nesting_max - 1));  // 198 bytes in an entry
  EXPECT_EQ(decode_record(inside).status, RecordStatus::ok);
  expect_malformed("0a c8 01 " + groups(nesting_max), WireError::too_deep);
}

TEST(RecordioDecode, EmptyPayloadIsAnEmptyRecord) {
  RecordResult const result = decode_record({});
  EXPECT_EQ(result.status, RecordStatus::ok);
  EXPECT_FALSE(result.record.features.has_entry || result.record.label.has_entry);
}

TEST(RecordioDecode, SparseRecordsAreNamed) {
  Memory const sparse =
      hex("0a 1f 0a 06 76 61 6c 75 65 73 12 15 12 13 0a 08 00 00 60 40 00 00 80 bf 12 03 01 ac 02 1a 02 e8 07 "
          "12 12 0a 06 76 61 6c 75 65 73 12 08 12 06 0a 04 00 00 00 00");
  RecordResult const result = decode_record(sparse);
  EXPECT_EQ(result.status, RecordStatus::sparse);
  EXPECT_EQ(result.record.features.count, 2u);
  EXPECT_EQ(result.record.features.keys, 2u);
  EXPECT_EQ(result.record.features.shape_product, 1000u);
  Memory const zeros = hex("0a 10 0a 06 76 61 6c 75 65 73 12 06 12 04 1a 02 e8 07");
  EXPECT_EQ(decode_record(zeros).status, RecordStatus::sparse);
  Memory const reversed =
      hex("0a 1d 0a 06 76 61 6c 75 65 73 12 13 12 11 1a 01 05 12 02 00 03 0a 08 00 00 e0 40 00 00 00 41");
  EXPECT_EQ(decode_record(reversed).status, RecordStatus::sparse);
  EXPECT_EQ(values_of<float>(decode_record(reversed).record.features), (Floats{7, 8}));
  Memory const large = hex(features("12 16 0a 04 00 00 80 3f 12 06 80 80 80 80 80 20 1a 06 80 80 80 80 80 40"));
  EXPECT_EQ(decode_record(large).status, RecordStatus::sparse);
  EXPECT_EQ(decode_record(large).record.features.shape_product, std::uint64_t{1} << 41);
  Memory const label = hex(message("12", key + message("12", "12 09 0a 04 00 00 80 3f 12 01 00")));
  EXPECT_EQ(decode_record(label).status, RecordStatus::sparse);
}

TEST(RecordioDecode, ShapesOfDenseTensors) {
  EXPECT_EQ(features_of<float>(features("12 0d 0a 08 00 00 80 3f 00 00 00 40 1a 01 02")), (Floats{1, 2}));
  EXPECT_EQ(features_of<float>(features("12 0e 1a 02 01 02 0a 08 00 00 80 3f 00 00 00 40")), (Floats{1, 2}));
  EXPECT_EQ(features_of<float>(features("12 0e 18 01 18 02 0a 08 00 00 80 3f 00 00 00 40")), (Floats{1, 2}));
  Memory const three = hex(features("12 0d 0a 08 00 00 80 3f 00 00 00 40 1a 01 03"));
  EXPECT_EQ(decode_record(three).status, RecordStatus::shape_mismatch);
  // 2^42 * 2^42 does not fit into 64 bits and must not wrap around to a number that fits.
  Memory const huge = hex(features("12 16 0a 04 00 00 80 3f 1a 0e 80 80 80 80 80 80 01 80 80 80 80 80 80 01"));
  EXPECT_EQ(decode_record(huge).status, RecordStatus::shape_mismatch);
  EXPECT_EQ(decode_record(huge).record.features.shape_product, std::numeric_limits<std::uint64_t>::max());
}

TEST(RecordioDecode, BytesAreNamed) {
  Memory const image = hex("0a 1c 0a 06 76 61 6c 75 65 73 12 12 4a 10 0a 02 ff d8 12 0a 69 6d 61 67 65 2f 6a 70 65 67");
  EXPECT_EQ(decode_record(image).status, RecordStatus::bytes_value);
  EXPECT_EQ(decode_record(image).record.features.count, 0u);
  expect_malformed(features("4a 02 0a 05"), WireError::truncated);
}

TEST(RecordioDecode, OtherKeysCanBeAskedFor) {
  Memory const words = hex(
      "0a 10 0a 06 74 61 72 67 65 74 12 06 3a 04 0a 02 05 06 0a 11 0a 06 73 6f 75 72 63 65 12 07 3a 05 0a 03 04 07 09");
  RecordResult const plain = decode_record(words);
  EXPECT_EQ(plain.status, RecordStatus::ok);
  EXPECT_FALSE(plain.record.features.has_entry);
  EXPECT_TRUE(plain.record.has_other_features);
  RecordKeys const source{.features = "source", .label = "values"};
  EXPECT_EQ(values_of<std::int32_t>(decode_record(words, source).record.features), (Ints{4, 7, 9}));
}

TEST(RecordioDecode, CopiesOnlyWhatFits) {
  Memory const bytes = hex(features("12 0a 0a 08 00 00 80 3f 00 00 00 40"));
  TensorView const view = decode_record(bytes).record.features;
  Floats two(2, -1), three(3, -1);
  Doubles doubles(2, -1);
  Ints ints(2, -1);
  EXPECT_FALSE(view.copy_to(std::span<float>(three)));
  EXPECT_FALSE(view.copy_to(std::span<double>(doubles)));
  EXPECT_FALSE(view.copy_to(std::span<std::int32_t>(ints)));
  EXPECT_EQ(three, Floats(3, -1));
  EXPECT_TRUE(view.copy_to(std::span<float>(two)));
}

TEST(RecordioDecoder, FollowsChangesOfShape) {
  std::string const label = message("12", key + message("12", "12 06 0a 04 00 00 10 41"));
  std::vector<std::string> const payloads = {
      features("12 06 0a 04 00 00 80 3f") + label,
      features("12 06 0a 04 00 00 00 40") + label,
      features("12 06 0a 04 00 00 40 40"),
      features("12 06 0a 04 00 00 80 40"),
      features("12 0a 0a 08 00 00 80 3f 00 00 80 3f"),
      features("1a 0a 0a 08 00 00 00 00 00 00 f0 3f"),
      features("12 0b 0a 04 00 00 80 3f 0a 03 00 00 80"),
      features("12 06 0a 04 00 00 a0 40") + "78 01",
      features("12 06 0a 04 00 00 c0 40") + "78 02",
      label + features("12 06 0a 04 00 00 e0 40"),
      int32_features("0a 02 05 06"),
      features("12 09 0a 04 00 00 80 3f 1a 01 01"),
      "",
  };
  RecordDecoder decoder;
  for (std::string const& first : payloads) {
    for (std::string const& second : payloads) {
      for (std::string const& payload : {first, second, second}) {
        Memory const bytes = hex(payload);  // of its own, so that views into earlier ones would be seen
        RecordResult const expected = decode_record(bytes);
        RecordResult const result = decoder.decode(bytes);
        ASSERT_EQ(result.status, expected.status) << payload;
        ASSERT_EQ(result.record.features.count, expected.record.features.count) << payload;
        ASSERT_EQ(result.record.features.entry.data(), expected.record.features.entry.data()) << payload;
        ASSERT_EQ(result.record.features.packed.data(), expected.record.features.packed.data()) << payload;
        ASSERT_EQ(result.record.label.packed.data(), expected.record.label.packed.data()) << payload;
        if (result.record.features.kind == TensorKind::float32) {
          ASSERT_EQ(values_of<float>(result.record.features), values_of<float>(expected.record.features));
        }
      }
    }
  }
}

}  // namespace
