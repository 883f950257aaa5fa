#include "formats/dense/zip.hpp"
#include "host/io/output_arrays.hpp"
#include "host/io/output_dense.hpp"
#include "host/io/output_files.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock {
namespace {

using Kind = ArrayShape::Kind;

/// Offsets of rows begin with it, also where there are no rows.
constexpr std::int64_t first_offset = 0;

/// The members of the archive that is being written, in their order. References to them stay valid.
class Members {
 public:
  explicit Members(std::string path) : path_(std::move(path)) {}

  ArrayMember& add(std::string const& name, ArrayShape const& shape) {
    return *members_.emplace_back(std::make_unique<ArrayMember>(name, shape, path_));
  }
  IndexMember& add_index(std::string const& name) {
    auto member = std::make_unique<IndexMember>(name, path_);
    IndexMember& index = *member;
    members_.push_back(std::move(member));
    return index;
  }
  [[nodiscard]] ArrayMember& front() { return *members_.front(); }

  /// Everything but what streamed into `file` already.
  void finish(OutputFile& file) {
    zip::Directory directory;
    for (auto const& member : members_) {
      member->finish(file);
      directory.offset_bytes += member->archived_bytes();
    }
    std::uint64_t offset_bytes = 0;
    for (auto const& member : members_) {
      zip::Header const header = zip::central_header(member->entry(offset_bytes));
      file.write(header.bytes());
      offset_bytes += member->archived_bytes();
      directory.size_bytes += header.bytes().size();
      ++directory.entries;
    }
    file.write(zip::end_records(directory).bytes());
  }

 private:
  std::string path_;
  std::vector<std::unique_ptr<ArrayMember>> members_;
};

/// A dense tensor. Features are always a matrix; another role with one column is a vector.
class DenseMember {
 public:
  DenseMember(Members& members, BatchLayout const& layout, Role role)
      : layout_(layout), role_(role), member_(members.add(std::string(name_of(role)), shape_of(layout, role))) {}
  void write(Batch const& batch) { member_.append(row_bytes_of(batch, role_, layout_), batch.rows); }

 private:
  static ArrayShape shape_of(BatchLayout const& layout, Role role) {
    bool const is_vector = role != Role::feature && layout.columns(role) == 1;
    return {is_vector ? Kind::vector : Kind::matrix, layout.dtype(role), layout.columns(role)};
  }

  BatchLayout layout_;
  Role role_;
  ArrayMember& member_;
};

/// A CSR matrix: the arrays of scipy.sparse.save_npz, the values first, since they can stream whatever the counts.
class CsrMembers {
 public:
  CsrMembers(Members& members, BatchLayout const& layout)
      : layout_(layout),
        data_(members.add("data", {Kind::vector, layout.feature_dtype})),
        indices_(members.add_index("indices")),
        indptr_(members.add_index("indptr")),
        format_(members.add("format", {Kind::text})),
        shape_(members.add("shape", {Kind::vector, DType::int64})) {
    count(0, {});  // the columns may be too many for int32
    indptr_.append_shifted(std::span(&first_offset, 1), 0);
  }

  void write(Batch const& batch) {
    Csr const& csr = batch.csr;
    if (batch.rows == 0) return;
    if (csr.indptr == nullptr || csr.dtype != layout_.feature_dtype) throw_other_layout();
    Extent const pairs = csr.pairs();
    std::span<std::int64_t const> const indices(csr.indices + pairs.begin, pairs.size());
    std::int64_t const shift = pairs_ - csr.indptr[0];
    count(batch.rows, indices);
    std::size_t const value_bytes = size_bytes(csr.dtype);
    data_.append({csr.values + pairs.begin * value_bytes, pairs.size() * value_bytes}, pairs.size());
    indices_.append_shifted(indices, 0);
    indptr_.append_shifted({csr.indptr + 1, batch.rows}, shift);
  }

  /// When all rows have been written.
  void finish() {
    format_.append(std::as_bytes(std::span(std::string_view("csr"))), 3);
    std::int64_t const shape[] = {rows_, columns()};
    shape_.append(std::as_bytes(std::span(shape)), 2);
  }

 private:
  /// SciPy has one type for both integer arrays: int32 if either dimension and the number of pairs fit
  /// (scipy.sparse.get_index_dtype). What fits so far is widened as soon as one does not.
  void count(std::size_t rows, std::span<std::int64_t const> indices) {
    rows_ += static_cast<std::int64_t>(rows);
    pairs_ += static_cast<std::int64_t>(indices.size());
    for (std::int64_t index : indices) width_ = std::max(width_, index + 1);
    if (layout_.features != 0 && static_cast<std::uint64_t>(width_) > layout_.features) throw_other_layout();
    if (std::max({rows_, pairs_, columns()}) <= std::numeric_limits<std::int32_t>::max()) return;
    indices_.widen();
    indptr_.widen();
  }
  /// Where the layout does not know them, as many as the largest index asks for.
  [[nodiscard]] std::int64_t columns() const {
    return layout_.features != 0 ? static_cast<std::int64_t>(layout_.features) : width_;
  }

