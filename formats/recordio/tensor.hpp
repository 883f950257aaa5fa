/// Tensors inside a record: the walk over a map entry, the view it gives, and copying out of it.
/// Rules and examples: formats/recordio/README.md.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "formats/recordio/schema.hpp"
#include "formats/recordio/varints.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

static_assert(std::endian::native == std::endian::little, "packed values are copied as they are stored");

/// Which member of Value a map entry holds.
enum class TensorKind : std::uint8_t { none, float32, float64, int32, bytes };

constexpr TensorKind kind_of_field(std::uint32_t value_member) {
  switch (value_member) {
    case float32_field: return TensorKind::float32;
    case float64_field: return TensorKind::float64;
    case int32_field: return TensorKind::int32;
    case bytes_field: return TensorKind::bytes;
    default: return TensorKind::none;
  }
}

/// Bytes of one value if they are the same for all; 0 for varints.
constexpr std::size_t fixed_bytes(TensorKind kind) {
  return kind == TensorKind::float32 ? 4 : kind == TensorKind::float64 ? 8 : 0;
}

/// How a single value that is not packed is stored.
constexpr WireType wire_type_of(TensorKind kind) {
  return kind == TensorKind::float32   ? WireType::fixed32
         : kind == TensorKind::float64 ? WireType::fixed64
                                       : WireType::varint;
}

namespace detail {

/// Messages around an entry (Record), a Value and a tensor: what counts towards nesting_max.
inline constexpr int entry_depth = 1;
inline constexpr int value_depth = 2;
inline constexpr int tensor_depth = 3;

template <class Visitor>
bool walk_tensor(Bytes tensor, TensorKind kind, Visitor& visitor, WireFault& fault) {
  FieldCursor cursor(tensor, tensor_depth, fault);
  for (Field field; cursor.next(field);) {
    bool const is_packed = field.type == WireType::bytes;
    WireError error = WireError::none;
    if (field.number == tensor_values_field && (is_packed || field.type == wire_type_of(kind)))
      error = visitor.values(field);
    else if (field.number == tensor_keys_field && (is_packed || field.type == WireType::varint))
      error = visitor.keys(field);
    else if (field.number == tensor_shape_field && (is_packed || field.type == WireType::varint))
      error = visitor.shape(field);
    if (error != WireError::none) {
      fault = {error, field.bytes.data()};
      return false;
    }
  }
  return fault.error == WireError::none;
}

template <class Visitor>
bool walk_value(Bytes value, Visitor& visitor, WireFault& fault) {
  FieldCursor cursor(value, value_depth, fault);
  for (Field field; cursor.next(field);) {
    TensorKind const kind = kind_of_field(field.number);
    if (field.type != WireType::bytes || kind == TensorKind::none) continue;
    visitor.member(kind, field.bytes.data());
    if (!walk_tensor(field.bytes, kind, visitor, fault)) return false;
  }
  return fault.error == WireError::none;
}

/// Walks one entry of a map and tells `visitor` what it meets, in the order of the bytes:
/// key(Bytes), member(TensorKind, begin), then values/keys/shape(Field) of that member. The latter return
/// what is wrong with their content. False after an error, which is then in `fault`.
template <class Visitor>
bool walk_entry(Bytes entry, Visitor& visitor, WireFault& fault) {
  FieldCursor cursor(entry, entry_depth, fault);
  for (Field field; cursor.next(field);) {
    if (field.type != WireType::bytes) continue;
    if (field.number == key_field) visitor.key(field.bytes);
    if (field.number == value_field && !walk_value(field.bytes, visitor, fault)) return false;
  }
  return fault.error == WireError::none;
}

}  // namespace detail

/// A tensor of a record: how much there is of what. It lists no segments, because a writer may scatter one
/// tensor over any number of them; it remembers where they are and copy_to() walks there again.
/// A view: it does not own the payload's bytes.
struct TensorView {
  bool has_entry = false;  ///< the map has the key (its value may be unset: then kind is none)
  TensorKind kind = TensorKind::none;
  std::size_t count = 0;             ///< values
  std::size_t keys = 0;              ///< keys of a sparse tensor
  std::size_t rank = 0;              ///< numbers in the shape; 0 without a shape
  std::uint64_t shape_product = 1;   ///< of the shape's numbers; the largest number if it does not fit
  Bytes entry;                       ///< the map entry
  std::byte const* first = nullptr;  ///< where in it the members begin that are in force
  Bytes packed;                      ///< all values, if they are one packed run (canonical), else empty
  Bytes packed_keys;                 ///< all keys, likewise

  /// Keys, or a shape and no values at all (which says: all zeros).
  [[nodiscard]] bool is_sparse() const { return keys != 0 || (count == 0 && rank != 0); }
  /// Whether it says nothing at all but its kind.
  [[nodiscard]] bool is_blank() const { return count == 0 && keys == 0 && rank == 0; }

  /// Copies the values, in order, to `into`. False, and nothing is written, if the type or the number of
  /// elements is not this tensor's: nothing is converted here. A view that decode_record() gave.
  [[nodiscard]] bool copy_to(std::span<float> into) const { return copy(into, TensorKind::float32); }
  [[nodiscard]] bool copy_to(std::span<double> into) const { return copy(into, TensorKind::float64); }
  [[nodiscard]] bool copy_to(std::span<std::int32_t> into) const { return copy(into, TensorKind::int32); }
  /// Calls `use(std::uint64_t)` for every key, in order.
  template <class Use>
  void for_each_key(Use use) const;

