/// A schema's options against those of a command line.
#pragma once

#include <string>
#include <string_view>

#include "host/app/file_formats.hpp"
#include "host/app/options.hpp"
#include "host/app/schema_file.hpp"

namespace penstock::app {

/// A schema and where it came from.
struct LoadedSchema {
  std::string path;  ///< what messages call it
  Schema schema;

  /// The value of one of its options; null if it has none of this name.
  [[nodiscard]] std::string const* option(std::string_view name) const;
  /// Whether its columns have names of their own.
  [[nodiscard]] bool has_header() const;
  /// Whether inputs of `format` have columns that are to be matched with the schema's.
  [[nodiscard]] bool guides_columns(FileFormat const& format) const;
};

/// Reads a schema file. Throws what read_schema() throws, and SchemaError for a format that this program does not read,
/// and for options that the format does not have.
[[nodiscard]] LoadedSchema load_schema(std::string const& path);

/// Sets the schema's options as far as `format` has them, those of columns and the label map excepted where columns are
/// matched, for the labels may not be there. Throws ConfigurationError for an option in
/// `arguments` that contradicts the schema, and for libsvm if nothing says where indices begin.
void apply_options(LoadedSchema const& loaded, FileFormat const& format, Arguments& arguments);

/// `--NAME "GIVEN": the schema PATH says WANTED`
[[noreturn]] void throw_conflict(std::string_view name, std::string_view given, std::string const& wanted,
                                 std::string const& path);

/// Of a file's name, perhaps with .gz behind it.
[[nodiscard]] bool has_known_suffix(std::string_view path);

/// Whether the option is a flag, which is on or off.
[[nodiscard]] bool is_flag(std::string_view option);
/// Options of formats that decide how damage is mended, not what bytes mean: a schema has no say in them.
[[nodiscard]] bool is_of_this_input(std::string_view option);
/// `columns`, `label`, `weight`, `qid` and `ignore`.
[[nodiscard]] bool names_columns(std::string_view option);

}  // namespace penstock::app
