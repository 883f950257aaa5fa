/// Batches: what records become. Views are trivially copyable; BatchBuffer owns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "penstock/dtype.hpp"

namespace penstock {

/// What a column is for. Role columns leave the features.
enum class Role : std::uint8_t { feature, label, weight, qid, ignore };

constexpr std::string_view name_of(Role role) {
  constexpr std::string_view names[] = {"features", "label", "weight", "qid", "ignored"};
  return names[static_cast<std::size_t>(role)];
}

/// The roles that become tensors, in the order in which outputs list them.
inline constexpr std::array<Role, 4> tensor_roles = {Role::feature, Role::label, Role::weight, Role::qid};

/// A dense row-major matrix of `rows` x `columns` elements; it does not own `data`.
/// `columns == 0` means that the tensor is absent.
struct Dense {
  std::byte* data = nullptr;
  DType dtype = DType::float32;
  std::size_t rows = 0;
  std::size_t columns = 0;

  [[nodiscard]] constexpr std::size_t row_bytes() const { return columns * size_bytes(dtype); }
  template <class T>
  [[nodiscard]] T* as() const {
    return reinterpret_cast<T*>(data);
  }
};

/// Width and type of each role's tensor, without data. Labels and weights are float32, qid is int64.
struct BatchLayout {
  DType feature_dtype = DType::float32;
  std::size_t features = 0;
  std::size_t labels = 0;
  bool has_weight = false;
  bool has_qid = false;
  DType label_dtype = DType::float32;  ///< other than float32 only where a file that is read back says so

  [[nodiscard]] constexpr std::size_t columns(Role role) const {
    switch (role) {
      case Role::feature: return features;
      case Role::label: return labels;
      case Role::weight: return has_weight ? 1 : 0;
      case Role::qid: return has_qid ? 1 : 0;
      case Role::ignore: break;
    }
    return 0;
  }
  [[nodiscard]] constexpr DType dtype(Role role) const {
    switch (role) {
      case Role::feature: return feature_dtype;
      case Role::label: return label_dtype;
      case Role::qid: return DType::int64;
      default: return DType::float32;
    }
  }
  [[nodiscard]] constexpr std::size_t row_bytes(Role role) const { return columns(role) * size_bytes(dtype(role)); }
  [[nodiscard]] constexpr std::size_t row_bytes() const {
    std::size_t sum = 0;
    for (Role role : tensor_roles) sum += row_bytes(role);
    return sum;
  }
  bool operator==(BatchLayout const&) const = default;
};

/// `rows` records as named tensors that share their number of rows. A view: it does not own them.
struct Batch {
  std::size_t rows = 0;
  Dense features;
  Dense label;
  Dense weight;
  Dense qid;

  [[nodiscard]] constexpr Dense const& tensor(Role role) const {
    switch (role) {
      case Role::label: return label;
      case Role::weight: return weight;
      case Role::qid: return qid;
      default: return features;
    }
  }
  [[nodiscard]] constexpr Dense& tensor(Role role) {
    return const_cast<Dense&>(static_cast<Batch const*>(this)->tensor(role));
  }
  /// Rows [first, first + count) of every tensor.
  [[nodiscard]] Batch rows_from(std::size_t first, std::size_t count) const {
    Batch part = *this;
    part.rows = count;
    for (Role role : tensor_roles) {
      Dense& t = part.tensor(role);
      if (t.data != nullptr) t.data += first * t.row_bytes();
      t.rows = count;
    }
    return part;
  }
};

/// Memory for up to `rows_max` rows of a layout, taken once. 64-byte aligned tensors, not initialised.
class BatchBuffer {
 public:
  BatchBuffer() = default;
  BatchBuffer(BatchLayout const& layout, std::size_t rows_max) : rows_max_(rows_max) {
    std::size_t offset = 0;
    for (Role role : tensor_roles) offset += aligned(rows_max * layout.row_bytes(role));
    bytes_ = offset;
    memory_.reset(new (std::align_val_t{alignment}) std::byte[offset + alignment]);
    offset = 0;
    for (Role role : tensor_roles) {
      Dense& t = batch_.tensor(role);
      t.dtype = layout.dtype(role);
      t.columns = layout.columns(role);
      t.data = t.columns == 0 ? nullptr : memory_.get() + offset;
      offset += aligned(rows_max * layout.row_bytes(role));
    }
  }
  [[nodiscard]] std::size_t rows_max() const { return rows_max_; }
  [[nodiscard]] std::size_t size_bytes() const { return bytes_; }
  /// The first `rows` rows. Valid as long as this buffer lives.
  [[nodiscard]] Batch view(std::size_t rows) const {
    Batch b = batch_;
    b.rows = rows;
    for (Role role : tensor_roles) b.tensor(role).rows = rows;
    return b;
  }

 private:
  static constexpr std::size_t alignment = 64;
  struct Free {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{alignment}); }
  };
  static constexpr std::size_t aligned(std::size_t n) { return (n + alignment - 1) / alignment * alignment; }

  std::unique_ptr<std::byte[], Free> memory_;
  Batch batch_;
  std::size_t rows_max_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace penstock
