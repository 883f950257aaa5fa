// .npy and .npz as batches: arrays are read from where they lie, a batch of rows at a time.

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/dense/crc32.hpp"
#include "formats/dense/npy.hpp"
#include "formats/dense/zip.hpp"
#include "host/app/batch_reader.hpp"
#include "host/io/file_descriptor.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/source.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

constexpr std::size_t batch_bytes = std::size_t{1} << 20;
/// The longest row: as long as the longest record of RecordIO.
constexpr std::uint64_t row_bytes_max = std::uint64_t{1} << 29;
/// NumPy's headers are 128 bytes; the format's first version allows 64 KiB.
constexpr std::size_t header_bytes_max = std::size_t{64} << 10;

/// One array, row by row.
class ArrayReader {
 public:
  ArrayReader(std::unique_ptr<Source> source, std::string name) : source_(std::move(source)), name_(std::move(name)) {
    npy::Parsed parsed;
    do {
      parsed = npy::parse_header(std::as_bytes(std::span(head_)));
    } while (parsed.status == npy::Status::truncated && head_.size() < header_bytes_max && grow_head());
    if (parsed.status != npy::Status::ok) {
      std::string const found = parsed.found.empty() ? "" : " " + std::string(parsed.found);
      throw SourceError(name_ + ": " + std::string(describe(parsed.status)) + found);
    }
    array_ = parsed.array;
    given_ = parsed.data_offset_bytes;
    if (row_bytes() > row_bytes_max)
      throw DeviceError(name_ + ": its rows have " + format_bytes(row_bytes()) + ", more than this command holds");
  }

  [[nodiscard]] npy::Array const& array() const { return array_; }
  [[nodiscard]] std::uint64_t row_bytes() const { return array_.columns() * size_bytes(array_.dtype); }
  [[nodiscard]] std::string const& name() const { return name_; }

  /// Fills `into` with the next bytes of the array, and returns how many there are: fewer only at the end of the file.
  std::size_t read(std::span<std::byte> into) {
    std::size_t const from_head = std::min(into.size(), head_.size() - given_);
    std::copy_n(std::as_bytes(std::span(head_)).begin() + static_cast<std::ptrdiff_t>(given_), from_head, into.begin());
    given_ += from_head;
    for (std::size_t filled = from_head; filled < into.size();) {
      std::size_t const got = source_->read(reinterpret_cast<char*>(into.data()) + filled, into.size() - filled);
      if (got == 0) return filled;
      filled += got;
    }
    return into.size();
  }

  [[noreturn]] void throw_truncated() const {
    throw SourceError(name_ + ": ends before the " + format_count(array_.rows()) + " rows of its header");
  }

 private:
  bool grow_head() {
    constexpr std::size_t step_bytes = 4096;
    std::size_t const before = head_.size();
    head_.resize(before + step_bytes);
    std::size_t const got = source_->read(head_.data() + before, step_bytes);
    head_.resize(before + got);
    return got != 0;
  }

  std::unique_ptr<Source> source_;
  std::string name_;
  std::string head_;  ///< the first bytes; from given_ on they are data that was not handed out
  std::size_t given_ = 0;
  npy::Array array_;
};

/// Arrays with the same number of rows, side by side.
class ArraysReader final : public BatchReader {
 public:
  ArraysReader(std::vector<std::pair<Role, ArrayReader>> arrays, std::vector<std::string> notes)
      : arrays_(std::move(arrays)), notes_(std::move(notes)), rows_left_(arrays_.front().second.array().rows()) {
    std::uint64_t row_bytes = 0;
    for (auto const& [role, reader] : arrays_) {
      check_rows(reader);
      set_layout(role, reader);
      row_bytes += reader.row_bytes();
    }
    // Rows without bytes cost nothing, so all of them are one batch.
    constexpr std::uint64_t any_number = std::numeric_limits<std::int64_t>::max();
    rows_max_ = row_bytes == 0 ? any_number : std::max<std::uint64_t>(batch_bytes / row_bytes, 1);
    buffer_ = BatchBuffer(layout_, row_bytes == 0 ? 0 : static_cast<std::size_t>(rows_max_));
  }

