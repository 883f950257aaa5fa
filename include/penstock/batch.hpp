/// Batches: what records become. Views are trivially copyable; BatchBuffer owns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "penstock/dtype.hpp"
#include "penstock/tensor.hpp"

namespace penstock {

/// What a column is for. Role columns leave the features.
enum class Role : std::uint8_t { feature, label, weight, qid, base_margin, start, cat, category, ignore };

/// As arrays in .npz, JSON and messages call it.
constexpr std::string_view name_of(Role role) {
  constexpr std::string_view names[] = {"features", "label", "weight",   "qid",    "base_margin",
                                        "start",    "cat",   "category", "ignored"};
  return names[static_cast<std::size_t>(role)];
}

/// The roles that become dense tensors, in the order in which outputs list them.
inline constexpr std::array<Role, 8> tensor_roles = {Role::feature,     Role::label, Role::weight, Role::qid,
                                                     Role::base_margin, Role::start, Role::cat,    Role::category};

/// What a list of a record is: of a time series its target and the features that go with it, or tokens of one of two
/// sentences.
enum class ListRole : std::uint8_t { none, target, dynamic_feat, in0, in1 };

/// As keys of records call it; "" for none.
constexpr std::string_view name_of(ListRole role) {
  constexpr std::string_view names[] = {"", "target", "dynamic_feat", "in0", "in1"};
  return names[static_cast<std::size_t>(role)];
}

/// A ragged tensor: a list for each record. Of `parts` above 1 the list is that many lists of one length, one behind
/// the other: a matrix of `parts` rows.
struct ListLayout {
  ListRole role = ListRole::none;
  DType dtype = DType::float32;
  std::size_t parts = 1;
  bool operator==(ListLayout const&) const = default;
};
/// How many lists a record can have.
inline constexpr std::size_t lists_max = 2;

/// Shape and type of each tensor, without data. Weights and base margins are float32; qid and start (seconds since
/// 1970-01-01 00:00:00) are int64; cat is int32. Categories, what columns of text are read as on their way to a
/// normaliser, are float64: a number in a vocabulary, a hash, seconds.
struct BatchLayout {
  DType feature_dtype = DType::float32;
  std::size_t features = 0;  ///< columns; of a sparse layout 0 if they are not known
  std::size_t labels = 0;    ///< columns of the dense label
  bool has_weight = false;   ///< as each of these: whether Batch has the tensor of that name
  bool has_qid = false;
  DType label_dtype = DType::float32;  ///< other than float32 only where a file that is read back says so
  bool is_sparse = false;              ///< features are Batch::csr instead of Batch::features
  bool labels_vary = false;            ///< labels are Batch::labels instead of Batch::label; `labels` is 0
  bool has_base_margin = false;
  bool has_uid = false;
  bool has_metadata = false;
  bool has_start = false;
  std::size_t cats = 0;                          ///< columns of cat
  std::size_t categories = 0;                    ///< columns of text
  bool keeps_texts = false;                      ///< they are Batch::texts instead of Batch::categories
  std::array<ListLayout, lists_max> lists = {};  ///< those that are there come first

