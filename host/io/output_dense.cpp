#include "host/io/output_dense.hpp"

#include "formats/dense/crc32.hpp"
#include "formats/dense/npy.hpp"
#include "formats/dense/zip.hpp"
#include "host/io/output_files.hpp"
#include "penstock/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace penstock {
namespace {

/// The array that one role's rows become; knows its header once all rows have passed.
class RowArray {
 public:
  RowArray(BatchLayout const& layout, Role role)
      : role_(role), dtype_(layout.dtype(role)), columns_(layout.columns(role)) {}

  /// The bytes of the batch's rows, which are counted.
  std::span<std::byte const> take(Batch const& batch) {
    if (batch.rows == 0) return {};
    Dense const& tensor = batch.tensor(role_);
    if (tensor.columns != columns_ || (columns_ != 0 && tensor.dtype != dtype_)) {
      throw Error(ExitCode::internal, "a batch does not have the layout of its output");
    }
    rows_ += batch.rows;
    return {tensor.data, batch.rows * tensor.row_bytes()};
  }
  /// Features are always a matrix; another role with one column is a vector.
  [[nodiscard]] npy::HeaderBytes header() const {
    bool const is_vector = role_ != Role::feature && columns_ == 1;
    return is_vector ? npy::make_header(dtype_, rows_) : npy::make_header(dtype_, rows_, columns_);
  }
  /// Of the .npy file: header and data.
  [[nodiscard]] std::uint64_t file_bytes() const { return npy::header_bytes + data_bytes(); }
  [[nodiscard]] std::uint64_t data_bytes() const { return rows_ * columns_ * size_bytes(dtype_); }

 private:
  Role role_;
  DType dtype_;
  std::size_t columns_;
  std::uint64_t rows_ = 0;
};

/// The header is replaced when the rows have been counted; on a pipe, the rows wait for it.
class NpyOutput final : public Output {
 public:
  NpyOutput(OutputOptions const& options, OutputFiles const& files)
      : files_(files, options.overwrite), file_(files_.open(options.path)), features_(options.layout, Role::feature) {
    if (file_.seekable() == nullptr)
      spool_.emplace(options.path);
    else
      file_.write(features_.header());
  }

  void write(Round const& round) override {
    std::span<std::byte const> const bytes = features_.take(round.batch);
    if (bytes.empty()) return;
    if (spool_)
      spool_->write(bytes);
    else
      file_.write(bytes);
  }

  void finish() override {
    if (spool_) {
      file_.write(features_.header());
      spool_->copy_to(file_.sink());
    } else {
      file_.seekable()->write_at(0, features_.header());
    }
    files_.commit();
  }

  [[nodiscard]] std::vector<std::string> const& paths() const override { return files_.paths(); }

 private:
  OutputFileSet files_;
  OutputFile& file_;
  RowArray features_;
  std::optional<Spool> spool_;  // on a pipe
};

/// An archive's array on its way. Without a spool it streams straight into the archive.
struct Member {
  std::string name;
  RowArray array;
  Crc32 data_crc;
  std::optional<Spool> spool;

  [[nodiscard]] zip::Entry entry(std::uint64_t header_offset_bytes) const {
    zip::Entry entry;
    entry.name = name;
    entry.size_bytes = entry.stored_bytes = array.file_bytes();
    entry.header_offset_bytes = header_offset_bytes;
    entry.crc = crc32_combine(crc32(array.header()), data_crc.value(), array.data_bytes());
    return entry;
  }
};

/// The first array streams into a seekable file behind headers that finish() replaces. The others, and on
/// a pipe all, wait in spools until the one before is complete.
class NpzOutput final : public Output {
 public:
  NpzOutput(OutputOptions const& options, OutputFiles const& files)
      : files_(files, options.overwrite), file_(files_.open(options.path)) {
    for (Role role : tensor_roles) {
      if (role != Role::feature && options.layout.columns(role) == 0) continue;
      members_.push_back({std::string(name_of(role)) + ".npy", RowArray(options.layout, role), {}, {}});
      bool const is_streamed = role == Role::feature && file_.seekable() != nullptr;
      if (!is_streamed) members_.back().spool.emplace(options.path);
    }
    if (file_.seekable() != nullptr) write_headers(members_.front());
  }

  void write(Round const& round) override {
    for (Member& member : members_) {
      std::span<std::byte const> const bytes = member.array.take(round.batch);
      if (bytes.empty()) continue;
      member.data_crc.update(bytes);
      if (member.spool)
        member.spool->write(bytes);
      else
        file_.write(bytes);
    }
  }

  void finish() override {
    zip::Directory directory;
    for (Member& member : members_) {
      complete(member);
      directory.offset_bytes += zip::local_header_bytes(member.name) + member.array.file_bytes();
    }
    std::uint64_t offset_bytes = 0;
    for (Member const& member : members_) {
      zip::Header const header = zip::central_header(member.entry(offset_bytes));
      file_.write(header.bytes());
      offset_bytes += zip::local_header_bytes(member.name) + member.array.file_bytes();
      directory.size_bytes += header.bytes().size();
      ++directory.entries;
    }
    file_.write(zip::end_records(directory).bytes());
    files_.commit();
  }

  [[nodiscard]] std::vector<std::string> const& paths() const override { return files_.paths(); }

 private:
  void write_headers(Member const& member) {
    file_.write(zip::local_header(member.entry(0)).bytes());
    file_.write(member.array.header());
  }

  /// Brings a member's final headers and all of its data into the archive.
  void complete(Member& member) {
    if (member.spool) {
      write_headers(member);
      member.spool->copy_to(file_.sink());
      member.spool.reset();  // gives its disk space back
      return;
    }
    file_.seekable()->write_at(0, zip::local_header(member.entry(0)).bytes());
    file_.seekable()->write_at(zip::local_header_bytes(member.name), member.array.header());
  }

  OutputFileSet files_;
  OutputFile& file_;
  std::vector<Member> members_;  // in the archive's order, features first
};

}  // namespace

std::unique_ptr<Output> make_npy_output(OutputOptions const& options, OutputFiles const& files) {
  return std::make_unique<NpyOutput>(options, files);
}

std::unique_ptr<Output> make_npz_output(OutputOptions const& options, OutputFiles const& files) {
  return std::make_unique<NpzOutput>(options, files);
}

}  // namespace penstock