  [[nodiscard]] BatchLayout const& layout() const override { return layout_; }
  bool next(Batch& batch) override {
    throw_if_interrupted();
    if (truncated_ != nullptr) truncated_->throw_truncated();
    auto rows = static_cast<std::size_t>(std::min(rows_left_, rows_max_));
    batch = buffer_.view(rows);
    for (auto& [role, reader] : arrays_) {
      Dense const& tensor = batch.tensor(role);
      std::size_t const wanted = batch.rows * tensor.row_bytes();
      std::size_t const got = tensor.columns == 0 ? wanted : reader.read({tensor.data, wanted});
      if (got == wanted) continue;
      truncated_ = &reader;
      rows = std::min(rows, got / tensor.row_bytes());  // whole rows before the end are good
    }
    if (truncated_ != nullptr && rows == 0) truncated_->throw_truncated();
    batch = batch.rows_from(0, rows);
    rows_left_ -= rows;
    return rows != 0;
  }
  [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }

 private:
  void check_rows(ArrayReader const& reader) const {
    if (reader.array().rows() == rows_left_) return;
    throw SchemaError(reader.name() + ": " + format_count(reader.array().rows()) + " rows, but " +
                      arrays_.front().second.name() + " has " + format_count(rows_left_));
  }

  void set_layout(Role role, ArrayReader const& reader) {
    npy::Array const& array = reader.array();
    auto const columns = static_cast<std::size_t>(array.columns());
    switch (role) {
      case Role::label: layout_.labels = columns, layout_.label_dtype = array.dtype; break;
      case Role::weight: layout_.has_weight = expect(reader, DType::float32); break;
      case Role::qid: layout_.has_qid = expect(reader, DType::int64); break;
      default: layout_.features = columns, layout_.feature_dtype = array.dtype; break;
    }
  }

  static bool expect(ArrayReader const& reader, DType dtype) {
    if (reader.array().dtype == dtype && reader.array().columns() == 1) return true;
    throw SchemaError(reader.name() + ": expected one " + std::string(name_of(dtype)) + " a row");
  }

  std::vector<std::pair<Role, ArrayReader>> arrays_;
  std::vector<std::string> notes_;
  std::uint64_t rows_left_;
  std::uint64_t rows_max_ = 1;
  BatchLayout layout_;
  BatchBuffer buffer_;
  ArrayReader const* truncated_ = nullptr;  ///< an array that ended too early: behind its whole rows there are no more
};

/// A stretch of a file with a checksum, which is compared when its last byte has been read.
class EntrySource final : public Source {
 public:
  EntrySource(std::shared_ptr<FileDescriptor const> file, zip::Entry const& entry, std::string name)
      : file_(std::move(file)), entry_(entry), name_(std::move(name)), at_(entry.data_offset_bytes) {
    entry_.name = {};  // points into the directory, which goes
  }

  std::size_t read(char* into, std::size_t capacity) override {
    std::uint64_t const left = entry_.data_offset_bytes + entry_.stored_bytes - at_;
    auto const wanted = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, left));
    if (wanted == 0) return 0;
    ssize_t got = 0;
    do {
      throw_if_interrupted();
      got = ::pread(file_->get(), into, wanted, static_cast<off_t>(at_));
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw SourceError(name_ + ": cannot be read: " + cause_of(errno));
    auto const bytes = static_cast<std::size_t>(got);
    at_ += bytes;
    crc_.update(std::as_bytes(std::span(into, bytes)));
    if (bytes == left && crc_.value() != entry_.crc)
      throw SourceError(name_ + ": is damaged: its checksum is not the archive's");
    return bytes;
  }
  [[nodiscard]] std::string const& name() const override { return name_; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return at_ - entry_.data_offset_bytes; }
  [[nodiscard]] std::optional<std::uint64_t> stored_bytes_total() const override { return entry_.stored_bytes; }

 private:
  std::shared_ptr<FileDescriptor const> file_;
  zip::Entry entry_;
  std::string name_;
  std::uint64_t at_;
  Crc32 crc_;
};