  /// Columns of the role's dense tensor: 0 where it is sparse, ragged or absent.
  [[nodiscard]] constexpr std::size_t columns(Role role) const {
    switch (role) {
      case Role::feature: return is_sparse ? 0 : features;
      case Role::label: return labels;
      case Role::weight: return has_weight ? 1 : 0;
      case Role::qid: return has_qid ? 1 : 0;
      case Role::base_margin: return has_base_margin ? 1 : 0;
      case Role::start: return has_start ? 1 : 0;
      case Role::cat: return cats;
      case Role::category: return keeps_texts ? 0 : categories;
      case Role::ignore: break;
    }
    return 0;
  }
  /// Of the role's tensor, dense or not, whether it is there or not.
  [[nodiscard]] constexpr DType dtype(Role role) const {
    switch (role) {
      case Role::feature: return feature_dtype;
      case Role::label: return label_dtype;
      case Role::qid:
      case Role::start: return DType::int64;
      case Role::cat: return DType::int32;
      case Role::category: return DType::float64;
      default: return DType::float32;
    }
  }
  /// What a row of the role's dense tensor takes.
  [[nodiscard]] constexpr std::size_t row_bytes(Role role) const { return columns(role) * size_bytes(dtype(role)); }
  /// Of all dense tensors together.
  [[nodiscard]] constexpr std::size_t row_bytes() const {
    std::size_t sum = 0;
    for (Role role : tensor_roles) sum += row_bytes(role);
    return sum;
  }
  /// Whether anything at all has memory beyond row_bytes() a row.
  [[nodiscard]] constexpr bool is_dense() const {
    return !is_sparse && !labels_vary && !has_uid && !has_metadata && !has_lists() && !keeps_texts;
  }
  [[nodiscard]] constexpr bool has_lists() const { return lists[0].role != ListRole::none; }
  bool operator==(BatchLayout const&) const = default;
};

/// How much a batch's memory holds: rows, and elements whose number varies from row to row, over all rows together.
struct BatchCapacity {
  std::size_t rows = 0;
  std::size_t pairs = 0;   ///< of the CSR matrix
  std::size_t labels = 0;  ///< of ragged labels
  std::size_t uid_bytes = 0;
  std::size_t metadata_bytes = 0;
  std::array<std::size_t, lists_max> list_values = {};  ///< of each list
  std::size_t text_bytes = 0;                           ///< of Batch::texts

  /// Whether memory of this capacity has room for what needs the other.
  [[nodiscard]] constexpr bool holds(BatchCapacity const& other) const {
    bool holds_lists = true;
    for (std::size_t i = 0; i < lists_max; ++i) holds_lists = holds_lists && list_values[i] >= other.list_values[i];
    return rows >= other.rows && pairs >= other.pairs && labels >= other.labels && uid_bytes >= other.uid_bytes &&
           metadata_bytes >= other.metadata_bytes && text_bytes >= other.text_bytes && holds_lists;
  }
  bool operator==(BatchCapacity const&) const = default;
};

/// `rows` records as named tensors that share their number of rows. A view: it does not own them. BatchLayout says
/// which are there; of the others, dense ones have no columns, and the rest no indptr, offsets or cells.
struct Batch {
  std::size_t rows = 0;
  Dense features;     ///< rows x columns of BatchLayout::feature_dtype, where the layout is dense
  Dense label;        ///< rows x labels of BatchLayout::label_dtype
  Dense weight;       ///< rows x 1, float32
  Dense qid;          ///< rows x 1, int64: which query a row belongs to
  Dense base_margin;  ///< rows x 1, float32: where boosting begins
  Dense start;        ///< rows x 1, int64: when a time series begins, in seconds since 1970-01-01 00:00:00
  Dense cat;          ///< rows x cats, int32: categories of a time series
  Dense categories;   ///< rows x columns of text, float64; never behind a normaliser
  TextCells texts;    ///< columns of text as they stand there, where the layout keeps them
  Csr csr;            ///< the features, where the layout is sparse
  Ragged labels;      ///< the labels, where their number varies
  Texts uid;          ///< of RecordIO: what identifies a record
  Texts metadata;     ///< of RecordIO: what else it says of itself, as it stands there
  std::array<Ragged, lists_max> lists;  ///< as the layout lists them
  /// Of a lane's rows: where in the chunk's text the record of each row begins. Null: nobody asks.
  std::uint32_t* record_begins = nullptr;

