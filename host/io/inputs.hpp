/// From command line arguments to the files that are read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "penstock/source.hpp"

namespace penstock {

/// One input. `path` is as the user wrote it, or joined to the folder that the user wrote.
struct InputFile {
  std::string path;
  bool is_stdin = false;
  bool is_regular = false;       ///< can be opened again and read from any byte
  std::uint64_t size_bytes = 0;  ///< stored size of a regular file; 0 for everything else
  /// How open_source() opens it; empty: by its path. For an input that can be read only once and was opened already.
  std::function<std::unique_ptr<Source>()> open = {};
};

/// The inputs that `arguments` stand for, in the order of the arguments. An argument is
///   - "-": standard input, at most once;
///   - a file, FIFO or device: taken as it is;
///   - a folder: its regular files at any depth, links followed; names that start with '.' or '_' are
///     skipped (for files and folders: editors, Hadoop and Spark put what is not data there), and so are
///     FIFOs, sockets and devices;
///   - if no such file exists and it holds '*', '?' or '[': a pattern as in glob(7), for shells that do not
///     expand it; folders that match are read like folders.
/// What one argument stands for is in bytewise order of the whole path. A file that is named twice is taken
/// twice. Throws SourceError if something does not exist, cannot be read, or stands for no file at all, and
/// ConfigurationError if standard input is named twice.
[[nodiscard]] std::vector<InputFile> expand_inputs(std::vector<std::string> const& arguments);

}  // namespace penstock