 private:
  template <class T>
  bool copy(std::span<T> into, TensorKind wanted) const;
};

namespace detail {

/// Multiplies `product` by the extents of a shape; what does not fit becomes the largest number, and stays that but for
/// extents of 0.
inline void multiply_shape(Bytes shape, std::uint64_t& product) {
  read_varints(shape, [&product](std::uint64_t extent) {
    std::uint64_t const most = extent == 0 ? product : UINT64_MAX / extent;
    product = product > most ? UINT64_MAX : product * extent;
  });
}

/// Visitor that builds a TensorView and checks every value.
class TensorReader {
 public:
  explicit TensorReader(Bytes entry) {
    view_.has_entry = true;
    view_.entry = entry;
  }
  [[nodiscard]] Bytes key() const { return key_; }
  [[nodiscard]] TensorView const& view() const { return view_; }

  void key(Bytes key) { key_ = key; }

  /// A member of another kind replaces what was there; one of the same kind is merged into it.
  void member(TensorKind kind, std::byte const* begin) {
    if (kind == view_.kind) return;
    Bytes const entry = view_.entry;
    view_ = {};
    view_.has_entry = true;
    view_.entry = entry;
    view_.kind = kind;
    view_.first = begin;
    runs_ = key_runs_ = 0;
  }

  WireError values(Field const& field) {
    if (view_.kind == TensorKind::bytes || field.bytes.empty()) return WireError::none;
    bool const is_only_run = ++runs_ == 1 && field.type == WireType::bytes;
    view_.packed = is_only_run ? field.bytes : Bytes{};
    if (view_.kind == TensorKind::int32) return count_varints(field.bytes, view_.count);
    std::size_t const size = fixed_bytes(view_.kind);
    view_.count += field.bytes.size() / size;
    return field.bytes.size() % size == 0 ? WireError::none : WireError::ragged_packed;
  }

  WireError keys(Field const& field) {
    if (view_.kind == TensorKind::bytes || field.bytes.empty()) return WireError::none;
    bool const is_only_run = ++key_runs_ == 1 && field.type == WireType::bytes;
    view_.packed_keys = is_only_run ? field.bytes : Bytes{};
    return count_varints(field.bytes, view_.keys);
  }

  WireError shape(Field const& field) {
    if (view_.kind == TensorKind::bytes) return WireError::none;
    WireError const error = count_varints(field.bytes, view_.rank);
    if (error == WireError::none) multiply_shape(field.bytes, view_.shape_product);
    return error;
  }

 private:
  TensorView view_;
  Bytes key_;
  std::size_t runs_ = 0;
  std::size_t key_runs_ = 0;
};

/// Visitor that copies the values of the members in force, which were checked before.
template <class T>
class ValueCopier {
 public:
  ValueCopier(std::byte const* first, T* into) : first_(first), into_(into) {}

  void key(Bytes) {}
  void member(TensorKind, std::byte const* begin) { is_in_force_ = begin >= first_; }
  WireError values(Field const& field) {
    if (!is_in_force_ || field.bytes.empty()) return WireError::none;
    if constexpr (std::is_same_v<T, std::int32_t>) {
      read_varints(field.bytes, [this](std::uint64_t value) { *into_++ = static_cast<std::int32_t>(value); });
    } else {
      std::memcpy(into_, field.bytes.data(), field.bytes.size());
      into_ += field.bytes.size() / sizeof(T);
    }
    return WireError::none;
  }
  WireError keys(Field const&) { return WireError::none; }
  WireError shape(Field const&) { return WireError::none; }

 private:
  std::byte const* first_;
  T* into_;
  bool is_in_force_ = false;
};

/// Visitor that hands out the keys of the members in force, which were checked before.
template <class Use>
class KeyReader {
 public:
  KeyReader(std::byte const* first, Use& use) : first_(first), use_(use) {}

  void key(Bytes) {}
  void member(TensorKind, std::byte const* begin) { is_in_force_ = begin >= first_; }
  WireError values(Field const&) { return WireError::none; }
  WireError keys(Field const& field) {
    if (is_in_force_) read_varints(field.bytes, use_);
    return WireError::none;
  }
  WireError shape(Field const&) { return WireError::none; }

 private:
  std::byte const* first_;
  Use& use_;
  bool is_in_force_ = false;
};

}  // namespace detail

template <class T>
bool TensorView::copy(std::span<T> into, TensorKind wanted) const {
  if (kind != wanted || into.size() != count) return false;
  if (count == 0) return true;
  if (packed.empty()) {
    WireFault fault;
    detail::ValueCopier<T> copier(first, into.data());
    return detail::walk_entry(entry, copier, fault);
  }
  if constexpr (std::is_same_v<T, std::int32_t>) {
    std::int32_t* to = into.data();
    read_varints(packed, [&to](std::uint64_t value) { *to++ = static_cast<std::int32_t>(value); });
  } else {
    std::memcpy(into.data(), packed.data(), packed.size());
  }
  return true;
}

template <class Use>
[[gnu::always_inline]] inline void TensorView::for_each_key(Use use) const {  // see read_varints()
  if (keys == 0) return;
  if (!packed_keys.empty()) return read_varints(packed_keys, use);
  WireFault fault;
  detail::KeyReader<Use> reader(first, use);
  (void)detail::walk_entry(entry, reader, fault);
}

}  // namespace penstock::recordio
