// Encoder against decoder over random layouts, and the decoder against damaged input.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "formats/recordio/decoder.hpp"
#include "formats/recordio/encode.hpp"
#include "formats/recordio/framing.hpp"

namespace {

using namespace penstock;
using namespace penstock::recordio;
using Memory = std::vector<std::byte>;
using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) { return static_cast<std::size_t>(random() % limit); }

/// Any bits for floats; for integers any length of varint.
void fill(Random& random, Dense const& tensor, std::size_t rows) {
  for (std::size_t i = 0; i < rows * tensor.row_bytes(); ++i) tensor.data[i] = static_cast<std::byte>(random());
  if (tensor.dtype != DType::int32) return;
  for (std::size_t i = 0; i < rows * tensor.columns; ++i)
    tensor.as<std::int32_t>()[i] >>= static_cast<int>(below(random, 32));
}

template <class T>
bool copied(TensorView const& view, Memory& into) {
  std::vector<T> values(view.count);
  if (!view.copy_to(std::span<T>(values))) return false;
  into.resize(values.size() * sizeof(T));
  if (!into.empty()) std::memcpy(into.data(), values.data(), into.size());
  return true;
}

bool copied(TensorView const& view, Memory& into) {
  switch (view.kind) {
    case TensorKind::float32: return copied<float>(view, into);
    case TensorKind::float64: return copied<double>(view, into);
    case TensorKind::int32: return copied<std::int32_t>(view, into);
    default: return false;
  }
}

void expect_row(TensorView const& view, Dense const& tensor, std::size_t row) {
  ASSERT_EQ(view.has_entry, tensor.columns != 0);
  if (tensor.columns == 0) return;
  ASSERT_EQ(view.count, tensor.columns);
  Memory bytes;
  ASSERT_TRUE(copied(view, bytes));
  ASSERT_EQ(bytes.size(), tensor.row_bytes());
  EXPECT_EQ(std::memcmp(bytes.data(), tensor.data + row * tensor.row_bytes(), bytes.size()), 0);
}

BatchLayout random_layout(Random& random) {
  constexpr std::array types = {DType::float32, DType::float64, DType::int32};
  constexpr std::array<std::size_t, 6> widths = {1, 3, 40, 300, 1100, 4200};
  return {.feature_dtype = types[below(random, 3)],
          .features = below(random, widths[below(random, widths.size())] + 1),
          .labels = below(random, 4),
          .has_weight = below(random, 2) == 0,
          .has_qid = below(random, 2) == 0,
          .label_dtype = types[below(random, 3)]};
}

TEST(RecordioRoundTrip, RandomLayoutsComeBackBitForBit) {
  Random random(7);
  for (int round = 0; round < 150; ++round) {
    BatchLayout const layout = random_layout(random);
    ASSERT_EQ(DenseEncoder::unsupported(layout), std::nullopt);
    std::size_t const rows = 1 + below(random, 5);
    BatchBuffer buffer(layout, rows);
    Batch const batch = buffer.view(rows);
    for (Role role : {Role::feature, Role::label}) fill(random, batch.tensor(role), rows);
    DenseEncoder encoder(layout);
    Memory file(rows * encoder.row_bytes_max());
    file.resize(encoder.encode(batch, file.data()));
    FrameCursor cursor(file);
    RecordDecoder decoder;
    for (std::size_t row = 0; row < rows; ++row) {
      Frame const frame = cursor.next();
      ASSERT_EQ(frame.status, FrameStatus::ok);
      RecordResult const result = decoder.decode(frame.payload);
      ASSERT_EQ(result.status, RecordStatus::ok);
      expect_row(result.record.features, batch.features, row);
      expect_row(result.record.label, batch.label, row);
    }
    EXPECT_EQ(cursor.next().status, FrameStatus::end);
  }
}

// ---------------------------------------------------------------------------------------------------
// Damaged input. Every input lies in a heap block of its exact size, so that a sanitizer sees a read
// outside; what can be checked without one is that views stay inside and that the two decoders agree.

bool is_inside(Bytes view, Bytes payload) {
  std::byte const* const end = payload.data() + payload.size();
  return view.empty() || (view.data() >= payload.data() && view.data() + view.size() <= end);
}

void expect_sound(TensorView const& view, Bytes payload) {
  EXPECT_TRUE(is_inside(view.entry, payload));
  EXPECT_TRUE(is_inside(view.packed, payload));
  EXPECT_LE(view.count + view.keys + view.rank, payload.size());
  Memory bytes;
  bool const has_numbers = view.kind != TensorKind::none && view.kind != TensorKind::bytes;
  EXPECT_EQ(copied(view, bytes), has_numbers);
}

void expect_same(TensorView const& a, TensorView const& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.keys, b.keys);
  EXPECT_EQ(a.packed.data(), b.packed.data());
  Memory from_a, from_b;
  EXPECT_EQ(copied(a, from_a), copied(b, from_b));
  EXPECT_EQ(from_a, from_b);
}

/// Decodes `payload` and checks what must hold for any bytes. True if it was well-formed.
bool decode_any(Memory const& payload, RecordDecoder& decoder) {
  auto const block = std::make_unique<std::byte[]>(payload.size());
  if (!payload.empty()) std::memcpy(block.get(), payload.data(), payload.size());
  Bytes const bytes(block.get(), payload.size());
  RecordResult const result = decode_record(bytes);
  EXPECT_LE(result.error_offset_bytes, bytes.size());
  EXPECT_EQ(result.status == RecordStatus::malformed, result.error != WireError::none);
  expect_sound(result.record.features, bytes);
  expect_sound(result.record.label, bytes);
  RecordResult const again = decoder.decode(bytes);
  EXPECT_EQ(again.status, result.status);
  expect_same(again.record.features, result.record.features);
  expect_same(again.record.label, result.record.label);
  return result.status != RecordStatus::malformed;
}

