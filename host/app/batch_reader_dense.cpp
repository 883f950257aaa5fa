// .npy and .npz as batches: arrays are read from where they lie, a batch of rows at a time.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "host/app/array_reader.hpp"
#include "host/app/batch_reader.hpp"
#include "host/app/npz_archive.hpp"
#include "host/app/npz_lists.hpp"
#include "host/app/row_reader.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/source.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

constexpr std::size_t batch_bytes = std::size_t{1} << 20;
/// Of sparse and ragged rows, which may be empty: with it, offsets take no more than half of what other data does.
constexpr std::uint64_t varying_rows_max = std::uint64_t{1} << 16;
/// Elements of rows that vary: as many as fill a batch if an index of 8 bytes and a value of 8 belong to each.
constexpr std::size_t varying_elements_max = batch_bytes / 16;

using DenseArrays = std::vector<std::pair<Role, ArrayReader>>;

/// Arrays with the same number of rows. There is at least one.
struct Arrays {
  DenseArrays dense;
  std::optional<CsrReader> csr;
  std::optional<RaggedReader> labels;
  std::vector<ListReader> lists;  ///< no more than lists_max
};

/// Arrays side by side.
class ArraysReader final : public BatchReader {
 public:
  ArraysReader(Arrays arrays, std::vector<std::string> notes) : arrays_(std::move(arrays)), notes_(std::move(notes)) {
    if (arrays_.csr) add_csr(*arrays_.csr);
    for (std::size_t i = 0; i < arrays_.lists.size(); ++i) {
      check_rows(arrays_.lists[i].rows.name(), arrays_.lists[i].rows.rows());
      layout_.lists[i] = arrays_.lists[i].layout;
    }
    for (auto const& [role, reader] : arrays_.dense) {
      check_rows(reader.name(), reader.array().rows());
      set_layout(role, reader);
      row_bytes_ += reader.row_bytes();
    }
    if (arrays_.labels) add_labels(*arrays_.labels);
    // Rows without bytes cost nothing, so all of them are one batch.
    constexpr std::uint64_t any_number = std::numeric_limits<std::int64_t>::max();
    rows_max_ = row_bytes_ == 0 ? any_number : std::max<std::uint64_t>(batch_bytes / row_bytes_, 1);
    if (is_varying()) rows_max_ = std::min(rows_max_, varying_rows_max);
    bool const is_without_memory = row_bytes_ == 0 && !is_varying();
    capacity_.rows = is_without_memory ? 0 : static_cast<std::size_t>(rows_max_);
    capacity_.pairs = arrays_.csr ? varying_elements_max : 0;
    capacity_.labels = arrays_.labels ? varying_elements_max : 0;
    for (std::size_t i = 0; i < arrays_.lists.size(); ++i) capacity_.list_values[i] = varying_elements_max;
    buffer_ = BatchBuffer(layout_, capacity_);
  }

