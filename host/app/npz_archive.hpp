/// The arrays in a .npz file.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/dense/zip_layout.hpp"
#include "host/app/array_reader.hpp"
#include "host/io/file_descriptor.hpp"
#include "host/io/inputs.hpp"
#include "penstock/source.hpp"

namespace penstock::app {

/// The directory of an archive that is a regular file. Arrays are stored (numpy.savez) or deflated
/// (numpy.savez_compressed, scipy.sparse.save_npz), where the build can inflate; each has a cursor of its own.
class NpzArchive {
 public:
  /// Throws SourceError if there is no archive, and ConfigurationError if the input is not a regular file.
  explicit NpzArchive(InputFile const& file);

  /// Names are without ".npy".
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The array. Throws SchemaError if it is not there or there twice, and SourceError if it cannot be read.
  [[nodiscard]] ArrayReader open(std::string_view name) const;
  /// The text that the array is. Throws as open(), and SchemaError if it is something else.
  [[nodiscard]] std::string text(std::string_view name) const;
  /// The names that are not among `known`, shortened for display; empty if there are none.
  [[nodiscard]] std::string others(std::span<std::string_view const> known) const;
  [[nodiscard]] std::string const& path() const { return path_; }

 private:
  using Item = std::pair<std::string, zip::Entry>;  // the entry's own name is gone with the directory

  [[nodiscard]] Item const* find(std::string_view name) const;
  [[nodiscard]] std::unique_ptr<Source> open_bytes(std::string_view name) const;

  std::string path_;
  std::shared_ptr<FileDescriptor const> file_;
  std::vector<Item> items_;  ///< in the order of the directory
};

}  // namespace penstock::app
