#include "host/app/npz_archive.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/dense/crc32.hpp"
#include "formats/dense/little_endian.hpp"
#include "formats/dense/npy_text.hpp"
#include "formats/dense/zip_reader.hpp"
#include "host/io/inflater.hpp"
#include "host/io/interrupt.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// A stretch of a file.
class FileStretch {
 public:
  FileStretch(std::shared_ptr<FileDescriptor const> file, zip::Entry const& entry, std::string const& name)
      : file_(std::move(file)), name_(name), at_(entry.data_offset_bytes), left_(entry.stored_bytes) {}

  [[nodiscard]] std::uint64_t left() const { return left_; }
  /// The next bytes; 0 at the end.
  std::size_t read(std::span<char> into) {
    auto const wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
    if (wanted == 0) return 0;
    ssize_t got = 0;
    do {
      throw_if_interrupted();
      got = ::pread(file_->get(), into.data(), wanted, static_cast<off_t>(at_));
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw SourceError(name_ + ": cannot be read: " + cause_of(errno));
    at_ += static_cast<std::uint64_t>(got);
    left_ -= static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }

 private:
  std::shared_ptr<FileDescriptor const> file_;
  std::string name_;
  std::uint64_t at_;
  std::uint64_t left_;
};

/// What sources of entries have in common.
class EntrySource : public Source {
 public:
  EntrySource(FileStretch stored, zip::Entry const& entry, std::string name)
      : stored_(std::move(stored)), entry_(entry), name_(std::move(name)) {}
  [[nodiscard]] std::string const& name() const override { return name_; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return entry_.stored_bytes - stored_.left(); }
  [[nodiscard]] std::optional<std::uint64_t> stored_bytes_total() const override { return entry_.stored_bytes; }

 protected:
  FileStretch stored_;
  zip::Entry entry_;
  std::string name_;
};

/// The bytes as they lie there; their checksum is compared when the last one has been read.
class StoredSource final : public EntrySource {
 public:
  using EntrySource::EntrySource;
  std::size_t read(char* into, std::size_t capacity) override {
    std::size_t const bytes = stored_.read({into, capacity});
    crc_.update(std::as_bytes(std::span(into, bytes)));
    if (bytes != 0 && stored_.left() == 0 && crc_.value() != entry_.crc)
      throw SourceError(name_ + ": is damaged: its checksum is not the archive's");
    return bytes;
  }

 private:
  Crc32 crc_;
};

/// Deflated bytes inflated. A zip entry holds what a gzip member holds between its header and its trailer, so it is
/// inflated as one (RFC 1952, 2.3): the directory knows what the trailer says, and the inflater compares it.
class InflatedSource final : public EntrySource {
 public:
  InflatedSource(FileStretch stored, zip::Entry const& entry, std::string name, std::unique_ptr<Inflater> inflater)
      : EntrySource(std::move(stored), entry, std::move(name)), inflater_(std::move(inflater)), buffer_(buffer_bytes) {
    constexpr std::array<char, 10> header = {'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, '\xff'};
    std::copy(header.begin(), header.end(), buffer_.begin());
    unread_ = std::span<char const>(buffer_).first(header.size());
    inflater_->begin_member();
  }

  std::size_t read(char* into, std::size_t capacity) override {
    auto const wanted = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, entry_.size_bytes - given_));
    if (wanted != 0 && is_at_end_) throw_damaged("it ends early");
    std::size_t filled = 0;
    while (filled < wanted) filled += inflate({into + filled, wanted - filled});
    given_ += filled;
    if (given_ == entry_.size_bytes && !is_at_end_) reach_end();
    return filled;
  }

 private:
  /// As for gzip files, where it makes little difference from 64 KiB on.
  static constexpr std::size_t buffer_bytes = std::size_t{64} << 10;

  std::size_t inflate(std::span<char> out) {
    Inflater::Step const step = inflater_->inflate(unread_, out);
    unread_ = unread_.subspan(step.consumed);
    if (step.fault != nullptr) throw_damaged(step.fault);
    is_at_end_ = step.is_end;
    if (is_at_end_ && step.produced < out.size()) throw_damaged("it ends early");
    bool const is_idle = step.consumed == 0 && step.produced == 0;
    if (is_idle && !is_at_end_ && !refill()) throw_damaged("it ends early");
    return step.produced;
  }

  /// Everything was given: nothing may come but the trailer, which must be right.
  void reach_end() {
    char more = 0;
    while (!is_at_end_) {
      Inflater::Step const step = inflater_->inflate(unread_, {&more, 1});
      unread_ = unread_.subspan(step.consumed);
      if (step.fault != nullptr) throw_damaged(step.fault);
      if (step.produced != 0) throw_damaged("it is longer than the archive says");
      is_at_end_ = step.is_end;
      if (!is_at_end_ && step.consumed == 0 && !refill()) throw_damaged("it ends early");
    }
    if (!unread_.empty() || stored_.left() != 0 || !has_trailer_) throw_damaged("it ends early");
  }

