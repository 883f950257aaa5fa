/// Protobuf wire format: varints, tags and fields, read the way libprotobuf reads them.
/// Rules and examples: formats/recordio/README.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/core/platform.hpp"

namespace penstock::recordio {

using Bytes = std::span<std::byte const>;

enum class WireType : std::uint8_t {
  varint = 0,
  fixed64 = 1,
  bytes = 2,
  group_begin = 3,
  group_end = 4,
  fixed32 = 5,
};

/// A tag: the field's number and how its value is stored. Tags of fields below 16 take one byte.
PENSTOCK_HD constexpr std::uint32_t tag_of(std::uint32_t field, WireType type) {
  return field << 3 | static_cast<std::uint32_t>(type);
}

enum class WireError : std::uint8_t {
  none,
  truncated,        ///< a value ends behind the end of its message
  varint_too_long,  ///< a varint of more than ten bytes, a tag or length of more than five
  bad_tag,          ///< field number 0
  bad_wire_type,    ///< wire type 6 or 7
  bad_group,        ///< a group end without its beginning, or the reverse
  too_deep,         ///< more than nesting_max levels
  ragged_packed,    ///< a packed run whose length is no multiple of its elements' size
  too_big,          ///< a message of 2^31 bytes or more
};

constexpr std::string_view describe(WireError error) {
  constexpr std::string_view texts[] = {
      "no error",
      "a value goes on after the end of its message",
      "an integer takes more bytes than any integer can",
      "field number 0 is not allowed",
      "wire types 6 and 7 do not exist",
      "a group has no matching end or beginning",
      "messages are nested more than 100 levels deep",
      "a packed list is no whole number of elements long",
      "the message is 2 GiB or larger",
  };
  return texts[static_cast<std::size_t>(error)];
}

/// Most levels of messages and groups inside a message: libprotobuf's default.
inline constexpr int nesting_max = 100;
/// Messages are smaller than 2 GiB: libprotobuf counts their bytes in 32-bit signed integers.
inline constexpr std::size_t message_bytes_max = 0x7fffffff;
/// A 64-bit integer has at most ten groups of seven bits.
inline constexpr std::size_t varint_bytes_max = 10;
/// Tags and lengths are 32-bit integers.
inline constexpr std::size_t short_varint_bytes_max = 5;

/// Bytes of the canonical varint of `value`: its bits in groups of seven, at least one group.
PENSTOCK_HD constexpr std::uint32_t varint_bytes(std::uint64_t value) {
  std::uint32_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

PENSTOCK_HD constexpr std::byte* put_varint(std::byte* into, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *into++ = static_cast<std::byte>((value & 0x7f) | 0x80);
  *into = static_cast<std::byte>(value);
  return into + 1;
}

/// An int32 travels as the 64-bit integer of the same value, so every negative one takes ten bytes.
PENSTOCK_HD constexpr std::uint64_t varint_of(std::int32_t value) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}

/// Bytes of varint_of(value) for the sums over rows: without branches.
PENSTOCK_HD constexpr std::uint32_t int32_varint_bytes(std::int32_t value) {
  std::uint32_t const positive = 1u + (value >= 1 << 7) + (value >= 1 << 14) + (value >= 1 << 21) + (value >= 1 << 28);
  return positive + (value < 0) * 9u;
}

struct Varint {
  std::uint64_t value = 0;
  std::size_t size_bytes = 0;
  WireError error = WireError::none;
};

/// Reads a varint of at most `bytes_max` bytes at the start of `bytes`. Overlong forms are accepted, bits
/// above the 64th are dropped.
constexpr Varint read_varint(Bytes bytes, std::size_t bytes_max = varint_bytes_max) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes_max; ++i) {
    if (i == bytes.size()) return {0, i, WireError::truncated};
    auto const byte = static_cast<std::uint64_t>(bytes[i]);
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return {value, i + 1, WireError::none};
  }
  return {0, bytes_max, WireError::varint_too_long};
}

