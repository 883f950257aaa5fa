/// recordio, recordio-sparse: frames of RecordIO-protobuf in canonical form. Layout: formats/recordio/README.md.
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "formats/recordio/framing.hpp"
#include "formats/recordio/layout.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/wire.hpp"
#include "host/app/synth_kinds.hpp"

namespace penstock::app::synth {
namespace {

using namespace recordio;

static_assert(std::endian::native == std::endian::little, "numbers are stored as they lie in memory");

/// As put_word() of framing.hpp, which compilers take byte by byte.
inline std::byte* store_word(std::uint32_t word, std::byte* out) {
  std::memcpy(out, &word, sizeof word);
  return out + sizeof word;
}
inline std::byte* store_float(float value, std::byte* out) {
  return store_word(std::bit_cast<std::uint32_t>(value), out);
}

/// Bell-shaped in [-2, 2), steps of 2^-22: the sum of two uniform numbers, moved by `shift` steps. An integer of 24
/// bits times a power of two: exact.
inline float triangle(std::uint64_t random, std::int32_t shift) {
  constexpr std::uint64_t bits23 = (1u << 23) - 1;
  auto const sum = static_cast<std::int32_t>((random & bits23) + (random >> 23 & bits23));
  return static_cast<float>(sum - (1 << 23) + shift) * 0x1p-22f;
}

// --- dense ----------------------------------------------------------------------------------------------------------

constexpr std::size_t dense_features = 28;
/// From here on features of label 0 lie half a unit higher, so that there is something to learn.
constexpr std::size_t informed_feature = 21;
constexpr std::int32_t informed_shift = 1 << 21;

constexpr RecordLayout dense_layout = record_layout(4 * dense_features, 4);
constexpr std::size_t dense_bytes = dense_layout.frame();
constexpr std::size_t features_offset = header_bytes + dense_layout.features.prefix;
constexpr std::size_t label_offset = features_offset + dense_layout.features.values + dense_layout.label.prefix;

/// A whole frame whose values are 0.
constexpr std::array<std::byte, dense_bytes> dense_frame = [] {
  std::array<std::byte, dense_bytes> frame{};
  std::byte* out = put_header(frame.data(), static_cast<std::uint32_t>(dense_layout.payload()));
  out = put_entry_prefix(out, {features_field, DType::float32}, dense_layout.features) + dense_layout.features.values;
  put_entry_prefix(out, {label_field, DType::float32}, dense_layout.label);
  return frame;
}();

char* dense_record(SynthRandom& random, char* text) {
  SynthRandom local = random;  // a copy that no store through `text` can alias: it stays in a register
  auto* const out = reinterpret_cast<std::byte*>(text);
  std::memcpy(out, dense_frame.data(), dense_bytes);
  bool const label = (local.next() >> 63) != 0;
  store_float(label ? 1.0f : 0.0f, out + label_offset);
  for (std::size_t i = 0; i < dense_features; ++i)
    store_float(triangle(local.next(), i >= informed_feature && !label ? informed_shift : 0),
                out + features_offset + 4 * i);
  random = local;
  return text + dense_bytes;
}

// --- sparse ---------------------------------------------------------------------------------------------------------

/// As many keys as the Criteo set has columns: 13 with real values, 26 that stand for a category and have the value 1.
constexpr std::size_t pairs = 39;
constexpr std::size_t real_pairs = 13;
constexpr std::uint32_t columns = 1'000'000;
/// Keys are cut into stretches, each of which gives one. From the second on keys are varints of three bytes.
constexpr std::uint32_t stretch = columns / pairs;
static_assert(varint_bytes(stretch) == 3 && varint_bytes(columns - 1) == 3);

/// Sizes of the messages from the inside out, and the bytes around values and keys, for a first key of some length.
struct SparseFrame {
  std::array<std::byte, header_bytes + prefix_bytes_max> front{};  ///< before the values
  std::array<std::byte, 4> middle{};                               ///< before the keys
  std::array<std::byte, 24> back{};                                ///< behind the keys: shape, and label but its value
  std::size_t front_size = 0, middle_size = 0, back_size = 0, frame_size = 0;
};

constexpr SparseFrame make_sparse_frame(std::uint64_t first_key_bytes) {
  std::uint64_t const keys = first_key_bytes + 3 * (pairs - 1), values = 4 * pairs, shape = varint_bytes(columns);
  std::uint64_t const tensor = 3 + varint_bytes(values) + values + varint_bytes(keys) + keys + 1 + shape;
  EntryLayout layout;
  layout.values = values;
  layout.tensor = tensor;
  layout.value = 1 + varint_bytes(tensor) + tensor;
  layout.entry = key_bytes + 1 + varint_bytes(layout.value) + layout.value;
  EntryLayout const label = entry_layout(4);
  std::uint64_t const payload = 1 + varint_bytes(layout.entry) + layout.entry + label.total();

  SparseFrame frame;
  auto const size = [](auto const& bytes, std::byte const* end) {
    return static_cast<std::size_t>(end - bytes.data());
  };
  std::byte* out = put_header(frame.front.data(), static_cast<std::uint32_t>(payload));
  frame.front_size = size(frame.front, put_entry_prefix(out, {features_field, DType::float32}, layout));
  frame.middle_size = size(frame.middle, put_message_start(frame.middle.data(), tensor_keys_field, keys));
  out = put_varint(put_message_start(frame.back.data(), tensor_shape_field, shape), columns);
  frame.back_size = size(frame.back, put_entry_prefix(out, {label_field, DType::float32}, label));
  frame.frame_size = frame_bytes(payload);
  return frame;
}
constexpr std::array<SparseFrame, 3> sparse_frames = {make_sparse_frame(1), make_sparse_frame(2), make_sparse_frame(3)};
constexpr std::size_t sparse_bytes_max = sparse_frames[2].frame_size;

/// A varint of three bytes; stores four.
inline std::byte* put_long_key(std::uint32_t key, std::byte* out) {
  store_word((key & 0x7f) | (key << 1 & 0x7f00) | (key << 2 & 0x7f0000) | 0x8080, out);
  return out + 3;
}

char* sparse_record(SynthRandom& random, char* text) {
  SynthRandom local = random;  // as above
  std::array<std::uint64_t, pairs> bits;
  for (std::uint64_t& b : bits) b = local.next();
  bool const label = (local.next() >> 63) != 0;
  random = local;

  auto const key = [&](std::size_t i) {
    return static_cast<std::uint32_t>(i * stretch + ((bits[i] >> 46) * stretch >> 18));
  };
  SparseFrame const& frame = sparse_frames[varint_bytes(key(0)) - 1];
  auto* const begin = reinterpret_cast<std::byte*>(text);
  auto const put = [](auto const& bytes, std::size_t size, std::byte* out) {
    std::memcpy(out, bytes.data(), bytes.size());
    return out + size;
  };
  std::byte* out = put(frame.front, frame.front_size, begin);
  for (std::size_t i = 0; i < pairs; ++i) out = store_float(i < real_pairs ? triangle(bits[i], 0) : 1.0f, out);
  out = put(frame.middle, frame.middle_size, out);
  out = put_varint(out, key(0));
  for (std::size_t i = 1; i < pairs; ++i) out = put_long_key(key(i), out);
  out = put(frame.back, frame.back_size, out);
  store_word(0, store_float(label ? 1.0f : 0.0f, out));  // the padding is at most three bytes of the zeros
  return text + frame.frame_size;
}

}  // namespace

/// Rows a block, of both kinds: about 0.65 MiB, so that a block is still in the second-level cache when it is written.
SynthKind recordio_kind() {
  return {.name = "recordio",
          .description = "RecordIO-protobuf, dense: 28 float32 features and a label",
          .header = "",
          .block_rows = 4096,
          .record_bytes_max = dense_bytes,
          .record = dense_record,
          .is_binary = true};
}

SynthKind recordio_sparse_kind() {
  return {
      .name = "recordio-sparse",
      .description = "RecordIO-protobuf, sparse: 39 of a million float32 features (13 real, 26 equal to 1) and a label",
      .header = "",
      .block_rows = 2048,
      .record_bytes_max = sparse_bytes_max,
      .record = sparse_record,
      .is_binary = true};
}

}  // namespace penstock::app::synth
