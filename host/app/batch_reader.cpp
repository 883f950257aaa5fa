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

#include "host/io/file_descriptor.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/source.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

FileFormat const* format_of_mark(std::string_view bytes) {
  for (FileFormat const* const format : file_formats()) {
    if (format->bears_mark(bytes)) return format;
  }
  return nullptr;
}

FileFormat const& csv_format() { return *format_named("csv"); }

/// Null if the name says nothing.
FileFormat const* format_of_name(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  return format_of_suffix(name);
}

FileFormat const& format_of_looks(std::string_view bytes) {
  for (FileFormat const* const format : file_formats()) {
    if (format->looks_like(bytes)) return *format;
  }
  return csv_format();
}

std::string first_bytes(Source& source) {
  std::string bytes(mark_bytes_max, '\0');
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
  if (::tee(descriptor, writing.get(), mark_bytes_max, SPLICE_F_NONBLOCK) <= 0) return {};
  std::string bytes(mark_bytes_max, '\0');
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
  std::string bytes(mark_bytes_max, '\0');
  ssize_t const got = ::pread(STDIN_FILENO, bytes.data(), bytes.size(), at);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

/// The first bytes of an input, which can be read again; nothing where that is not possible.
std::string head_of(InputFile const& file) {
  if (file.is_stdin) return peek_stdin();
  if (!file.is_regular) return {};
  std::string bytes = first_bytes(*open_stored(file));
  return bytes.starts_with("\x1f\x8b") ? first_bytes(*open_source(file)) : bytes;
}

/// Readers one behind the other.
class ChainedReader final : public BatchReader {
 public:
  ChainedReader(std::vector<InputFile> files, FileFormat const& format) : files_(std::move(files)), format_(format) {
    open_current();
    while (is_empty() && at_ + 1 < files_.size()) {
      ++at_;
      open_current();
    }
    layout_ = current_->layout();
    notes_ = current_->notes();
  }

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
    current_ = format_.open(files_[at_]);
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
  FileFormat const& format_;
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

FileFormat const* format_of_content(InputFile const& file) { return format_of_mark(head_of(file)); }

FileFormat const* format_of(InputFile const& file) {
  std::string const head = head_of(file);
  if (FileFormat const* const format = format_of_mark(head)) return format;
  FileFormat const* const named = file.is_stdin ? nullptr : format_of_name(file.path);
  return named != nullptr ? named : &format_of_looks(head);
}

FileFormat const& common_format(std::vector<InputFile> const& files, FileFormat const* wanted) {
  if (wanted != nullptr) return *wanted;
  FileFormat const* const format = format_of(files.front());
  for (InputFile const& file : files) {
    FileFormat const* const other = &file == &files.front() ? format : format_of(file);
    if (other == format) continue;
    throw ConfigurationError(files.front().path + " is " + std::string(format->info().title) + ", but " + file.path +
                                 " is " + std::string(other->info().title),
                             "Read files of one format at a time.");
  }
  return *format;
}

std::vector<std::string> BatchReader::names(Role) const { return {}; }

PlannedReader::PlannedReader(std::unique_ptr<InputPlan> plan, StreamOptions const& stream)
    : plan_(std::move(plan)), stream_(*plan_, stream) {}

bool PlannedReader::next(Batch& batch) {
  throw_if_interrupted();
  Round const* const round = stream_.next();
  if (round == nullptr) return false;
  batch = round->batch;
  device_rows_ = round->device_rows;
  return true;
}

std::vector<std::string> PlannedReader::names(Role role) const {
  return plan_->has_names() ? plan_->names(role) : std::vector<std::string>{};
}

std::vector<std::string> PlannedReader::notes() const {
  std::vector<std::string> notes = plan_->notes();
  std::uint64_t const others = stream_.counts().other_entries;
  if (others > 0) notes.push_back(format_count(others) + " records have entries under other keys, which are left out");
  return notes;
}

std::unique_ptr<BatchReader> open_batches(std::vector<InputFile> const& files, FileFormat const& format,
                                          ReadOptions const& options) {
  if (!format.is_planned()) return open_arrays(files, format, options.stream);
  PlanRequest const request{options.stream, options.needs_width, {}, options.finds_texts};
  return std::make_unique<PlannedReader>(format.plan(files, options.arguments, request), options.stream);
}

std::unique_ptr<BatchReader> open_arrays(std::vector<InputFile> const& files, FileFormat const& format,
                                         StreamOptions const& window) {
  auto rows = std::make_unique<ChainedReader>(files, format);
  if (window.skip == 0 && !window.limit) return rows;
  std::uint64_t const limit = window.limit.value_or(std::numeric_limits<std::uint64_t>::max());
  return std::make_unique<RowWindow>(std::move(rows), window.skip, limit);
}

}  // namespace penstock::app
