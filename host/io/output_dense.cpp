#include "host/io/output_dense.hpp"

#include "formats/dense/npy.hpp"
#include "host/io/output_files.hpp"
#include "penstock/error.hpp"

#include <cstdint>
#include <optional>

namespace penstock {
namespace {

/// The header is replaced when the rows have been counted; on a pipe, the rows wait for it.
class NpyOutput final : public Output {
 public:
  NpyOutput(OutputOptions const& options, OutputFiles const& files)
      : layout_(options.layout), files_(files, options.overwrite), file_(files_.open(options.path)) {
    if (file_.seekable() == nullptr)
      spool_.emplace(options.path);
    else
      file_.write(header());
  }

  void write(Round const& round) override {
    std::span<std::byte const> const bytes = row_bytes_of(round.batch, Role::feature, layout_);
    rows_ += round.batch.rows;
    if (bytes.empty()) return;
    if (spool_)
      spool_->write(bytes);
    else
      file_.write(bytes);
  }

  void finish() override {
    if (spool_) {
      file_.write(header());
      spool_->copy_to(file_.sink());
    } else {
      file_.seekable()->write_at(0, header());
    }
    files_.commit();
  }

  [[nodiscard]] std::vector<std::string> const& paths() const override { return files_.paths(); }

 private:
  [[nodiscard]] npy::HeaderBytes header() const {
    return npy::make_header(layout_.feature_dtype, rows_, layout_.features);
  }

  BatchLayout layout_;
  OutputFileSet files_;
  OutputFile& file_;
  std::uint64_t rows_ = 0;
  std::optional<Spool> spool_;  // on a pipe
};

}  // namespace

void throw_other_layout() { throw Error(ExitCode::internal, "a batch does not have the layout of its output"); }

std::span<std::byte const> row_bytes_of(Batch const& batch, Role role, BatchLayout const& layout) {
  if (batch.rows == 0) return {};
  Dense const& tensor = batch.tensor(role);
  std::size_t const columns = layout.columns(role);
  if (tensor.columns != columns || (columns != 0 && tensor.dtype != layout.dtype(role))) throw_other_layout();
  return {tensor.data, batch.rows * tensor.row_bytes()};
}

std::unique_ptr<Output> make_npy_output(OutputOptions const& options, OutputFiles const& files) {
  return std::make_unique<NpyOutput>(options, files);
}

}  // namespace penstock
