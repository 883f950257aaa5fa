/// Schema files: what training input is made of, and how its text was read, so that other data (a test set, next week's
/// shard) can be turned into the same columns in the same way.
///
/// A schema file is one JSON object in UTF-8:
///
///     {
///       "schema_version": 1,
///       "format": "csv",
///       "columns": [
///         {"index":0,"name":"y","role":"label"},
///         {"index":1,"name":"age","role":"feature"},
///         {"index":2,"name":"id","role":"ignored"}
///       ],
///       "features": [
///         "age"
///       ],
///       "layout": {
///         "features": 1, "dtype": "float32", "labels": 1, "label_dtype": "float32", "labels_vary": false,
///         "weight": false, "qid": false, "base_margin": false, "sparse": false, "uid": false, "metadata": false
///       },
///       "options": {
///         "delimiter": "comma"
///       }
///     }
///
/// The layout of time series and of lists of tokens has up to three members more: "start": true, "cats": 2, and
/// "lists":
/// ["target float32", "2 x dynamic_feat float32"].
///
/// Every member stands there once, in any order, and no other does. Strings are bytes: where they are not UTF-8,
/// `{"base64": "..."}` (RFC 4648, padded) stands in their place, so they come back exactly. A reader of version 1
/// refuses other versions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/io/sink.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

inline constexpr std::uint64_t schema_version = 1;

/// A longer file is no schema: a million columns with names of 20 bytes take some 60 MB. Reading one takes at most some
/// 20 times its size, which is what empty names cost.
inline constexpr std::size_t schema_bytes_max = std::size_t{64} << 20;

/// The most dense columns, features or labels: more do not fit a record, whose offsets have 32 bits.
inline constexpr std::uint64_t schema_columns_max = 0xffff'ffff;

struct SchemaColumn {
  std::string name;  ///< as in the header, else the 0-based index in digits
  Role role = Role::feature;
  bool operator==(SchemaColumn const&) const = default;
};

struct Schema {
  std::string format;                 ///< name of the format that was read: "csv", "libsvm", "recordio"
  std::vector<SchemaColumn> columns;  ///< of the file, in its order; empty for formats without columns
  std::vector<std::string> features;  ///< names in the order of the tensor; empty where features have none
  BatchLayout layout;
  /// The reading options that decide what the bytes mean, as on the command line but without the dashes: ("delimiter",
  /// "tab"), ("index-base", "1"). A flag's value is "true". Names are unique and UTF-8.
  std::vector<std::pair<std::string, std::string>> options;
  bool operator==(Schema const&) const = default;
};

/// The text of a schema file: the same for the same schema everywhere, with a line end behind it.
[[nodiscard]] std::string to_json(Schema const& schema);

/// Reads to_json()'s text, or what a person made of it. Throws SchemaError with `name`, the line, and the column (of
/// text that is no JSON) or the JSON path (of JSON that is no schema): members that are unknown, missing or there
/// twice, values of a wrong type or beyond their range, columns and features that contradict each other, other
/// versions.
[[nodiscard]] Schema parse_schema(std::string_view text, std::string_view name);

/// Reads a file (`-`: standard input), also compressed with gzip. Throws SourceError if it cannot be read, and
/// SchemaError as parse_schema() and for more than schema_bytes_max bytes.
[[nodiscard]] Schema read_schema(std::string const& path);

/// Writes a file, which appears whole or not at all. Throws SinkError as open_sink() does.
void write_schema(std::string const& path, Schema const& schema, SinkOptions const& options);

}  // namespace penstock::app