  /// The role's dense tensor; `features` for a role that has none.
  [[nodiscard]] constexpr Dense const& tensor(Role role) const {
    switch (role) {
      case Role::label: return label;
      case Role::weight: return weight;
      case Role::qid: return qid;
      case Role::base_margin: return base_margin;
      case Role::start: return start;
      case Role::cat: return cat;
      case Role::category: return categories;
      default: return features;
    }
  }
  [[nodiscard]] constexpr Dense& tensor(Role role) {
    return const_cast<Dense&>(static_cast<Batch const*>(this)->tensor(role));
  }
  /// Rows [first, first + count) of every tensor.
  [[nodiscard]] Batch rows_from(std::size_t first, std::size_t count) const {
    Batch part = *this;
    for (Role role : tensor_roles) {
      Dense& t = part.tensor(role);
      if (t.data != nullptr) t.data += first * t.row_bytes();
    }
    if (csr.indptr != nullptr) part.csr.indptr += first;
    if (labels.offsets != nullptr) part.labels.offsets += first;
    if (uid.offsets != nullptr) part.uid.offsets += first;
    if (metadata.offsets != nullptr) part.metadata.offsets += first;
    for (Ragged& list : part.lists) {
      if (list.offsets != nullptr) list.offsets += first;
    }
    if (texts.cells != nullptr) part.texts.cells += first * texts.columns;
    if (record_begins != nullptr) part.record_begins += first;
    part.set_rows(count);
    return part;
  }
  /// Says that there are `count` rows, for all tensors; touches no data.
  constexpr void set_rows(std::size_t count) {
    rows = csr.rows = labels.rows = uid.rows = metadata.rows = texts.rows = count;
    for (Role role : tensor_roles) tensor(role).rows = count;
    for (Ragged& list : lists) list.rows = count;
  }
};

/// What is in the rows of `batch`; for memory that shall hold a copy.
[[nodiscard]] constexpr BatchCapacity capacity_of(Batch const& batch) {
  BatchCapacity capacity;
  capacity.rows = batch.rows;
  if (batch.rows == 0) return capacity;
  auto const count = [&](std::int64_t const* offsets) {
    return offsets == nullptr ? 0 : static_cast<std::size_t>(offsets[batch.rows] - offsets[0]);
  };
  capacity.pairs = count(batch.csr.indptr);
  capacity.labels = count(batch.labels.offsets);
  capacity.uid_bytes = count(batch.uid.offsets);
  capacity.metadata_bytes = count(batch.metadata.offsets);
  for (std::size_t i = 0; i < batch.rows * batch.texts.columns; ++i) capacity.text_bytes += batch.texts.cells[i].size;
  for (std::size_t i = 0; i < lists_max; ++i) capacity.list_values[i] = count(batch.lists[i].offsets);
  return capacity;
}

/// Memory for batches of a layout, taken once. 64-byte aligned tensors, not initialised but for the first element of
/// `indptr` and of offsets, which is 0.
class BatchBuffer {
 public:
  /// No memory, and no rows.
  BatchBuffer() = default;
  /// For rows without anything of varying size; throws std::bad_alloc, as all of them.
  BatchBuffer(BatchLayout const& layout, std::size_t rows_max)
      : BatchBuffer(layout, BatchCapacity{rows_max, 0, 0, 0, 0, {}}) {}
  BatchBuffer(BatchLayout const& layout, BatchCapacity const& capacity) : BatchBuffer(layout, capacity, nullptr) {}
  /// In somebody else's memory, which holds size_bytes(layout, capacity), is 64-byte aligned and outlives it; null: its
  /// own.
  BatchBuffer(BatchLayout const& layout, BatchCapacity const& capacity, std::byte* memory) : capacity_(capacity) {
    bytes_ = place(layout, nullptr);
    if (memory == nullptr) {
      memory_.reset(new (std::align_val_t{alignment}) std::byte[bytes_ + alignment]);
      memory = memory_.get();
    }
    place(layout, memory);
    for (std::int64_t* offsets :
         {batch_.csr.indptr, batch_.labels.offsets, batch_.uid.offsets, batch_.metadata.offsets})
      if (offsets != nullptr) *offsets = 0;
    for (Ragged const& list : batch_.lists)
      if (list.offsets != nullptr) *list.offsets = 0;
  }
  [[nodiscard]] std::size_t rows_max() const { return capacity_.rows; }
  [[nodiscard]] BatchCapacity const& capacity() const { return capacity_; }
  [[nodiscard]] std::size_t size_bytes() const { return bytes_; }
  /// The first `rows` rows. Valid as long as this buffer lives.
  [[nodiscard]] Batch view(std::size_t rows) const {
    Batch b = batch_;
    b.set_rows(rows);
    return b;
  }
  /// What a buffer takes.
  [[nodiscard]] static std::size_t size_bytes(BatchLayout const& layout, BatchCapacity const& capacity) {
    BatchBuffer sizes;
    sizes.capacity_ = capacity;
    return sizes.place(layout, nullptr);
  }

