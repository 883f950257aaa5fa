/// A regular file that is written beside its final name and appears under it as a whole.
#pragma once

#include "host/io/file_descriptor.hpp"
#include "host/io/interrupt.hpp"

#include <optional>
#include <string>

#include <sys/types.h>

namespace penstock {

/// The folder of a path, as open(2) takes it: "a/" for "a/b", "." for "b".
[[nodiscard]] std::string folder_of(std::string const& path);

/// Exists on disk from construction until discard(), destruction or a successful publish(). While it exists a
/// second Ctrl-C removes it (PartialPath). Errors are SinkError with the final path and the cause.
class PartialFile {
 public:
  /// Creates ".NAME.XXXXXX.partial" beside `path`, for reading and writing, with `mode` if given, else with
  /// what the umask and the folder's default ACL leave of 0666.
  PartialFile(std::string path, std::optional<mode_t> mode);
  ~PartialFile() { discard(); }
  PartialFile(PartialFile const&) = delete;
  PartialFile& operator=(PartialFile const&) = delete;

  [[nodiscard]] std::string const& path() const noexcept { return path_; }
  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  [[nodiscard]] bool exists() const noexcept { return !partial_path_.empty(); }
  /// Makes the content permanent and gives it the final name; without `overwrite` never in place of another
  /// file. On failure the partial file is gone.
  void publish(bool overwrite);
  void discard() noexcept;

 private:
  void create(mode_t mode);
  void rename(bool overwrite);
  [[noreturn]] void fail(std::string const& what, int error_number);

  std::string path_;
  std::string partial_path_;  ///< empty when there is none
  FileDescriptor file_;
  std::optional<PartialPath> registered_;
};

}  // namespace penstock
