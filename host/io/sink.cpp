#include "host/io/sink.hpp"

#include "host/io/interrupt.hpp"
#include "host/io/partial_file.hpp"
#include "host/io/standard_streams.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace penstock {
namespace {

/// A blocking pipe takes at most this much at a time: its usual capacity, so that a signal is seen between
/// two calls.
constexpr std::size_t piece_bytes_max = std::size_t{64} << 10;

std::string after_bytes(std::uint64_t written_bytes) {
  return " after " + std::to_string(written_bytes) + " bytes had been written";
}

std::string hint_for(int error_number) {
  switch (error_number) {
    case ENOSPC: return "Make room on the disk, or write to another one.";
    case EDQUOT: return "The disk quota is used up: make room, or write to another disk.";
    case EFBIG: return "The filesystem or a limit (ulimit -f) allows no larger files.";
    default: return "";
  }
}

/// Standard output, FIFOs, devices, sockets: bytes leave at once, nothing can be taken back.
class DescriptorSink final : public Sink {
 public:
  DescriptorSink(FileDescriptor file, std::string name) : file_(std::move(file)), name_(std::move(name)) {
    struct stat status {};
    is_regular_ = ::fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode);
  }

  void write(std::span<std::byte const> bytes) override {
    while (!bytes.empty()) {
      if (!is_regular_) wait_until_ready(file_.get(), POLLOUT);
      std::size_t const piece = is_regular_ ? bytes.size() : std::min(bytes.size(), piece_bytes_max);
      ssize_t const written = ::write(file_.get(), bytes.data(), piece);
      if (written < 0) {
        if (errno == EINTR || errno == EAGAIN) continue;
        fail(errno);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      written_bytes_ += static_cast<std::uint64_t>(written);
    }
  }

  void commit() override {
    if (!is_regular_) return;  // a shell's "> FILE": errors that the disk held back come out here
    if (::fsync(file_.get()) != 0 && errno != EINTR && errno != EINVAL && errno != EROFS) fail(errno);
  }

 private:
  [[noreturn]] void fail(int error_number) const {
    std::string const message = name_ + ": cannot be written: " + cause_of(error_number) + after_bytes(written_bytes_);
    if (error_number == EPIPE || error_number == ECONNRESET) throw ClosedPipeError(message);
    throw SinkError(message, hint_for(error_number));
  }

  FileDescriptor file_;
  std::string name_;
  bool is_regular_ = false;
  std::uint64_t written_bytes_ = 0;
};

/// A regular file, invisible until commit().
class FileSink final : public SeekableSink {
 public:
  FileSink(std::string path, SinkOptions const& options, std::optional<mode_t> mode)
      : file_(std::move(path), mode), options_(options) {}

  void write(std::span<std::byte const> bytes) override {
    write_at(position_, bytes);
    position_ += bytes.size();
  }

  void write_at(std::uint64_t offset_bytes, std::span<std::byte const> bytes) override {
    expect_open();
    while (!bytes.empty()) {
      ssize_t const written =
          ::pwrite(file_.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset_bytes));
      if (written < 0) {
        if (errno == EINTR) continue;
        fail(errno);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      offset_bytes += static_cast<std::uint64_t>(written);
      written_bytes_ += static_cast<std::uint64_t>(written);
    }
  }

  void commit() override {
    expect_open();
    file_.publish(options_.overwrite);
  }

 private:
  void expect_open() const {
    if (!file_.exists()) throw SinkError(file_.path() + ": is closed: it was committed or given up before");
  }

  [[noreturn]] void fail(int error_number) {
    file_.discard();
    throw SinkError(file_.path() + ": cannot be written: " + cause_of(error_number) + after_bytes(written_bytes_) +
                        "; the partial file was removed",
                    hint_for(error_number));
  }

  PartialFile file_;
  SinkOptions options_;
  std::uint64_t position_ = 0;
  std::uint64_t written_bytes_ = 0;
};

[[noreturn]] void throw_not_opened(std::string const& path, int error_number) {
  throw SinkError(path + ": cannot be opened for writing: " + cause_of(error_number));
}

std::unique_ptr<Sink> open_duplicate(int descriptor, std::string const& name) {
  FileDescriptor file(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));  // a duplicate can be closed like any other
  if (!file.is_open()) throw_not_opened(name, errno);
  return std::make_unique<DescriptorSink>(std::move(file), name);
}

