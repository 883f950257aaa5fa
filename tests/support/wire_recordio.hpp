/// RecordIO-protobuf written in every way that a reader must take: by hand, at random, and damaged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::testing::wire {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::uint64_t bits() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

inline std::string little_endian(std::uint64_t value, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

/// With `extra` groups more than needed, as far as ten allow.
inline std::string varint(std::uint64_t value, std::size_t extra = 0) {
  std::string bytes;
  for (;;) {
    bool const is_last = value < 0x80 && (extra == 0 || bytes.size() == 9);
    if (value < 0x80 && !is_last) --extra;
    bytes += static_cast<char>((value & 0x7f) | (is_last ? 0 : 0x80));
    if (is_last) return bytes;
    value >>= 7;
  }
}

inline std::string tag(std::uint64_t field, unsigned type) { return varint(field << 3 | type); }
inline std::string message(std::uint64_t field, std::string const& content) {
  return tag(field, 2) + varint(content.size()) + content;
}

inline std::string frame(std::string const& payload, std::uint32_t flag = 0) {
  std::string bytes = little_endian(0xced7230a, 4) + little_endian(flag << 29 | payload.size(), 4) + payload;
  return bytes.append((4 - payload.size() % 4) % 4, '\0');
}

/// A tensor: `member` is its field in Value (2 float32, 3 float64, 7 int32, 9 bytes); values are bits.
struct Tensor {
  std::string key = "values";
  std::uint64_t member = 2;
  std::vector<std::uint64_t> values, keys, shape;
};

struct Record {
  std::vector<Tensor> features, labels;
  std::string uid, metadata;
  bool has_uid = false, has_metadata = false;
};

/// Writes records in forms that mean the same. `wildness` 0: the canonical form; else one in so many choices is odd.
class Writer {
 public:
  Writer(Random& random, std::size_t wildness) : random_(random), wildness_(wildness) {}

  std::string payload(Record const& record) {
    std::string features, labels;
    for (Tensor const& tensor : record.features) features += entry(1, tensor);
    for (Tensor const& tensor : record.labels) labels += entry(2, tensor);
    std::string bytes = is_odd() ? labels + features : features + labels;
    if (record.has_uid) bytes += message(3, record.uid);
    if (record.has_metadata) bytes += message(4, record.metadata);
    if (is_odd()) bytes += message(5, "{}");
    return is_odd() ? unknown() + bytes : bytes + (is_odd() ? unknown() : "");
  }

 private:
  bool is_odd() { return wildness_ != 0 && random_.one_in(wildness_); }

  std::string unknown() {
    switch (random_.below(5)) {
      case 0: return tag(15, 0) + varint(random_.bits());
      case 1: return message(16 + random_.below(3000), "unknown");
      case 2: return tag(14, 1) + little_endian(random_.bits(), 8);
      case 3: return tag(13, 5) + little_endian(random_.bits(), 4);
      default: return tag(12, 3) + message(1, "in") + tag(11, 3) + tag(11, 4) + tag(12, 4);
    }
  }

  std::string entry(std::uint64_t map_field, Tensor const& tensor) {
    std::string const key = message(1, tensor.key);
    std::string value = message(2, member(tensor));
    if (is_odd()) value = message(2, decoy_member(tensor)) + value;
    std::string content = is_odd() ? value + key : key + value;
    if (is_odd()) content += unknown();
    std::string bytes = message(map_field, content);
    if (is_odd()) {  // an earlier entry of the same key counts for nothing
      Tensor other = tensor;
      other.values.push_back(0);
      bytes = message(map_field, key + message(2, message(tensor.member, tensor_bytes(other)))) + bytes;
    }
    return bytes;
  }

  std::string member(Tensor const& tensor) {
    if (is_odd() && !tensor.values.empty()) {  // two members of one kind merge
      Tensor front = tensor, back = tensor;
      std::size_t const cut = random_.below(tensor.values.size() + 1);
      auto const at = static_cast<std::ptrdiff_t>(cut);
      front.values.resize(cut);
      back.values.erase(back.values.begin(), back.values.begin() + at);
      front.shape.clear();
      front.keys.clear();
      return message(tensor.member, tensor_bytes(front)) + message(tensor.member, tensor_bytes(back));
    }
    return message(tensor.member, tensor_bytes(tensor)) + (is_odd() ? unknown() : "");
  }

  /// A member of another kind before the one that is in force.
  std::string decoy_member(Tensor const& tensor) {
    std::uint64_t const other = tensor.member == 2 ? 7 : 2;
    return message(other, message(1, other == 7 ? varint(5) : little_endian(0x3f800000, 4)));
  }

  std::string tensor_bytes(Tensor const& tensor) {
    std::size_t const size = tensor.member == 2 ? 4 : tensor.member == 3 ? 8 : 0;
    std::string const values = list(1, tensor.values, size), keys = list(2, tensor.keys, 0),
                      shape = list(3, tensor.shape, 0);
    return is_odd() ? shape + keys + values : values + (is_odd() ? unknown() : "") + keys + shape;
  }

  std::string number(std::uint64_t value, std::size_t size) {
    return size != 0 ? little_endian(value, size) : varint(value, is_odd() ? random_.below(5) : 0);
  }

  /// One packed run, or pieces of any kind.
  std::string list(std::uint64_t field, std::vector<std::uint64_t> const& numbers, std::size_t size) {
    std::string bytes, run;
    bool const is_scattered = is_odd();
    auto const flush = [&] {
      if (!run.empty()) bytes += message(field, run);
      run.clear();
    };
    for (std::uint64_t const value : numbers) {
      if (is_scattered && random_.one_in(3)) {
        flush();
        bytes += tag(field, size == 4 ? 5 : size == 8 ? 1 : 0) + number(value, size);
      } else {
        run += number(value, size);
        if (is_scattered && random_.one_in(3)) flush();
      }
    }
    flush();
    if (is_scattered && random_.one_in(4)) bytes += message(field, "");
    return bytes;
  }

  Random& random_;
  std::size_t wildness_;
};

/// Parts of any length, which a reader puts end to end.
inline std::string split_anywhere(std::string const& payload, Random& random, std::size_t multiple) {
  std::string bytes;
  std::size_t at = 0;
  std::size_t const parts = 2 + random.below(4);
  for (std::size_t part = 0; part + 1 < parts; ++part) {
    std::size_t const size = random.below((payload.size() - at) / multiple + 1) * multiple;
    bytes += frame(payload.substr(at, size), part == 0 ? 1 : 2);
    at += size;
  }
  return bytes + frame(payload.substr(at), 3);
}

/// Parts between the magics at multiples of four bytes, which a reader puts back.
inline std::string split_at_magic(std::string const& payload) {
  std::vector<std::string> parts(1);
  for (std::size_t at = 0; at < payload.size();) {
    bool const is_magic = at % 4 == 0 && payload.substr(at, 4) == "\x0a\x23\xd7\xce";
    if (is_magic) parts.emplace_back();
    if (!is_magic) parts.back() += payload[at];
    at += is_magic ? 4 : 1;
  }
  if (parts.size() == 1) return frame(payload);
  std::string bytes;
  for (std::size_t i = 0; i < parts.size(); ++i) bytes += frame(parts[i], i == 0 ? 1 : i + 1 == parts.size() ? 3 : 2);
  return bytes;
}

}  // namespace penstock::testing::wire