  BatchLayout layout_;
  ArrayMember& data_;
  IndexMember& indices_;
  IndexMember& indptr_;
  ArrayMember& format_;
  ArrayMember& shape_;
  std::int64_t rows_ = 0;
  std::int64_t pairs_ = 0;
  std::int64_t width_ = 0;  ///< one beyond the largest index
};

/// Rows of different lengths: all values, and where each row's begin, and the last row's end.
class RaggedMembers {
 public:
  struct Names {
    std::string values;
    std::string offsets;
  };
  RaggedMembers(Members& members, Names const& names, DType dtype)
      : dtype_(dtype),
        values_(members.add(names.values, {Kind::vector, dtype})),
        offsets_(members.add_index(names.offsets)) {
    offsets_.widen();  // always int64: there is no other program's choice to follow
    offsets_.append_shifted(std::span(&first_offset, 1), 0);
  }

  void write(Ragged const& rows) {
    if (rows.rows == 0) return;
    if (rows.offsets == nullptr || rows.dtype != dtype_) throw_other_layout();
    Extent const all{rows.row(0).begin, rows.row(rows.rows - 1).end};
    std::int64_t const shift = static_cast<std::int64_t>(values_.rows()) - rows.offsets[0];
    std::size_t const value_bytes = size_bytes(dtype_);
    values_.append({rows.values + all.begin * value_bytes, all.size() * value_bytes}, all.size());
    offsets_.append_shifted({rows.offsets + 1, rows.rows}, shift);
  }

 private:
  DType dtype_;
  ArrayMember& values_;
  IndexMember& offsets_;
};

/// A list of each row: NAME and NAME_offsets; of a target also which values are there, of dynamic features how many
/// lists each row is.
class ListMembers {
 public:
  ListMembers(Members& members, ListLayout const& layout)
      : layout_(layout),
        rows_(members, {std::string(name_of(layout.role)), std::string(name_of(layout.role)) + "_offsets"},
              layout.dtype) {
    if (layout.role == ListRole::target) observed_ = &members.add("target_observed", {Kind::flags});
    if (layout.role == ListRole::dynamic_feat)
      parts_ = &members.add("dynamic_feat_lists", {Kind::vector, DType::int64});
  }

  void write(Ragged const& rows) {
    rows_.write(rows);
    if (observed_ == nullptr || rows.rows == 0) return;
    Extent const all{rows.row(0).begin, rows.row(rows.rows - 1).end};
    switch (layout_.dtype) {
      case DType::float32: return append_observed<float>(rows, all);
      case DType::float64: return append_observed<double>(rows, all);
      case DType::int32: return append_observed<std::int32_t>(rows, all);
      case DType::int64: return append_observed<std::int64_t>(rows, all);
    }
  }

  /// When all rows have been written.
  void finish() {
    if (parts_ == nullptr) return;
    auto const parts = static_cast<std::int64_t>(layout_.parts);
    parts_->append(std::as_bytes(std::span(&parts, 1)), 1);
  }

 private:
  /// A NaN is a missing value.
  template <class T>
  void append_observed(Ragged const& rows, Extent all) {
    std::span<T const> values(rows.as<T>() + all.begin, all.size());
    std::array<std::byte, 4096> block;  // stays in a first-level cache
    while (!values.empty()) {
      std::size_t const count = std::min(values.size(), block.size());
      for (std::size_t i = 0; i < count; ++i) block[i] = std::byte{values[i] == values[i]};
      observed_->append(std::span(block).first(count), count);
      values = values.subspan(count);
    }
  }

  ListLayout layout_;
  RaggedMembers rows_;
  ArrayMember* observed_ = nullptr;  ///< of a target
  ArrayMember* parts_ = nullptr;     ///< of dynamic features
};

/// The first array streams into a seekable file behind headers that finish() replaces. The others, and on
/// a pipe all, wait in spools until the one before is complete.
class NpzOutput final : public Output {
 public:
  NpzOutput(OutputOptions const& options, OutputFiles const& files)
      : files_(files, options.overwrite), file_(files_.open(options.path)), members_(options.path) {
    BatchLayout const& layout = options.layout;
    if (layout.is_sparse)
      csr_.emplace(members_, layout);
    else if (layout.features != 0 || !layout.has_lists())
      dense_.emplace_back(members_, layout, Role::feature);
    if (layout.labels_vary)
      labels_.emplace(members_, RaggedMembers::Names{"label_values", "label_offsets"}, layout.label_dtype);
    for (ListLayout const& list : layout.lists) {
      if (list.role != ListRole::none) lists_.emplace_back(members_, list);
    }
    if (file_.seekable() != nullptr) members_.front().stream_to(file_);
    for (Role role : tensor_roles) {
      if (role != Role::feature && layout.columns(role) != 0) dense_.emplace_back(members_, layout, role);
    }
  }

  void write(Round const& round) override {
    if (csr_) csr_->write(round.batch);
    if (labels_) labels_->write(round.batch.labels);
    for (std::size_t i = 0; i < lists_.size(); ++i) lists_[i].write(round.batch.lists[i]);
    for (DenseMember& member : dense_) member.write(round.batch);
  }

  void finish() override {
    if (csr_) csr_->finish();
    for (ListMembers& list : lists_) list.finish();
    members_.finish(file_);
    files_.commit();
  }

  [[nodiscard]] std::vector<std::string> const& paths() const override { return files_.paths(); }

 private:
  OutputFileSet files_;
  OutputFile& file_;
  Members members_;
  std::optional<CsrMembers> csr_;
  std::optional<RaggedMembers> labels_;
  std::vector<ListMembers> lists_;
  std::vector<DenseMember> dense_;
};

}  // namespace

std::unique_ptr<Output> make_npz_output(OutputOptions const& options, OutputFiles const& files) {
  return std::make_unique<NpzOutput>(options, files);
}

}  // namespace penstock
