#include "host/app/batch_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/dense/npy_layout.hpp"
#include "formats/recordio/framing.hpp"
#include "host/io/file_descriptor.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/source.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// As much as a zip archive's first entry needs to say its name, if that is the name of an array.
constexpr std::size_t mark_bytes = 96;
constexpr std::string_view zip_mark("PK\x03\x04", 4);
constexpr std::string_view empty_zip_mark("PK\x05\x06", 4);

/// Spreadsheets and other documents are zip archives too. The name is at a fixed place (APPNOTE.TXT, 4.3.7); one that
/// is longer than what is looked at is some array's for all that is known.
bool begins_npz(std::string_view bytes) {
  constexpr std::size_t size_at = 26;
  constexpr std::size_t name_at = 30;
  if (!bytes.starts_with(zip_mark)) return false;
  if (bytes.size() < name_at) return true;
  auto const byte = [bytes](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])); };
  std::size_t const size = byte(size_at) | byte(size_at + 1) << 8;
  return name_at + size > bytes.size() || bytes.substr(name_at, size).ends_with(".npy");
}

std::optional<InputKind> kind_of_mark(std::string_view bytes) {
  std::array<std::byte, 4> frame{};
  recordio::put_word(frame.data(), recordio::magic);
  std::string_view const frame_mark(reinterpret_cast<char const*>(frame.data()), frame.size());
  if (bytes.starts_with(npy::magic)) return InputKind::npy;
  if (begins_npz(bytes) || bytes.starts_with(empty_zip_mark)) return InputKind::npz;
  if (bytes.starts_with(frame_mark)) return InputKind::recordio;
  return std::nullopt;
}

InputKind kind_of_name(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.ends_with(".npy")) return InputKind::npy;
  if (name.ends_with(".npz")) return InputKind::npz;
  for (std::string_view suffix : {".rec", ".pbr", ".pb", ".recordio"}) {
    if (name.ends_with(suffix)) return InputKind::recordio;
  }
  return InputKind::csv;
}

std::string first_bytes(Source& source) {
  std::string bytes(mark_bytes, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    std::size_t const got = source.read(bytes.data() + size, bytes.size() - size);
    if (got == 0) break;
    size += got;
  }
  bytes.resize(size);
  return bytes;
}

/// The first bytes in a pipe, which stay in it: tee(2) copies without consuming.
std::string peek_pipe(int descriptor) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  FileDescriptor const reading(ends[0]);
  FileDescriptor const writing(ends[1]);
  wait_until_ready(descriptor, POLLIN);
  if (::tee(descriptor, writing.get(), mark_bytes, SPLICE_F_NONBLOCK) <= 0) return {};
  std::string bytes(mark_bytes, '\0');
  ssize_t const got = ::read(reading.get(), bytes.data(), bytes.size());
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

/// The first bytes of standard input, which stay there; nothing where that is not possible.
std::string peek_stdin() {
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) != 0) return {};
  if (S_ISFIFO(status.st_mode)) return peek_pipe(STDIN_FILENO);
  off_t const at = S_ISREG(status.st_mode) ? ::lseek(STDIN_FILENO, 0, SEEK_CUR) : -1;
  if (at < 0) return {};
  std::string bytes(mark_bytes, '\0');
  ssize_t const got = ::pread(STDIN_FILENO, bytes.data(), bytes.size(), at);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

/// Readers one behind the other.
class ChainedReader final : public BatchReader {
 public:
  using Open = std::unique_ptr<BatchReader> (*)(InputFile const&);
  ChainedReader(std::vector<InputFile> files, Open open) : files_(std::move(files)), open_(open) {
    open_current();
    while (is_empty() && at_ + 1 < files_.size()) {
      ++at_;
      open_current();
    }
    layout_ = current_->layout();
    notes_ = current_->notes();
  }

  /// Before the first next(): whether any file has rows.
  [[nodiscard]] bool has_rows() const { return pending_.has_value(); }
  [[nodiscard]] BatchLayout const& layout() const override { return layout_; }
  bool next(Batch& batch) override {
    while (true) {
      if (pending_)
        batch = *std::exchange(pending_, std::nullopt);
      else if (!current_->next(batch))
        batch.rows = 0;
      if (batch.rows != 0) return true;
      if (at_ + 1 == files_.size()) return false;
      ++at_;
      open_current();
      if (!is_empty()) check_layout();
    }
  }
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }

 private:
  void open_current() {
    current_.reset();
    current_ = open_(files_[at_]);
  }

  /// Whether the file has no rows, and so nothing to say about columns.
  bool is_empty() {
    Batch batch;
    if (current_->next(batch)) pending_ = batch;
    return !pending_;
  }

  void check_layout() const {
    if (current_->layout() == layout_) return;
    throw SchemaError(files_[at_].path + ": its columns or types are not those of " + files_[0].path,
                      "penstock inspect shows each");
  }

  std::vector<InputFile> files_;
  Open open_;
  std::size_t at_ = 0;
  std::unique_ptr<BatchReader> current_;
  std::optional<Batch> pending_;  ///< rows of the current file that were read and not handed out
  BatchLayout layout_;
  std::vector<std::string> notes_;
};

