#include "host/io/partial_file.hpp"
#include "host/io/sink.hpp"

#include <algorithm>
#include <filesystem>
#include <random>

#include <sys/stat.h>

namespace penstock {
namespace {

/// A MiB: disks and page caches gain nothing from larger writes, and small spools never leave memory.
constexpr std::size_t block_bytes = std::size_t{1} << 20;

std::string folder_for(std::string const& beside_path) {
  struct stat status {};
  bool const exists = ::stat(beside_path.c_str(), &status) == 0;
  bool const is_special = exists && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
  bool const is_descriptor = beside_path == "-" || descriptor_named(beside_path);
  if (!is_descriptor && !is_special) return folder_of(beside_path);
  std::error_code error;
  std::filesystem::path const folder = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : folder.string();
}

[[noreturn]] void throw_spool_error(std::string const& folder, std::string const& what, int error_number) {
  throw SinkError("a temporary file in " + folder + " cannot be " + what + ": " + cause_of(error_number));
}

/// A file without a name, so that nothing has to be removed.
FileDescriptor open_nameless(std::string const& folder) {
  FileDescriptor file = open_descriptor(folder.c_str(), O_TMPFILE | O_RDWR, 0600);
  if (file.is_open()) return file;
  // The filesystem lacks O_TMPFILE (overlays, NFS, some FUSE): a name for a moment does as well.
  std::string name = folder + "/.penstock.XXXXXX";
  file = FileDescriptor(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.is_open()) throw_spool_error(folder, "created", errno);
  ::unlink(name.c_str());
  return file;
}

}  // namespace

Spool::Spool(std::string const& beside_path) : folder_(folder_for(beside_path)) {}

void Spool::write(std::span<std::byte const> bytes) {
  while (!bytes.empty()) {
    std::size_t const count = std::min(bytes.size(), block_bytes - buffer_.size());
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (buffer_.size() == block_bytes) flush();
  }
}

void Spool::flush() {
  if (!file_.is_open()) file_ = open_nameless(folder_);
  std::span<std::byte const> rest(buffer_);
  while (!rest.empty()) {
    ssize_t const written =
        ::pwrite(file_.get(), rest.data(), rest.size(), static_cast<off_t>(size_bytes() - rest.size()));
    if (written < 0 && errno != EINTR) throw_spool_error(folder_, "written", errno);
    if (written > 0) rest = rest.subspan(static_cast<std::size_t>(written));
  }
  stored_bytes_ += buffer_.size();
  buffer_.clear();
}

void Spool::copy_to(Sink& sink) {
  std::vector<std::byte> block(std::min<std::uint64_t>(stored_bytes_, block_bytes));
  for (std::uint64_t offset = 0; offset < stored_bytes_;) {
    std::size_t const wanted = static_cast<std::size_t>(std::min<std::uint64_t>(stored_bytes_ - offset, block_bytes));
    ssize_t const got = ::pread(file_.get(), block.data(), wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw_spool_error(folder_, "read", got < 0 ? errno : EIO);
    sink.write(std::span<std::byte const>(block).first(static_cast<std::size_t>(got)));
    offset += static_cast<std::uint64_t>(got);
  }
  sink.write(buffer_);
}

}  // namespace penstock
