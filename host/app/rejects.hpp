/// Quarantine: rejected records as they stand in the input, and what is wrong with each.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/sink.hpp"

namespace penstock::app {

/// `_NAME` beside an output called NAME: readers of whole folders pass over names that begin with an underscore.
[[nodiscard]] std::string rejects_prefix(std::string const& output_path);

/// Two files, made when the first reject comes, visible after commit():
///
///   PREFIX.rejects.csv    (or the suffix of the input's format) the header of the input, if it has one, then the raw
///                         records, one LF behind each if they are text: mend it and convert it again
///   PREFIX.rejects.jsonl  a JSON object for each record: file, record, line, column, offset_bytes, field, field_name,
///                         code, message, cell (and cell_base64 if the cell is not UTF-8)
///
/// Where inputs have the same columns in different orders, records go to a file for each header: the second is
/// PREFIX.rejects.2.csv. All members throw SinkError.
class RejectFiles {
 public:
  /// `plan` must outlive this. Throws SinkError if a file of the first two names exists and may not be replaced.
  RejectFiles(std::string prefix, bool overwrite, InputPlan const& plan);

  /// As RecordStream::on_reject.
  void add(FaultReport const* report, std::string_view raw, bool is_first, bool is_last);
  /// Makes the files visible, if there are any; else removes what an earlier run left, if it may be replaced.
  void commit();
  /// Takes committed files away again.
  void remove() noexcept;
  /// The names of the files that were made.
  [[nodiscard]] std::vector<std::string> paths() const;
  /// The names that files may get, whether or not there are rejects.
  [[nodiscard]] static std::vector<std::string> possible_paths(std::string const& prefix, FormatInfo const& format);

 private:
  struct File {
    std::string path;
    std::string header;
    std::unique_ptr<Sink> sink;
    std::string text;  ///< not written yet
  };

  File& open(std::string const& suffix, std::string header);
  File& records_of(std::size_t shard);
  void write(File& file, std::string_view bytes);

  std::string prefix_;
  bool overwrite_;
  InputPlan const& plan_;
  std::vector<std::unique_ptr<File>> files_;  ///< the JSON lines first
  File* current_ = nullptr;                   ///< where the pieces of a long record go
};

/// The JSON line of a reject.
[[nodiscard]] std::string reject_line(FaultReport const& report);

}  // namespace penstock::app