/// A field of a message. `bytes` views its content: the value of fixed32, fixed64 and bytes, all up to the
/// end tag of a group (with it), the encoded form of a varint, whose `value` is decoded.
struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::varint;
  std::uint64_t value = 0;
  Bytes bytes;
};

/// Where a message broke, if it did. Shared by the cursors over one payload.
struct WireFault {
  WireError error = WireError::none;
  std::byte const* at = nullptr;  ///< the byte that begins the broken field, integer or list
};

/// Walks the fields of one message. Every field is read whole before it is handed out, so a field that
/// nobody knows is skipped by not looking at it. Never reads outside `message`.
class FieldCursor {
 public:
  /// `depth` is the number of messages around this one; `fault` outlives the cursor.
  constexpr FieldCursor(Bytes message, int depth, WireFault& fault) : rest_(message), depth_(depth), fault_(&fault) {}

  /// The next field; false at the end of the message, and after an error (then the fault says which).
  constexpr bool next(Field& field) {
    if (rest_.empty()) return false;
    begin_ = rest_.data();
    if (!read_tag(field)) return false;
    if (field.type == WireType::group_end) return fail(WireError::bad_group);
    if (field.type == WireType::group_begin) return skip_group(field);
    return read_value(field);
  }

 private:
  constexpr bool fail(WireError error) {
    fault_->error = error;
    fault_->at = begin_;
    rest_ = {};
    return false;
  }

  constexpr bool take(std::size_t size_bytes, Bytes& bytes) {
    if (size_bytes > rest_.size()) return fail(WireError::truncated);
    bytes = rest_.first(size_bytes);
    rest_ = rest_.subspan(size_bytes);
    return true;
  }

  constexpr bool read_tag(Field& field) {
    Varint const tag = read_varint(rest_, short_varint_bytes_max);
    if (tag.error != WireError::none) return fail(tag.error);
    auto const word = static_cast<std::uint32_t>(tag.value);
    if ((word & 7) > 5) return fail(WireError::bad_wire_type);
    if (word >> 3 == 0) return fail(WireError::bad_tag);
    field.number = word >> 3;
    field.type = static_cast<WireType>(word & 7);
    rest_ = rest_.subspan(tag.size_bytes);
    return true;
  }

  constexpr bool read_value(Field& field) {
    if (field.type == WireType::fixed32) return take(4, field.bytes);
    if (field.type == WireType::fixed64) return take(8, field.bytes);
    bool const is_length = field.type == WireType::bytes;
    Varint const varint = read_varint(rest_, is_length ? short_varint_bytes_max : varint_bytes_max);
    if (varint.error != WireError::none) return fail(varint.error);
    field.value = varint.value;
    bool const has_varint = take(varint.size_bytes, field.bytes);
    return is_length ? take(varint.value, field.bytes) : has_varint;
  }

  /// Skips to the end tag that matches the group `field`, through groups inside it.
  constexpr bool skip_group(Field& field) {
    std::array<std::uint32_t, nesting_max> open{};
    std::size_t groups = 0;
    Field inner = field;
    Bytes const content = rest_;
    for (;;) {
      if (inner.type == WireType::group_begin) {
        if (depth_ + static_cast<int>(groups) >= nesting_max) return fail(WireError::too_deep);
        open[groups++] = inner.number;
      } else if (inner.type == WireType::group_end) {
        if (open[--groups] != inner.number) return fail(WireError::bad_group);
        if (groups == 0) break;
      } else if (!read_value(inner)) {
        return false;
      }
      if (rest_.empty()) return fail(WireError::bad_group);
      if (!read_tag(inner)) return false;
    }
    field.bytes = content.first(content.size() - rest_.size());
    return true;
  }

  Bytes rest_;
  int depth_;
  WireFault* fault_;
  std::byte const* begin_ = nullptr;
};

}  // namespace penstock::recordio
