/// Inputs that were looked at: all that passes over them have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/command_schema.hpp"
#include "host/app/normalization.hpp"
#include "host/app/options.hpp"
#include "host/app/side_files.hpp"
#include "host/exec/make_executor.hpp"
#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/loader.hpp"

namespace penstock {

/// A regular file as it was when it was looked at.
struct FileStamp {
  std::string path;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;
  bool operator==(FileStamp const&) const = default;
};

/// What options say, as `convert` understands the same options: format, plan, schema, normaliser, engine. Throws what
/// that throws.
class OpenedInput {
 public:
  /// `takes_part`: the options skip and limit are for this use.
  OpenedInput(InputOptions const& options, bool takes_part);

  [[nodiscard]] std::vector<InputFile> const& files() const { return files_; }
  [[nodiscard]] BatchLayout const& layout() const { return layout_; }
  [[nodiscard]] std::vector<std::string> names(Role role) const;
  [[nodiscard]] std::vector<std::string> notes() const;
  /// Null: arrays.
  [[nodiscard]] InputPlan* plan() const { return plan_.get(); }
  /// Of a pass, without anything that only one use wants.
  [[nodiscard]] StreamOptions const& stream() const { return stream_; }
  [[nodiscard]] Shaping const& shaping() const { return stream_.shaping; }
  /// Arrays again from their start.
  [[nodiscard]] std::unique_ptr<app::BatchReader> open_arrays() const;
  /// The values beside the records, from their start; null if there are none.
  [[nodiscard]] std::unique_ptr<app::SideFiles> open_side_files() const;
  [[nodiscard]] bool has_side_files() const { return has_side_files_; }
  [[nodiscard]] DeviceChoice const& engine() const { return engine_; }
  /// The CPU is the engine of passes that begin from now on.
  void leave_device(std::string const& reason);

  /// All inputs can be read again. Else there is one epoch.
  [[nodiscard]] bool is_read_again() const;
  /// Records can be read from any byte on: regular files, not compressed, not arrays. Otherwise why not, in words.
  [[nodiscard]] std::string const& why_not_at_random() const { return why_not_at_random_; }
  /// Of the regular files, as they were when the input was opened.
  [[nodiscard]] std::vector<FileStamp> const& stamps() const { return stamps_; }
  /// Throws SourceError if a file is not what it was. `may_be_gone`: one that is gone was read before.
  void check_unchanged(bool may_be_gone = false) const;
  /// Of everything that decides what records mean: 16 hexadecimal digits.
  [[nodiscard]] std::string const& options_digest() const { return options_digest_; }

 private:
  void choose_engine(InputOptions const& options);
  void make_plan();
  void choose_form();
  void judge_access();

  app::Arguments arguments_;
  std::unique_ptr<app::Console> console_;
  std::vector<InputFile> files_;
  StreamOptions stream_;
  std::optional<app::Normalization> normalization_;
  std::unique_ptr<app::SchemaGuide> schema_;
  app::FileFormat const* format_ = nullptr;
  DeviceChoice engine_;
  std::unique_ptr<InputPlan> plan_;
  bool has_side_files_ = false;
  BatchLayout layout_;
  std::string why_not_at_random_;
  std::vector<FileStamp> stamps_;
  std::string options_digest_;
};

/// Looks at the inputs, and can be ended by `options.on_wait` meanwhile.
[[nodiscard]] std::unique_ptr<OpenedInput> open_input(InputOptions const& options, bool takes_part);

}  // namespace penstock
