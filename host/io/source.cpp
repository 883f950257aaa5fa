#include "host/io/source.hpp"

#include "host/io/file_descriptor.hpp"
#include "host/io/gzip.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/stored_kind.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/stat.h>

namespace penstock {
namespace {

/// The stored bytes of a file, a pipe or a device, straight from read(2) into the caller's memory.
class DescriptorSource final : public Source {
 public:
  DescriptorSource(FileDescriptor file, std::string name) : file_(std::move(file)), name_(std::move(name)) {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) fail("cannot be examined", errno);
    if (S_ISDIR(status.st_mode)) fail("cannot be read", EISDIR);
    is_regular_ = S_ISREG(status.st_mode);
    if (!is_regular_) return;
    begin_ = ::lseek(file_.get(), 0, SEEK_CUR);  // standard input may be a file that is partly read
    if (begin_ < 0) fail("cannot be positioned", errno);
    total_ = static_cast<std::uint64_t>(std::max<off_t>(status.st_size - begin_, 0));
    ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);  // advice: it does not matter if it fails
  }

  std::size_t read(char* into, std::size_t capacity) override {
    while (true) {
      if (is_regular_) {
        throw_if_interrupted();
      } else {
        wait_until_ready(file_.get(), POLLIN);
      }
      ssize_t const got = ::read(file_.get(), into, capacity);
      if (got >= 0) {
        offset_ += static_cast<std::uint64_t>(got);
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR && errno != EAGAIN) fail("cannot be read at byte " + std::to_string(offset_), errno);
    }
  }

  [[nodiscard]] std::string const& name() const override { return name_; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return offset_; }
  [[nodiscard]] std::optional<std::uint64_t> stored_bytes_total() const override {
    if (!is_regular_) return std::nullopt;
    return total_;
  }

  /// Goes to `offset_bytes` from where reading began; false if this is no regular file.
  bool seek(std::uint64_t offset_bytes) {
    if (!is_regular_) return false;
    auto const target = static_cast<off_t>(std::min(offset_bytes, total_));
    if (::lseek(file_.get(), begin_ + target, SEEK_SET) < 0) fail("cannot be positioned", errno);
    offset_ = static_cast<std::uint64_t>(target);
    return true;
  }

 private:
  [[noreturn]] void fail(std::string const& what, int error_number) const {
    throw SourceError(name_ + ": " + what + ": " + cause_of(error_number));
  }

  FileDescriptor file_;
  std::string name_;
  bool is_regular_ = false;
  off_t begin_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t offset_ = 0;
};

std::unique_ptr<DescriptorSource> open_raw(InputFile const& input) {
  std::string name = input.is_stdin ? "<stdin>" : input.path;
  // A duplicate of standard input can be closed like any other. O_NONBLOCK keeps open(2) from waiting for a
  // FIFO's writer; read() waits with poll(2), which a signal ends.
  FileDescriptor file = input.is_stdin ? FileDescriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0))
                                       : open_descriptor(input.path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.is_open()) throw SourceError(name + ": cannot be opened: " + cause_of(errno));
  return std::make_unique<DescriptorSource>(std::move(file), std::move(name));
}

std::string read_mark(Source& source) {
  std::array<char, stored_mark_bytes_max> bytes;
  std::size_t size = 0;
  while (could_become_mark({bytes.data(), size})) {
    std::size_t const got = source.read(bytes.data() + size, bytes.size() - size);
    if (got == 0) break;
    size += got;
  }
  return {bytes.data(), size};
}

[[noreturn]] void throw_unsupported(std::string const& name, StoredFormat const& format) {
  std::string hint = "Convert it to text first.";
  if (!format.remedy.empty()) hint = "Decompress it first: " + std::string(format.remedy) + " FILE | penstock ... -";
  throw SourceError(name + ": looks like " + std::string(format.name) + ", which is not supported yet",
                    std::move(hint));
}

/// Puts the bytes that were looked at back: by going back, or by giving them again.
std::unique_ptr<Source> rewound(std::unique_ptr<DescriptorSource> source, std::string first_bytes) {
  if (source->seek(0)) return source;
  return std::make_unique<PrefetchedSource>(std::move(source), std::move(first_bytes));
}

void skip(Source& source, std::uint64_t bytes) {
  std::string scratch(std::size_t{1} << 16, '\0');  // the size of a pipe: more would not come at a time
  while (bytes > 0) {
    std::size_t const wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, scratch.size()));
    std::size_t const got = source.read(scratch.data(), wanted);
    if (got == 0) return;
    bytes -= got;
  }
}

}  // namespace

std::unique_ptr<Source> open_at(InputFile const& input, std::uint64_t offset_bytes) {
  std::unique_ptr<DescriptorSource> stored = open_raw(input);
  std::string first_bytes = read_mark(*stored);
  StoredFormat const format = stored_format(first_bytes);
  if (format.kind == StoredKind::unsupported) throw_unsupported(stored->name(), format);
  if (format.kind == StoredKind::plain && offset_bytes > 0 && stored->seek(offset_bytes)) return stored;
  std::unique_ptr<Source> source = rewound(std::move(stored), std::move(first_bytes));
  if (format.kind == StoredKind::gzip) source = make_gzip_source(std::move(source));
  skip(*source, offset_bytes);
  return source;
}

std::unique_ptr<Source> open_source(InputFile const& input) { return input.open ? input.open() : open_at(input, 0); }

std::unique_ptr<Source> open_stored(InputFile const& input) { return open_raw(input); }

PrefetchedSource::PrefetchedSource(std::unique_ptr<Source> source, std::string bytes)
    : source_(std::move(source)), bytes_(std::move(bytes)) {}

std::size_t PrefetchedSource::read(char* into, std::size_t capacity) {
  if (given_ == bytes_.size()) return source_->read(into, capacity);
  std::size_t const count = std::min(capacity, bytes_.size() - given_);
  std::memcpy(into, bytes_.data() + given_, count);
  given_ += count;
  return count;
}

}  // namespace penstock