void put_field(Memory& into, std::uint32_t field, Memory const& content) {
  std::array<std::byte, 20> start{};
  std::byte* const end = put_message_start(start.data(), field, content.size());
  into.insert(into.end(), start.data(), end);
  into.insert(into.end(), content.begin(), content.end());
}

Memory random_bytes(Random& random, std::size_t size) {
  Memory bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & (random() % 2 == 0 ? 0x07u : 0xffu));
  return bytes;
}

Memory values_key_bytes() {
  Memory bytes;
  for (char c : values_key) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

/// A message of a few fields with the numbers that mean something at some level, nested by chance.
Memory random_message(Random& random, int depth) {
  constexpr std::array<std::uint32_t, 8> fields = {1, 2, 3, 7, 9, 1, 2, 15};
  Memory message;
  for (std::size_t i = below(random, 4); i > 0; --i) {
    std::uint32_t const field = fields[below(random, fields.size())];
    std::array<std::byte, 20> start{};
    switch (below(random, depth < 4 ? 8 : 4)) {
      case 0: {
        std::byte* const tag = put_varint(start.data(), tag_of(field, WireType::varint));
        message.insert(message.end(), start.data(), put_varint(tag, random() >> below(random, 64)));
        break;
      }
      case 1: put_field(message, key_field, values_key_bytes()); break;
      case 2: put_field(message, field, random_bytes(random, 4 * below(random, 4))); break;
      case 3: {
        message.insert(message.end(), start.data(), put_varint(start.data(), tag_of(field, WireType::group_begin)));
        message.insert(message.end(), start.data(), put_varint(start.data(), tag_of(field, WireType::group_end)));
        break;
      }
      default: put_field(message, field, random_message(random, depth + 1));
    }
  }
  return message;
}

/// A dense record of a row, and what is left of it after the frame header: seeds for damage.
Memory canonical_payload(Random& random) {
  BatchLayout layout = random_layout(random);
  layout.features = 1 + layout.features % 12;
  BatchBuffer buffer(layout, 1);
  Batch const batch = buffer.view(1);
  for (Role role : {Role::feature, Role::label}) fill(random, batch.tensor(role), 1);
  DenseEncoder encoder(layout);
  Memory file(encoder.row_bytes_max());
  encoder.encode(batch, file.data());
  Header const header = parse_header(file);
  return {file.begin() + header_bytes, file.begin() + header_bytes + header.payload_bytes};
}

void damage(Random& random, Memory& bytes) {
  if (bytes.empty()) return;
  std::size_t const at = below(random, bytes.size());
  switch (below(random, 4)) {
    case 0: bytes[at] ^= static_cast<std::byte>(1u << below(random, 8)); break;
    case 1: bytes[at] = static_cast<std::byte>(random()); break;
    case 2: bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at)); break;
    default: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::byte>(random())); break;
  }
}

TEST(RecordioDamage, TruncationAtEveryByte) {
  Random random(11);
  RecordDecoder decoder;
  for (int i = 0; i < 40; ++i) {
    Memory const whole = i % 2 == 0 ? canonical_payload(random) : random_message(random, 0);
    for (std::size_t size = 0; size <= whole.size(); ++size)
      decode_any({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, decoder);
  }
}

TEST(RecordioDamage, MutatedRecords) {
  Random random(13);
  RecordDecoder decoder;
  std::size_t well_formed = 0;
  std::size_t const rounds = 20000;
  for (std::size_t i = 0; i < rounds; ++i) {
    Memory payload = i % 2 == 0 ? canonical_payload(random) : random_message(random, 0);
    decode_any(payload, decoder);  // so that the decoder that remembers meets the damage with fresh memory
    for (std::size_t hits = below(random, 3); hits > 0; --hits) damage(random, payload);
    well_formed += decode_any(payload, decoder) ? 1 : 0;
  }
  // Damage that always or never mattered would test only one half.
  EXPECT_GT(well_formed, rounds / 10);
  EXPECT_LT(well_formed, rounds - rounds / 10);
}

TEST(RecordioDamage, MutatedFrames) {
  Random random(17);
  for (int i = 0; i < 3000; ++i) {
    Memory file;
    for (int frames = 0; frames < 3; ++frames) {
      Memory payload = random_bytes(random, below(random, 9));
      std::array<std::byte, header_bytes> header{};
      put_header(header.data(), static_cast<std::uint32_t>(payload.size()));
      file.insert(file.end(), header.begin(), header.end());
      payload.resize(padded(payload.size()));
      file.insert(file.end(), payload.begin(), payload.end());
    }
    for (std::size_t hits = below(random, 4); hits > 0; --hits) damage(random, file);
    auto const block = std::make_unique<std::byte[]>(file.size());
    std::memcpy(block.get(), file.data(), file.size());
    FrameCursor cursor(Bytes(block.get(), file.size()));
    for (std::size_t steps = 0;; ++steps) {
      ASSERT_LE(steps, file.size() / header_bytes);
      std::size_t const before = cursor.offset_bytes();
      Frame const frame = cursor.next();
      ASSERT_TRUE(is_inside(frame.payload, Bytes(block.get(), file.size())));
      if (frame.status != FrameStatus::ok && frame.status != FrameStatus::multi_part) break;
      ASSERT_EQ(cursor.offset_bytes(), before + frame_bytes(frame.payload.size()));
    }
  }
}

}  // namespace