/// A stretch of another reader's rows.
class RowWindow final : public BatchReader {
 public:
  RowWindow(std::unique_ptr<BatchReader> rows, std::uint64_t skip, std::uint64_t limit)
      : rows_(std::move(rows)), skip_(skip), limit_(limit) {}

  [[nodiscard]] BatchLayout const& layout() const override { return rows_->layout(); }
  bool next(Batch& batch) override {
    while (limit_ != 0 && rows_->next(batch)) {
      auto const first = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, batch.rows));
      auto const count = static_cast<std::size_t>(std::min<std::uint64_t>(limit_, batch.rows - first));
      skip_ -= first;
      limit_ -= count;
      if (count == 0) continue;
      batch = batch.rows_from(first, count);
      return true;
    }
    return false;
  }
  [[nodiscard]] std::vector<std::string> notes() const override { return rows_->notes(); }

 private:
  std::unique_ptr<BatchReader> rows_;
  std::uint64_t skip_;
  std::uint64_t limit_;
};

}  // namespace

std::string_view name_of(InputKind kind) {
  constexpr std::string_view names[] = {"CSV", "RecordIO-protobuf", ".npy", ".npz"};
  return names[static_cast<std::size_t>(kind)];
}

std::optional<InputKind> kind_of_content(InputFile const& file) {
  if (file.is_stdin) return kind_of_mark(peek_stdin());
  if (!file.is_regular) return std::nullopt;
  std::string bytes = first_bytes(*open_stored(file));
  if (bytes.starts_with("\x1f\x8b")) bytes = first_bytes(*open_source(file));
  return kind_of_mark(bytes);
}

InputKind kind_of(InputFile const& file) {
  std::optional<InputKind> const kind = kind_of_content(file);
  return kind ? *kind : file.is_stdin ? InputKind::csv : kind_of_name(file.path);
}

InputKind common_kind(std::vector<InputFile> const& files, std::optional<InputKind> wanted) {
  if (wanted) return *wanted;
  InputKind const kind = kind_of(files.front());
  for (InputFile const& file : files) {
    InputKind const other = &file == &files.front() ? kind : kind_of(file);
    if (other == kind) continue;
    throw ConfigurationError(files.front().path + " is " + std::string(name_of(kind)) + ", but " + file.path + " is " +
                                 std::string(name_of(other)),
                             "Read files of one format at a time.");
  }
  return kind;
}

std::vector<std::string> BatchReader::names(Role) const { return {}; }

CsvBatchReader::CsvBatchReader(std::unique_ptr<CsvPlan> plan, StreamOptions const& stream)
    : plan_(std::move(plan)), stream_(*plan_, stream) {}

bool CsvBatchReader::next(Batch& batch) {
  throw_if_interrupted();
  Round const* const round = stream_.next();
  if (round == nullptr) return false;
  batch = round->batch;
  return true;
}

std::vector<std::string> CsvBatchReader::names(Role role) const {
  return plan_->has_header() ? plan_->names(role) : std::vector<std::string>{};
}

std::unique_ptr<BatchReader> open_batches(std::vector<InputFile> const& files, InputKind kind,
                                          ReadOptions const& options) {
  if (kind == InputKind::csv) return std::make_unique<CsvBatchReader>(plan_csv(files, options.csv), options.stream);
  auto const open = kind == InputKind::recordio ? open_recordio : kind == InputKind::npy ? open_npy : open_npz;
  auto rows = std::make_unique<ChainedReader>(files, open);
  if (kind == InputKind::recordio && !rows->has_rows()) {
    std::string const others = files.size() == 1 ? "" : " (nor in the other " + std::to_string(files.size() - 1) + ")";
    throw DataError((files[0].is_stdin ? "<stdin>" : files[0].path) + ": no records" + others);
  }
  if (options.stream.skip == 0 && !options.stream.limit) return rows;
  std::uint64_t const limit = options.stream.limit.value_or(std::numeric_limits<std::uint64_t>::max());
  return std::make_unique<RowWindow>(std::move(rows), options.stream.skip, limit);
}

}  // namespace penstock::app