  [[nodiscard]] BatchLayout const& layout() const override { return layout_; }
  bool next(Batch& batch) override {
    throw_if_interrupted();
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    if (truncated_ != nullptr) truncated_->throw_truncated();
    try {
      return read_rows(batch);
    } catch (Error const&) {
      failure_ = std::current_exception();  // the arrays are out of step now
      throw;
    }
  }
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }

 private:
  [[nodiscard]] bool is_varying() const { return arrays_.csr || arrays_.labels || !arrays_.lists.empty(); }

  bool read_rows(Batch& batch) {
    std::size_t const rows = make_room(static_cast<std::size_t>(std::min(rows_left_, rows_max_)));
    batch = buffer_.view(rows);
    if (rows == 0) return false;
    std::size_t const whole_rows = read_dense(batch);
    if (truncated_ != nullptr && (whole_rows == 0 || is_varying())) truncated_->throw_truncated();
    if (arrays_.csr) arrays_.csr->read(batch.csr, rows);
    if (arrays_.labels) arrays_.labels->read(batch.labels, rows);
    for (std::size_t i = 0; i < arrays_.lists.size(); ++i) arrays_.lists[i].read(batch.lists[i], rows);
    batch = batch.rows_from(0, whole_rows);
    check_series(batch, rows_read_);
    rows_left_ -= whole_rows;
    rows_read_ += whole_rows;
    return true;
  }

  /// The rows to read of the next `rows`; the buffer holds them. One row may be more than what a batch usually has.
  std::size_t make_room(std::size_t rows) {
    if (rows == 0) return 0;
    if (arrays_.csr) rows = arrays_.csr->offsets().look(rows, varying_elements_max);
    if (arrays_.labels) rows = arrays_.labels->offsets().look(rows, varying_elements_max);
    for (ListReader& list : arrays_.lists) rows = list.rows.offsets().look(rows, varying_elements_max);
    if (arrays_.csr) make_room(capacity_.pairs, arrays_.csr->offsets(), rows);
    if (arrays_.labels) make_room(capacity_.labels, arrays_.labels->offsets(), rows);
    for (std::size_t i = 0; i < arrays_.lists.size(); ++i)
      make_room(capacity_.list_values[i], arrays_.lists[i].rows.offsets(), rows);
    BatchCapacity needed = capacity_;
    needed.rows = 0;
    if (!buffer_.capacity().holds(needed)) buffer_ = BatchBuffer(layout_, capacity_);
    return rows;
  }

  /// For the elements of the next `rows`, which are more than usual only if it is one.
  static void make_room(std::size_t& capacity, RowOffsets const& offsets, std::size_t rows) {
    std::size_t const needed = offsets.elements(rows);
    if (needed <= capacity) return;
    if (needed > array_row_elements_max)
      throw DeviceError(offsets.name() + ": a row has " + format_count(needed) +
                        " elements, more than this command holds");
    capacity = needed;
  }

  /// Fills the dense tensors; returns how many rows are whole. If they are not all, truncated_ says whose fault it is.
  std::size_t read_dense(Batch const& batch) {
    std::size_t rows = batch.rows;
    for (auto& [role, reader] : arrays_.dense) {
      Dense const& tensor = batch.tensor(role);
      std::size_t const wanted = batch.rows * tensor.row_bytes();
      std::size_t const got = tensor.columns == 0 ? wanted : reader.read({tensor.data, wanted});
      if (got == wanted) continue;
      truncated_ = &reader;
      rows = std::min(rows, got / tensor.row_bytes());  // whole rows before the end are good
    }
    return rows;
  }

  /// That an array has as many rows as the first one.
  void check_rows(std::string const& name, std::uint64_t rows) {
    if (first_name_.empty()) {
      first_name_ = name;
      rows_left_ = rows;
    }
    if (rows == rows_left_) return;
    throw SchemaError(name + ": " + format_count(rows) + " rows, but " + first_name_ + " has " +
                      format_count(rows_left_));
  }

  void add_csr(CsrReader const& csr) {
    check_rows(csr.name(), csr.rows());
    layout_.is_sparse = true;
    layout_.features = static_cast<std::size_t>(csr.columns());
    layout_.feature_dtype = csr.dtype();
  }

  void add_labels(RaggedReader const& labels) {
    check_rows(labels.name(), labels.rows());
    layout_.labels_vary = true;
    layout_.label_dtype = labels.dtype();
  }

  void set_layout(Role role, ArrayReader const& reader) {
    npy::Array const& array = reader.array();
    auto const columns = static_cast<std::size_t>(array.columns());
    switch (role) {
      case Role::label: layout_.labels = columns, layout_.label_dtype = array.dtype; break;
      case Role::weight: layout_.has_weight = expect(reader, DType::float32); break;
      case Role::qid: layout_.has_qid = expect(reader, DType::int64); break;
      case Role::base_margin: layout_.has_base_margin = expect(reader, DType::float32); break;
      case Role::start: layout_.has_start = expect(reader, DType::int64); break;
      case Role::cat: layout_.cats = expect_categories(reader); break;
      default: layout_.features = columns, layout_.feature_dtype = array.dtype; break;
    }
  }

  static bool expect(ArrayReader const& reader, DType dtype) {
    if (reader.array().dtype == dtype && reader.array().columns() == 1) return true;
    throw SchemaError(reader.name() + ": expected one " + std::string(name_of(dtype)) + " a row");
  }

  static std::size_t expect_categories(ArrayReader const& reader) {
    npy::Array const& array = reader.array();
    if (array.dtype != DType::int32) throw SchemaError(reader.name() + ": expected categories of int32");
    return static_cast<std::size_t>(array.columns());
  }

  /// That start and cat of the rows behind the first `before` are times and categories.
  void check_series(Batch const& batch, std::uint64_t before) const {
    for (auto const& [role, reader] : arrays_.dense) {
      if (role == Role::start) check_times(batch.start, before, reader.name());
      if (role == Role::cat) check_categories(batch.cat, before, reader.name());
    }
  }

  Arrays arrays_;
  std::vector<std::string> notes_;
  std::string first_name_;  ///< of the array whose rows the others must have
  std::uint64_t rows_left_ = 0;
  std::uint64_t rows_read_ = 0;
  std::uint64_t rows_max_ = 1;
  std::uint64_t row_bytes_ = 0;  ///< of the dense arrays
  BatchLayout layout_;
  BatchCapacity capacity_;
  BatchBuffer buffer_;
  ArrayReader const* truncated_ = nullptr;  ///< an array that ended too early: behind its whole rows there are no more
  std::exception_ptr failure_;
};

