/// Records of any format that penstock knows, as batches: what `head`, `inspect` and `diff` read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/file_formats.hpp"
#include "host/app/options.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

/// The format whose mark the first (decompressed) bytes of an input bear, null if they bear none. Standard input is
/// looked at without being consumed, as far as it is a file or a pipe; FIFOs are not. A zip archive is .npz if its
/// first entry is an array. Throws SourceError if the input cannot be opened or read.
[[nodiscard]] FileFormat const* format_of_content(InputFile const& file);

/// What an input holds: its content says so beyond doubt, or else its name, or else what it looks like; everything else
/// is CSV. So what is named like a binary format and bears no mark is a damaged file of that format. Throws as
/// format_of_content().
[[nodiscard]] FileFormat const* format_of(InputFile const& file);

/// Rows in order, a batch at a time, in memory that does not grow with the input.
class BatchReader {
 public:
  virtual ~BatchReader() = default;
  [[nodiscard]] virtual BatchLayout const& layout() const = 0;
  /// The next rows, at least one; false at the end. They are valid until the next call. Throws SourceError for damage,
  /// SchemaError for records that cannot be rows of the layout, and DataError for what the fault policy refuses; rows
  /// before it are handed out first where records come one by one (CSV, RecordIO).
  virtual bool next(Batch& batch) = 0;
  /// Of the rows that next() gave last: where their features are, if they were left on a device.
  [[nodiscard]] virtual DeviceRows* device_rows() const { return nullptr; }
  /// Names of a role's columns; empty where the format has none.
  [[nodiscard]] virtual std::vector<std::string> names(Role role) const;
  /// What there is to know besides, one line each.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
};

/// Records, by way of the runtime.
class PlannedReader final : public BatchReader {
 public:
  PlannedReader(std::unique_ptr<InputPlan> plan, StreamOptions const& stream);

  [[nodiscard]] BatchLayout const& layout() const override { return stream_.layout(); }
  bool next(Batch& batch) override;
  [[nodiscard]] DeviceRows* device_rows() const override { return device_rows_; }
  [[nodiscard]] std::vector<std::string> names(Role role) const override;
  [[nodiscard]] std::vector<std::string> notes() const override;
  [[nodiscard]] InputPlan const& plan() const { return *plan_; }
  [[nodiscard]] RecordStream& stream() { return stream_; }

 private:
  std::unique_ptr<InputPlan> plan_;
  RecordStream stream_;
  DeviceRows* device_rows_ = nullptr;
};

/// Elements that a row of an array may have: at twenty bytes each it becomes a record of 320 MiB, which frames hold.
inline constexpr std::size_t array_row_elements_max = std::size_t{1} << 24;

/// The features alone: rows are the first dimension, everything behind it is columns.
[[nodiscard]] std::unique_ptr<BatchReader> open_npy(InputFile const& file);
/// The arrays `features` (or those of a CSR matrix), `label`, `weight`, `qid`, `base_margin`, `start` and `cat`, and
/// those of lists (npz_lists.hpp), of an archive that is a regular file. Throws SchemaError if there are neither
/// features nor lists, or if types or lengths do not fit.
[[nodiscard]] std::unique_ptr<BatchReader> open_npz(InputFile const& file);

struct ReadOptions {
  Arguments arguments;                 ///< from which formats take their options
  StreamOptions stream;                ///< `skip` and `limit` count for every format
  FileFormat const* format = nullptr;  ///< given: nothing is guessed
  bool needs_width = false;            ///< the number of features must be known
  bool finds_texts = false;            ///< PlanRequest::finds_texts
};

/// What `files` hold, which must all be of one format. Throws ConfigurationError if they are not.
[[nodiscard]] FileFormat const& common_format(std::vector<InputFile> const& files, FileFormat const* wanted);

/// All `files` of one format, one behind the other, as one stream. Throws SchemaError if their layouts differ, and
/// DataError if a format whose columns only records show has none.
[[nodiscard]] std::unique_ptr<BatchReader> open_batches(std::vector<InputFile> const& files, FileFormat const& format,
                                                        ReadOptions const& options);

/// Arrays one behind the other, as open_batches() reads them.
[[nodiscard]] std::unique_ptr<BatchReader> open_arrays(std::vector<InputFile> const& files, FileFormat const& format,
                                                       StreamOptions const& window);

}  // namespace penstock::app
