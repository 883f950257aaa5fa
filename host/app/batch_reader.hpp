/// Records of any format that penstock knows, as batches: what `head`, `inspect` and `diff` read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/io/inputs.hpp"
#include "host/pipeline/convert_stream.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

enum class InputKind : std::uint8_t { csv, recordio, npy, npz };
/// "CSV", "RecordIO-protobuf", ".npy", ".npz".
[[nodiscard]] std::string_view name_of(InputKind kind);

/// The format whose mark the first (decompressed) bytes of an input bear, if they bear one. Standard input is looked
/// at without being consumed, as far as it is a file or a pipe; FIFOs are not. A zip archive is .npz if its first entry
/// is an array. Throws SourceError if the input cannot be opened or read.
[[nodiscard]] std::optional<InputKind> kind_of_content(InputFile const& file);

/// What an input holds: its content says so, or else its name; everything else is CSV. So what is named like a binary
/// format and bears no mark is a damaged file of that format. Throws as kind_of_content().
[[nodiscard]] InputKind kind_of(InputFile const& file);

/// Rows in order, a batch at a time, in memory that does not grow with the input.
class BatchReader {
 public:
  virtual ~BatchReader() = default;
  [[nodiscard]] virtual BatchLayout const& layout() const = 0;
  /// The next rows, at least one; false at the end. They are valid until the next call. Throws SourceError for damage,
  /// SchemaError for records that cannot be rows of the layout, and DataError for what the fault policy refuses; rows
  /// before it are handed out first where records come one by one (CSV, RecordIO).
  virtual bool next(Batch& batch) = 0;
  /// Names of a role's columns; empty where the format has none.
  [[nodiscard]] virtual std::vector<std::string> names(Role role) const;
  /// What there is to know besides, one line each.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
};

/// CSV, by way of the runtime.
class CsvBatchReader final : public BatchReader {
 public:
  CsvBatchReader(std::unique_ptr<CsvPlan> plan, StreamOptions const& stream);

  [[nodiscard]] BatchLayout const& layout() const override { return plan_->layout(); }
  bool next(Batch& batch) override;
  [[nodiscard]] std::vector<std::string> names(Role role) const override;
  [[nodiscard]] std::vector<std::string> notes() const override { return plan_->notes(); }
  [[nodiscard]] CsvPlan const& plan() const { return *plan_; }
  [[nodiscard]] CsvStream& stream() { return stream_; }

 private:
  std::unique_ptr<CsvPlan> plan_;
  CsvStream stream_;
};

/// RecordIO-protobuf with dense records, gzip or not. The first record gives the layout; a later one that differs
/// is a SchemaError, and so are records that are not dense.
[[nodiscard]] std::unique_ptr<BatchReader> open_recordio(InputFile const& file);
/// The features alone: rows are the first dimension, everything behind it is columns.
[[nodiscard]] std::unique_ptr<BatchReader> open_npy(InputFile const& file);
/// The arrays `features`, `label`, `weight` and `qid` of an archive that is a regular file. Throws SchemaError if the
/// first is not there, or if their types or lengths do not fit.
[[nodiscard]] std::unique_ptr<BatchReader> open_npz(InputFile const& file);

struct ReadOptions {
  CsvOptions csv;
  StreamOptions stream;           ///< `skip` and `limit` count for every format
  std::optional<InputKind> kind;  ///< given: nothing is guessed
};

/// What `files` hold, which must all be of one kind. Throws ConfigurationError if they are not.
[[nodiscard]] InputKind common_kind(std::vector<InputFile> const& files, std::optional<InputKind> wanted);

/// All `files` of one kind, one behind the other, as one stream. Throws SchemaError if their layouts differ, and
/// DataError if CSV or RecordIO, whose columns only records show, has none.
[[nodiscard]] std::unique_ptr<BatchReader> open_batches(std::vector<InputFile> const& files, InputKind kind,
                                                        ReadOptions const& options);

}  // namespace penstock::app
