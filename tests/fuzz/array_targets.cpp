#include "tests/fuzz/array_targets.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "formats/dense/crc32.hpp"
#include "formats/dense/npy_reader.hpp"
#include "formats/dense/npy_text.hpp"
#include "formats/dense/npy_writer.hpp"
#include "formats/dense/zip_reader.hpp"
#include "formats/dense/zip_writer.hpp"
#include "host/app/batch_reader.hpp"
#include "host/app/file_formats.hpp"
#include "penstock/error.hpp"
#include "tests/fuzz/choices.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::fuzz {
namespace {

using testing::promise;

/// A file that lies in memory and has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::runtime_error("memfd_create failed");
    if (::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("a file in memory cannot be written");
    file_.path = "/proc/self/fd/" + std::to_string(descriptor_);
    file_.is_regular = true;
    file_.size_bytes = bytes.size();
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(MemoryFile const&) = delete;
  MemoryFile& operator=(MemoryFile const&) = delete;
  [[nodiscard]] InputFile const& input() const { return file_; }

 private:
  int descriptor_;
  InputFile file_;
};

/// The first rows of a file, and how reading ended.
struct ReadRows {
  std::vector<testing::RunRow> rows;
  std::string error;
  bool is_whole = false;  ///< all rows were read
};

/// A few bytes can speak of any number of rows without bytes.
constexpr std::size_t rows_max = 2000;

/// As testing::check_rows(), which is about a decoder's batches: offsets of any rows need not begin with 0.
void check_rows(Batch const& batch) {
  for (auto const* offsets : {batch.csr.indptr, batch.labels.offsets}) {
    if (offsets == nullptr) continue;
    promise(std::is_sorted(offsets, offsets + batch.rows + 1), "offsets descend");
  }
  if (batch.csr.indptr == nullptr) return;
  for (std::size_t row = 0; row < batch.rows; ++row) {
    Extent const pairs = batch.csr.row(row);
    for (std::size_t i = pairs.begin; i < pairs.end; ++i) {
      auto const index = static_cast<std::uint64_t>(batch.csr.indices[i]);
      promise(index < batch.csr.columns, "an index beyond the width");
      promise(i == pairs.begin || batch.csr.indices[i] > batch.csr.indices[i - 1], "indices do not ascend strictly");
    }
  }
}

void take_rows(app::BatchReader& reader, ReadRows& out) {
  Batch batch;
  while (out.rows.size() < rows_max && reader.next(batch)) {
    promise(batch.rows > 0, "a batch without rows");
    std::size_t const rows = std::min(batch.rows, rows_max - out.rows.size());
    Batch const part = batch.rows_from(0, rows);
    check_rows(part);
    for (std::size_t row = 0; row < rows; ++row) out.rows.push_back(testing::row_of(part, row));
  }
  out.is_whole = out.rows.size() < rows_max;
}

ReadRows read_rows(app::FileFormat const& format, InputFile const& file, StreamOptions const& window) {
  ReadRows out;
  try {
    take_rows(*app::open_arrays({file}, format, window), out);
  } catch (Error const& error) {
    if (error.exit_code() == ExitCode::internal) throw;
    out.error = error.what();
  }
  return out;
}

/// Rows [skip, skip + limit) are those of the whole.
void check_window(app::FileFormat const& format, InputFile const& file, ReadRows const& whole, Choices& choices) {
  if (!whole.is_whole) return;
  StreamOptions window;
  window.skip = choices.below(whole.rows.size() + 2 < 256 ? whole.rows.size() + 2 : 256);
  window.limit = choices.below(64);
  std::size_t const first = std::min<std::size_t>(window.skip, whole.rows.size());
  std::size_t const count = std::min<std::size_t>(*window.limit, whole.rows.size() - first);
  auto const begin = whole.rows.begin() + static_cast<std::ptrdiff_t>(first);
  std::vector<testing::RunRow> const expected(begin, begin + static_cast<std::ptrdiff_t>(count));
  ReadRows const part = read_rows(format, file, window);
  std::string const difference = testing::list_difference("row", expected, part.rows);
  if (!difference.empty()) throw std::logic_error("a stretch of rows differs: " + difference);
}

void read_file(std::string_view name, std::string_view bytes, Choices& choices) {
  MemoryFile const file(bytes);
  app::FileFormat const& format = *app::format_named(name);
  ReadRows const whole = read_rows(format, file.input(), {});
  check_window(format, file.input(), whole, choices);
}

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// What a header says does not depend on what lies behind it, and a writer's header for the same array says it too.
void check_npy_header(std::string_view file) {
  npy::Parsed const parsed = npy::parse_header(bytes_of(file));
  (void)npy::parse_text(bytes_of(file));
  if (parsed.status != npy::Status::ok) return;
  std::size_t const size = parsed.data_offset_bytes;
  promise(size <= file.size(), "data begins behind the file");
  std::string const exact(file.substr(0, size));
  promise(npy::parse_header(bytes_of(exact)).status == npy::Status::ok, "a header needs the bytes behind it");
  for (std::size_t shorter = 0; shorter < std::min<std::size_t>(size, 300); ++shorter) {
    std::string const part = exact.substr(0, shorter);
    promise(npy::parse_header(bytes_of(part)).status == npy::Status::truncated, "a part of a header is none");
  }
  npy::Array const& array = parsed.array;
  if (array.dimensions != 1) return;
  npy::HeaderBytes const written = npy::make_header(array.dtype, array.shape[0]);
  npy::Array const again = npy::parse_header(written).array;
  promise(again.dtype == array.dtype && again.shape[0] == array.shape[0],
          "a header that was written says another thing");
}

// --- archives -------------------------------------------------------------------------------------------------------

/// Every entry that comes out lies inside the archive.
void check_zip(std::string_view file) {
  std::span<std::byte const> const archive = bytes_of(file);
  zip::Entries entries(archive);
  for (zip::Entry entry; entries.next(entry);) {
    promise(entry.data_offset_bytes <= file.size(), "an entry behind the archive");
    promise(entry.stored_bytes <= file.size() - entry.data_offset_bytes, "an entry goes on behind the archive");
    if (zip::readable(entry) == zip::Status::ok) (void)zip::has_intact_data(archive, entry);
    zip::Entry found;
    promise(zip::find(archive, entry.name, found) != zip::Status::not_found, "an entry is not found by its name");
  }
}

constexpr std::string_view array_names[] = {"features.npy",    "label.npy",        "weight.npy",  "qid.npy",
                                            "base_margin.npy", "label_values.npy", "format.npy",  "indptr.npy",
                                            "shape.npy",       "data.npy",         "indices.npy", "label_offsets.npy"};
/// What archives hold: dense, CSR, CSR with labels that vary, and anything.
constexpr std::size_t array_orders[4][6] = {
    {0, 1, 2, 3, 4, 6}, {6, 8, 7, 10, 9, 1}, {6, 8, 7, 10, 9, 5}, {0, 5, 11, 2, 3, 1}};

void append_header(std::string& bytes, zip::Header const& header) {
  auto const span = header.bytes();
  bytes.append(reinterpret_cast<char const*>(span.data()), span.size());
}

/// A sound archive whose arrays are the pieces of `file` that begin with NumPy's magic.
std::string archive_of(std::string_view file, Choices& choices) {
  auto const& order = choices.one_of(array_orders);
  std::string bytes, directory;
  std::size_t count = 0;
  while (count < std::size(order) && !file.empty()) {
    std::size_t const end = std::min(file.find(npy::magic, 1), file.size());
    std::string_view const data = file.substr(0, end);
    file.remove_prefix(end);
    zip::Entry entry;
    entry.name = array_names[order[count]];
    entry.size_bytes = entry.stored_bytes = data.size();
    entry.header_offset_bytes = bytes.size();
    entry.crc = crc32(bytes_of(data));
    append_header(bytes, zip::local_header(entry));
    bytes += data;
    append_header(directory, zip::central_header(entry));
    ++count;
  }
  zip::Directory const end{count, bytes.size(), directory.size()};
  bytes += directory;
  append_header(bytes, zip::end_records(end));
  return bytes;
}

}  // namespace

void run_npy_target(std::string_view input) {
  Choices choices(input);
  std::string_view const file = file_of(input);
  check_npy_header(file);
  read_file("npy", file, choices);
}

void run_npz_target(std::string_view input) {
  Choices choices(input);
  bool const is_raw = !choices.flag();
  std::string const archive = is_raw ? std::string(file_of(input)) : archive_of(file_of(input), choices);
  check_zip(archive);
  read_file("npz", archive, choices);
}

}  // namespace penstock::fuzz
