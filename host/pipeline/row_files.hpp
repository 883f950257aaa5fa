/// Side files: text beside the inputs that holds a value for each of their records.
///
///     role         suffix           a line is
///     weight       .weight          the float32 weight of the next record
///     base_margin  .base_margin     the float32 base margin of the next record
///     qid          .query .group    how many of the next records are one group; those of group g, counted from 0
///                                   through all files, get the query id g
///
/// Lines are those of LightGBM's and XGBoost's files of the same names. They count the records of the input, good and
/// bad alike, in the input's order, so a rejected record takes its value with it. Blanks around a number and blank
/// lines at the end of a file do not count, nor does a UTF-8 byte order mark; lines end with LF, CR LF or CR. A file
/// may be gzip. Values are finite numbers of the syntax in formats/core/number_scan.hpp; a group may be empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/io/inputs.hpp"
#include "penstock/batch.hpp"
#include "penstock/error.hpp"

namespace penstock {

/// A longer line is no number: a float64 written out exactly has 767 significant digits.
inline constexpr std::size_t row_line_bytes_max = 1024;

/// --group-file, --weight-file, --base-margin-file. Each is empty (no such file), `auto` (a file beside each input), or
/// the path of one file for the records of all inputs; `-` is standard input, and `./auto` a file of that name.
struct RowFileOptions {
  std::string group = {};
  std::string weight = {};
  std::string base_margin = {};
};

/// The files of one role.
struct RowFileSet {
  Role role = Role::weight;
  bool is_per_shard = false;  ///< a file for each shard; else one for all of them
  std::vector<InputFile> files;
};

/// The side files of a run, and the names of the inputs, for messages.
struct RowFilePlan {
  std::vector<RowFileSet> sets;  ///< each role at most once, in the order of tensor_roles
  std::vector<std::string> inputs;
};

/// Whether there is a file (no folder) of this path.
using FileExists = std::function<bool(std::string const& path)>;

/// Finds the side files of `inputs`, which are the shards in order. `auto` takes INPUT.weight, or else INPUT without
/// its last suffix and with .weight instead; so for the other roles, of which qid has two suffixes. Looks at nothing
/// but what `exists` says. Throws SourceError where an input has no such file (naming what was tried), and
/// ConfigurationError for standard input where `auto` cannot help, for standard input that is wanted twice, for an
/// input that has both a .query and a .group, and for a side file that is one of the inputs.
[[nodiscard]] RowFilePlan resolve_row_files(RowFileOptions const& options, std::span<InputFile const> inputs,
                                            FileExists const& exists);
/// The same with the files that there are.
[[nodiscard]] RowFilePlan resolve_row_files(RowFileOptions const& options, std::span<InputFile const> inputs);

/// A side file that does not fit its records. The message names file and line, and the text or both counts.
struct RowFileError : DataError {
  RowFileError(std::string const& message, std::string hint, std::size_t before)
      : DataError(message, std::move(hint)), records_before(before) {}
  /// Of the records of the RowFiles::take() that throws: how many have got their values. It is the same record,
  /// whatever the calls; who wants everything before it to be the same as well deals with these records first.
  std::size_t records_before;
};

/// Where values go, one for each record; a span is empty where they are not wanted.
struct RowValues {
  std::span<float> weights = {};
  std::span<std::int64_t> qids = {};
  std::span<float> base_margins = {};
};

/// Gives the values of side files in the order of the records. Memory: 64 KiB a role (and what gzip needs), whatever
/// the files. Not thread-safe. After an exception it gives nothing sensible any more.
class RowFiles {
 public:
  /// Opens the first file of each role. Throws SourceError; so does every member for a file that cannot be read.
  explicit RowFiles(RowFilePlan plan);
  ~RowFiles();
  RowFiles(RowFiles&&) noexcept;
  RowFiles& operator=(RowFiles&&) noexcept;

  /// Whether there is a side file for the role.
  [[nodiscard]] bool has(Role role) const;
  /// The values of the next `count` records of `shard`, which is an input and never decreases; the shards before are
  /// finished first. Every span of `into` is empty or has `count` elements; the values of empty ones, and those of
  /// roles without a file, are passed over. Throws RowFileError at the first record for which a file has no value or a
  /// bad one.
  void take(std::uint32_t shard, std::size_t count, RowValues const& into);
  /// `shard` has no more records. Throws RowFileError if a file of its own holds values for more.
  void finish_shard(std::uint32_t shard);
  /// No shard has more records. Throws RowFileError if a file holds values for more. Not to be called where reading
  /// ended before the last record.
  void finish();

 private:
  struct Columns;
  std::unique_ptr<Columns> columns_;
};

}  // namespace penstock
