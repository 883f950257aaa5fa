/// An owned POSIX file descriptor, and the words for errno.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace penstock {

/// Closes its descriptor when it goes. Move-only; -1 means none.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) {
      close();
      descriptor_ = std::exchange(other.descriptor_, -1);
    }
    return *this;
  }
  ~FileDescriptor() { close(); }

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] bool is_open() const noexcept { return descriptor_ >= 0; }
  /// Closes now; returns 0 or the errno of close(2), which is how some filesystems report a full disk.
  int close() noexcept {
    if (descriptor_ < 0) return 0;
    return ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno;
  }

 private:
  int descriptor_ = -1;
};

/// open(2) with O_CLOEXEC, repeated when a signal interrupts it. On failure the result is not open and
/// errno says why.
inline FileDescriptor open_descriptor(char const* path, int flags, mode_t mode = 0) noexcept {
  while (true) {
    int const descriptor = ::open(path, flags | O_CLOEXEC, mode);
    if (descriptor >= 0 || errno != EINTR) return FileDescriptor(descriptor);
  }
}

/// The system's words for an errno value, such as "No such file or directory".
inline std::string cause_of(int error_number) { return std::generic_category().message(error_number); }

}  // namespace penstock