/// Until a reader comes, a FIFO cannot be opened without waiting inside open(2), where a signal that another
/// thread handles would not be seen. So it is tried again, often enough not to be felt.
FileDescriptor open_fifo(std::string const& path) {
  constexpr int pause_milliseconds = 10;
  while (true) {
    FileDescriptor file = open_descriptor(path.c_str(), O_WRONLY | O_NONBLOCK);
    if (file.is_open() || errno != ENXIO) return file;
    pause_unless_interrupted(pause_milliseconds);
  }
}

FileDescriptor connect_socket(std::string const& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return {};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  FileDescriptor file(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!file.is_open()) return file;
  if (::connect(file.get(), reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) return {};
  return file;
}

/// Opens what exists and is neither a regular file nor a folder.
std::unique_ptr<Sink> open_special(std::string const& path, mode_t mode) {
  FileDescriptor file = S_ISFIFO(mode)   ? open_fifo(path)
                        : S_ISSOCK(mode) ? connect_socket(path)
                                         : open_descriptor(path.c_str(), O_WRONLY | O_NOCTTY);
  if (!file.is_open()) throw_not_opened(path, errno);
  return std::make_unique<DescriptorSink>(std::move(file), path);
}

void check_folder(std::string const& path) {
  std::string const folder = folder_of(path);
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    if (!path.ends_with('/')) return;
    throw SinkError(path + ": is a folder, not a file", "Add the name of the file.");
  }
  if (errno == ENOENT) throw SinkError(path + ": there is no folder " + folder, "Create it: mkdir -p " + folder);
  throw SinkError(path + ": " + folder + " is not a folder that can be written to: " + cause_of(errno));
}

/// Where a link leads; the path itself if it is none, or leads nowhere.
std::string resolved(std::string const& path) {
  std::unique_ptr<char, decltype(&std::free)> const real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

}  // namespace

std::optional<int> descriptor_named(std::string_view path) noexcept {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    char const* const begin = path.data() + folder.size();
    char const* const end = path.data() + path.size();
    int number = -1;
    auto const [stop, error] = std::from_chars(begin, end, number);
    if (error == std::errc{} && stop == end && number >= 0) return number;
  }
  return std::nullopt;
}

std::unique_ptr<Sink> open_sink(std::string const& path, SinkOptions const& options) {
  check_not_captured(path);
  if (path == "-") return open_duplicate(STDOUT_FILENO, "<stdout>");
  if (std::optional<int> const descriptor = descriptor_named(path)) return open_duplicate(*descriptor, path);
  if (path.empty()) throw SinkError("the name of an output is empty", "Is a shell variable not set?");
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    int const error_number = errno;
    check_folder(path);
    if (error_number != ENOENT) throw_not_opened(path, error_number);
    return std::make_unique<FileSink>(path, options, std::nullopt);
  }
  bool const is_link = S_ISLNK(status.st_mode);
  bool const leads_nowhere = is_link && ::stat(path.c_str(), &status) != 0;
  if (S_ISDIR(status.st_mode)) throw SinkError(path + ": is a folder, not a file", "Add the name of the file.");
  if (!S_ISREG(status.st_mode) && !leads_nowhere) return open_special(path, status.st_mode);
  if (!options.overwrite) throw SinkError(path + ": exists already", "Replace it with --force.");
  if (leads_nowhere) return std::make_unique<FileSink>(path, options, std::nullopt);
  return std::make_unique<FileSink>(is_link ? resolved(path) : path, options, status.st_mode & 0777);
}

bool remove_committed(std::string const& path) noexcept {
  struct stat status {};
  if (path == "-" || descriptor_named(path) || ::stat(path.c_str(), &status) != 0) return true;
  return S_ISREG(status.st_mode) ? ::unlink(resolved(path).c_str()) == 0 : true;
}

}  // namespace penstock