  /// Called when the inflater gets nowhere: it has taken all bytes. False if there are no more.
  bool refill() {
    if (!unread_.empty()) throw_damaged("it cannot be inflated");
    std::size_t size = stored_.read(buffer_);
    if (size == 0 && !has_trailer_ && stored_.left() == 0) {
      auto* const trailer = reinterpret_cast<std::byte*>(buffer_.data());
      store_little_endian(trailer, entry_.crc);
      store_little_endian(trailer + 4, static_cast<std::uint32_t>(entry_.size_bytes));
      has_trailer_ = true;
      size = 8;
    }
    unread_ = std::span<char const>(buffer_).first(size);
    return size != 0;
  }

  [[noreturn]] void throw_damaged(char const* how) const {
    throw SourceError(name_ + ": its compressed data is damaged: " + how);
  }

  std::unique_ptr<Inflater> inflater_;
  std::vector<char> buffer_;
  std::span<char const> unread_;
  std::uint64_t given_ = 0;
  bool has_trailer_ = false;
  bool is_at_end_ = false;
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

constexpr std::string_view suffix = ".npy";

}  // namespace

NpzArchive::NpzArchive(InputFile const& file) : path_(file.path) {
  if (file.is_stdin || !file.is_regular)
    throw ConfigurationError((file.is_stdin ? "<stdin>" : file.path) + ": .npz is read from files only",
                             "Its directory is at the end: write it to a file first.");
  file_ = std::make_shared<FileDescriptor const>(open_descriptor(path_.c_str(), O_RDONLY));
  if (!file_->is_open()) throw SourceError(path_ + ": cannot be opened: " + cause_of(errno));
  MappedFile const archive(file_->get(), path_);
  zip::Entries entries(archive.bytes());
  for (zip::Entry entry; entries.next(entry);) {
    std::string name(entry.name);
    entry.name = {};  // points into the mapping
    items_.emplace_back(std::move(name), entry);
  }
  if (entries.status() != zip::Status::ok) throw SourceError(path_ + ": " + std::string(describe(entries.status())));
}

NpzArchive::Item const* NpzArchive::find(std::string_view name) const {
  std::string const full = std::string(name) + std::string(suffix);
  auto const is_it = [&](Item const& item) { return item.first == full; };
  auto const found = std::find_if(items_.begin(), items_.end(), is_it);
  if (found == items_.end()) return nullptr;
  if (std::find_if(found + 1, items_.end(), is_it) != items_.end())
    throw SchemaError(path_ + ": has two arrays called " + std::string(name));
  return &*found;
}

std::unique_ptr<Source> NpzArchive::open_bytes(std::string_view name) const {
  Item const* const item = find(name);
  if (item == nullptr) throw SchemaError(path_ + ": has no array called " + std::string(name));
  zip::Entry const& entry = item->second;
  std::string full_name = path_ + ": " + std::string(name);
  zip::Status const status = readable(entry);
  if (status != zip::Status::ok && status != zip::Status::deflated)
    throw SourceError(full_name + ": " + std::string(describe(status)));
  FileStretch stored(file_, entry, full_name);
  if (status == zip::Status::ok) return std::make_unique<StoredSource>(std::move(stored), entry, std::move(full_name));
  std::unique_ptr<Inflater> inflater = make_inflater();
  if (inflater == nullptr)
    throw SourceError(full_name + ": is compressed, and this build of penstock cannot inflate",
                      "Write it again with numpy.savez, or scipy.sparse.save_npz(..., compressed=False).");
  return std::make_unique<InflatedSource>(std::move(stored), entry, std::move(full_name), std::move(inflater));
}

ArrayReader NpzArchive::open(std::string_view name) const {
  return ArrayReader(open_bytes(name), path_ + ": " + std::string(name));
}

std::string NpzArchive::text(std::string_view name) const {
  constexpr std::size_t bytes_max = 4096;  // the header, and far more than any text that is looked for
  std::unique_ptr<Source> const source = open_bytes(name);
  std::string bytes(bytes_max, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    std::size_t const got = source->read(bytes.data() + size, bytes.size() - size);
    if (got == 0) break;
    size += got;
  }
  bytes.resize(size);
  if (auto text = npy::parse_text(std::as_bytes(std::span(bytes)))) return *std::move(text);
  throw SchemaError(path_ + ": " + std::string(name) + ": expected a text");
}

std::string NpzArchive::others(std::span<std::string_view const> known) const {
  std::string names;
  for (Item const& item : items_) {
    std::string_view name = item.first;
    if (name.ends_with(suffix)) name.remove_suffix(suffix.size());
    if (std::find(known.begin(), known.end(), name) != known.end() && name != item.first) continue;
    names += (names.empty() ? "" : ", ") + item.first;
  }
  return escape_for_display(names, 200);
}

}  // namespace penstock::app