/// A file as memory. Only what is looked at is read.
class MappedFile {
 public:
  MappedFile(int descriptor, std::string const& name) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) throw SourceError(name + ": cannot be examined: " + cause_of(errno));
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;
    data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data_ == MAP_FAILED) throw SourceError(name + ": cannot be mapped: " + cause_of(errno));
  }
  ~MappedFile() {
    if (size_ != 0) ::munmap(data_, size_);
  }
  MappedFile(MappedFile const&) = delete;
  MappedFile& operator=(MappedFile const&) = delete;
  [[nodiscard]] std::span<std::byte const> bytes() const { return {static_cast<std::byte const*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

std::optional<Role> role_of(std::string_view entry_name) {
  for (Role role : tensor_roles) {
    if (entry_name == std::string(name_of(role)) + ".npy") return role;
  }
  return std::nullopt;
}

/// What an archive holds: the arrays with the names of roles, and the names of the others.
struct Members {
  std::vector<std::pair<Role, zip::Entry>> arrays;
  std::string others;
};

Members members_of(std::span<std::byte const> archive, std::string const& path) {
  Members members;
  zip::Entries entries(archive);
  for (zip::Entry entry; entries.next(entry);) {
    if (std::optional<Role> const role = role_of(entry.name)) {
      if (zip::Status const status = readable(entry); status != zip::Status::ok)
        throw SourceError(path + ": " + std::string(entry.name) + ": " + std::string(describe(status)));
      members.arrays.emplace_back(*role, entry);
    } else {
      members.others += (members.others.empty() ? "" : ", ") + std::string(entry.name);
    }
  }
  if (entries.status() != zip::Status::ok) throw SourceError(path + ": " + std::string(describe(entries.status())));
  std::sort(members.arrays.begin(), members.arrays.end(),
            [](auto const& a, auto const& b) { return a.first < b.first; });
  return members;
}

void check(Members const& members, std::string const& path) {
  bool const has_features = !members.arrays.empty() && members.arrays.front().first == Role::feature;
  if (!has_features) {
    throw SchemaError(path + ": has no array called features",
                      members.others.empty() ? "" : "It has " + escape_for_display(members.others, 200) + ".");
  }
  for (std::size_t i = 1; i < members.arrays.size(); ++i) {
    if (members.arrays[i].first == members.arrays[i - 1].first)
      throw SchemaError(path + ": has two arrays called " + std::string(name_of(members.arrays[i].first)));
  }
}

}  // namespace

std::unique_ptr<BatchReader> open_npy(InputFile const& file) {
  auto source = open_source(file);
  std::string name = source->name();
  std::vector<std::pair<Role, ArrayReader>> arrays;
  arrays.emplace_back(Role::feature, ArrayReader(std::move(source), std::move(name)));
  return std::make_unique<ArraysReader>(std::move(arrays), std::vector<std::string>{});
}

std::unique_ptr<BatchReader> open_npz(InputFile const& file) {
  if (file.is_stdin || !file.is_regular)
    throw ConfigurationError((file.is_stdin ? "<stdin>" : file.path) + ": .npz is read from files only",
                             "Its directory is at the end: write it to a file first.");
  auto descriptor = std::make_shared<FileDescriptor const>(open_descriptor(file.path.c_str(), O_RDONLY));
  if (!descriptor->is_open()) throw SourceError(file.path + ": cannot be opened: " + cause_of(errno));
  MappedFile const archive(descriptor->get(), file.path);
  Members const members = members_of(archive.bytes(), file.path);
  check(members, file.path);
  std::vector<std::pair<Role, ArrayReader>> arrays;
  for (auto const& [role, entry] : members.arrays) {
    std::string const name = file.path + ": " + std::string(name_of(role));
    arrays.emplace_back(role, ArrayReader(std::make_unique<EntrySource>(descriptor, entry, name), name));
  }
  std::vector<std::string> notes;
  if (!members.others.empty()) notes.push_back("not shown: " + escape_for_display(members.others, 200));
  return std::make_unique<ArraysReader>(std::move(arrays), std::move(notes));
}

}  // namespace penstock::app