 private:
  static constexpr std::size_t alignment = 64;
  struct Free {
    void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{alignment}); }
  };
  static constexpr std::size_t aligned(std::size_t n) { return (n + alignment - 1) / alignment * alignment; }

  /// Where everything lies, one behind the other from `base` on; null: nowhere. Returns the bytes in all.
  std::size_t place(BatchLayout const& layout, std::byte* base) {
    std::size_t end = 0;
    auto const take = [&](std::size_t bytes) {
      std::byte* const at = base == nullptr ? nullptr : base + end;
      end += aligned(bytes);
      return at;
    };
    auto const take_offsets = [&] {
      return reinterpret_cast<std::int64_t*>(take((capacity_.rows + 1) * sizeof(std::int64_t)));
    };
    for (Role role : tensor_roles) {
      Dense& t = batch_.tensor(role);
      t.dtype = layout.dtype(role);
      t.columns = layout.columns(role);
      t.data = t.columns == 0 ? nullptr : take(capacity_.rows * layout.row_bytes(role));
    }
    if (layout.is_sparse) {
      batch_.csr.dtype = layout.feature_dtype;
      batch_.csr.columns = layout.features;
      batch_.csr.indptr = take_offsets();
      batch_.csr.indices = reinterpret_cast<std::int64_t*>(take(capacity_.pairs * sizeof(std::int64_t)));
      batch_.csr.values = take(capacity_.pairs * penstock::size_bytes(layout.feature_dtype));
    }
    if (layout.labels_vary) {
      batch_.labels.dtype = layout.label_dtype;
      batch_.labels.offsets = take_offsets();
      batch_.labels.values = take(capacity_.labels * penstock::size_bytes(layout.label_dtype));
    }
    for (std::size_t i = 0; i < lists_max; ++i) {
      Ragged& list = batch_.lists[i];
      list.dtype = layout.lists[i].dtype;
      if (layout.lists[i].role == ListRole::none) continue;
      list.offsets = take_offsets();
      list.values = take(capacity_.list_values[i] * penstock::size_bytes(list.dtype));
    }
    if (layout.keeps_texts) {
      batch_.texts.columns = layout.categories;
      batch_.texts.cells = reinterpret_cast<TextCell*>(take(capacity_.rows * layout.categories * sizeof(TextCell)));
      batch_.texts.bytes = reinterpret_cast<char*>(take(capacity_.text_bytes));
    }
    auto const place_texts = [&](Texts& texts, std::size_t bytes) {
      texts.offsets = take_offsets();
      texts.bytes = reinterpret_cast<char*>(take(bytes));
    };
    if (layout.has_uid) place_texts(batch_.uid, capacity_.uid_bytes);
    if (layout.has_metadata) place_texts(batch_.metadata, capacity_.metadata_bytes);
    return end;
  }

  std::unique_ptr<std::byte[], Free> memory_;
  Batch batch_;
  BatchCapacity capacity_;
  std::size_t bytes_ = 0;
};

}  // namespace penstock
