#include "host/io/partial_file.hpp"

#include "penstock/error.hpp"

#include <cstdint>
#include <cstdio>
#include <random>
#include <string_view>
#include <utility>

#include <sys/stat.h>

namespace penstock {
namespace {

constexpr std::string_view partial_suffix = ".partial";
constexpr std::size_t random_letters = 6;    // as mkstemp(3) takes
constexpr std::size_t name_bytes_max = 255;  // NAME_MAX of Linux filesystems

std::string partial_path_for(std::string const& path, std::random_device& random) {
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::size_t const name_begin = path.find_last_of('/') + 1;  // npos + 1 is 0
  std::string const folder = path.substr(0, name_begin);
  std::string const name = path.substr(name_begin, name_bytes_max - partial_suffix.size() - random_letters - 2);
  std::uniform_int_distribution<std::size_t> letter(0, alphabet.size() - 1);
  std::string letters;
  while (letters.size() < random_letters) letters += alphabet[letter(random)];
  return folder + '.' + name + '.' + letters + std::string(partial_suffix);
}

int fsync_retrying(int descriptor) {
  while (::fsync(descriptor) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

/// Gives `from` the name `to` unless that name is taken; returns 0 or an errno (EEXIST if it is taken).
int rename_to_free_name(char const* from, char const* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // The filesystem lacks it (NFS, some FUSE). A hard link fails if the name is taken ...
  if (::link(from, to) == 0) return ::unlink(from) == 0 ? 0 : errno;
  if (errno == EEXIST) return EEXIST;
  // ... and where there are no hard links either, an empty file holds the name until the rename.
  FileDescriptor const holder = open_descriptor(to, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (!holder.is_open()) return errno;
  if (::rename(from, to) == 0) return 0;
  int const error_number = errno;
  ::unlink(to);
  return error_number;
}

/// Makes the new name itself survive a crash. Filesystems that cannot sync a folder do not need it.
void sync_folder(std::string const& path) {
  FileDescriptor const folder = open_descriptor(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY);
  if (folder.is_open()) ::fsync(folder.get());
}

}  // namespace

std::string folder_of(std::string const& path) {
  std::size_t const slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

PartialFile::PartialFile(std::string path, std::optional<mode_t> mode) : path_(std::move(path)) {
  create(mode.value_or(0666));
  registered_.emplace(partial_path_);
  // What the umask took from `mode` comes back; where a filesystem has no permissions this may fail.
  if (mode) ::fchmod(file_.get(), *mode);
}

void PartialFile::create(mode_t mode) {
  std::random_device random;
  constexpr int tries = 100;  // there are 62^6 names: a second try is rare, a hundredth means something else
  int error_number = EEXIST;
  for (int i = 0; i < tries && error_number == EEXIST; ++i) {
    std::string candidate = partial_path_for(path_, random);
    // Not mkostemp(3): its files are 0600 whatever the umask, and asking for the umask is a race of threads.
    file_ = open_descriptor(candidate.c_str(), O_RDWR | O_CREAT | O_EXCL, mode);
    if (file_.is_open()) {
      partial_path_ = std::move(candidate);
      return;
    }
    error_number = errno;
  }
  throw SinkError(path_ + ": cannot be created: " + cause_of(error_number));
}

void PartialFile::publish(bool overwrite) {
  if (int const error_number = fsync_retrying(file_.get())) fail("cannot be made permanent", error_number);
  if (int const error_number = file_.close()) fail("cannot be closed", error_number);
  rename(overwrite);
  partial_path_.clear();
  registered_.reset();
  sync_folder(path_);
}

void PartialFile::rename(bool overwrite) {
  if (overwrite) {
    if (::rename(partial_path_.c_str(), path_.c_str()) != 0) fail("cannot be renamed to", errno);
    return;
  }
  int const error_number = rename_to_free_name(partial_path_.c_str(), path_.c_str());
  if (error_number == EEXIST) {
    discard();
    throw SinkError(path_ + ": another program created it meanwhile; it was left as it is",
                    "Choose another name, or replace it with --force.");
  }
  if (error_number != 0) fail("cannot be renamed to", error_number);
}

void PartialFile::discard() noexcept {
  if (exists()) ::unlink(partial_path_.c_str());
  partial_path_.clear();
  registered_.reset();
  file_.close();
}

void PartialFile::fail(std::string const& what, int error_number) {
  discard();
  throw SinkError(path_ + ": " + what + ": " + cause_of(error_number));
}

}  // namespace penstock