/// Names of arrays beyond those of roles.
constexpr std::string_view label_values = "label_values";
constexpr std::string_view label_offsets = "label_offsets";

/// What scipy.sparse.load_npz asks for; `_is_array` says which Python class it was.
constexpr std::array<std::string_view, 6> csr_names = {"data", "indices", "indptr", "format", "shape", "_is_array"};

bool is_sparse(NpzArchive const& archive) { return !archive.has(name_of(Role::feature)) && archive.has("format"); }

CsrReader open_csr(NpzArchive const& archive) {
  std::string const format = archive.text("format");
  if (format != "csr")
    throw SchemaError(archive.path() + ": holds a sparse matrix of the kind " + escape_for_display(format, 20) +
                          "; rows can be read from csr only",
                      "Convert it with tocsr() before saving.");
  ArrayReader shape = archive.open("shape");
  expect_integers(shape, 2);
  std::array<std::int64_t, 2> extents{};
  shape.read_integers(extents);
  if (extents[0] < 0 || extents[1] < 0) throw SourceError(shape.name() + ": has a negative extent");
  return CsrReader({static_cast<std::uint64_t>(extents[0]), static_cast<std::uint64_t>(extents[1]),
                    archive.open("indptr"), archive.open("indices"), archive.open("data")});
}

std::optional<RaggedReader> open_labels(NpzArchive const& archive) {
  bool const has_values = archive.has(label_values);
  if (!has_values && !archive.has(label_offsets)) return std::nullopt;
  if (archive.has(name_of(Role::label)))
    throw SchemaError(archive.path() + ": has both label and " +
                      std::string(has_values ? label_values : label_offsets));
  return RaggedReader(archive.open(label_values), archive.open(label_offsets));
}

void check_features(NpzArchive const& archive) {
  if (archive.has(name_of(Role::feature)) || archive.has("format") || has_lists(archive)) return;
  std::string const names = archive.others({});
  throw SchemaError(archive.path() + ": has no array called features, nor those of a sparse matrix or of lists",
                    names.empty() ? "" : "It has " + names + ".");
}

/// What nobody reads.
std::vector<std::string> notes_on(NpzArchive const& archive) {
  std::vector<std::string_view> known = {label_values, label_offsets};
  for (Role role : tensor_roles) known.push_back(name_of(role));
  if (is_sparse(archive)) known.insert(known.end(), csr_names.begin(), csr_names.end());
  std::vector<std::string> const of_lists = names_of_lists(archive);
  known.insert(known.end(), of_lists.begin(), of_lists.end());
  std::string const others = archive.others(known);
  if (others.empty()) return {};
  return {"not shown: " + others};
}

}  // namespace

std::unique_ptr<BatchReader> open_npy(InputFile const& file) {
  auto source = open_source(file);
  std::string name = source->name();
  Arrays arrays;
  arrays.dense.emplace_back(Role::feature, ArrayReader(std::move(source), std::move(name)));
  return std::make_unique<ArraysReader>(std::move(arrays), std::vector<std::string>{});
}

std::unique_ptr<BatchReader> open_npz(InputFile const& file) {
  NpzArchive const archive(file);
  check_features(archive);
  Arrays arrays;
  if (is_sparse(archive)) arrays.csr.emplace(open_csr(archive));
  arrays.labels = open_labels(archive);
  arrays.lists = open_lists(archive);
  for (Role role : tensor_roles) {
    if (archive.has(name_of(role))) arrays.dense.emplace_back(role, archive.open(name_of(role)));
  }
  return std::make_unique<ArraysReader>(std::move(arrays), notes_on(archive));
}

}  // namespace penstock::app
