/// The files of one output, which become visible together.
#pragma once

#include "host/io/output.hpp"
#include "host/io/sink.hpp"
#include "penstock/sink.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penstock {

/// A file that is being written.
class OutputFile {
 public:
  OutputFile(std::string path, std::unique_ptr<Sink> sink);

  void write(std::span<std::byte const> bytes);
  [[nodiscard]] std::string const& path() const { return path_; }
  [[nodiscard]] Sink& sink() { return *sink_; }
  /// The sink, if bytes that were written can be replaced; else null.
  [[nodiscard]] SeekableSink* seekable() { return seekable_; }

 private:
  std::string path_;
  std::unique_ptr<Sink> sink_;
  SeekableSink* seekable_;
};

/// Opens files and commits them in the reverse order: what was opened first (the main file) appears last.
class OutputFileSet {
 public:
  OutputFileSet(OutputFiles files, bool overwrite);

  /// The file lives as long as the set.
  OutputFile& open(std::string const& path);
  /// Commits all; if one fails, removes the regular files committed before it, then throws on.
  void commit();
  [[nodiscard]] std::vector<std::string> const& paths() const { return paths_; }

 private:
  OutputFiles files_;
  SinkOptions options_;
  std::vector<std::unique_ptr<OutputFile>> opened_;
  std::vector<std::string> paths_;
};

}  // namespace penstock
