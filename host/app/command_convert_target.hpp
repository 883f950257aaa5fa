/// Where a conversion writes, and whether that can work: everything that is known before the first record.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/core/reshape.hpp"
#include "host/app/file_formats.hpp"
#include "host/app/options.hpp"
#include "host/io/inputs.hpp"
#include "host/io/output.hpp"
#include "penstock/executor.hpp"

namespace penstock::app {

/// What comes in, as far as the output has to know.
struct Incoming {
  BatchLayout layout;
  BatchCapacity record;                                 ///< none is larger
  std::function<std::vector<std::string>(Role)> names;  ///< empty where the input has none
};

struct Target {
  FileFormat const* format = nullptr;
  OutputOptions output;           ///< layout, prologue and companions are known when fit() has run
  std::optional<Absent> reshape;  ///< known when fit() has run: features change between sparse and dense
  std::optional<Absent> absent;   ///< --absent
  std::optional<bool> is_sparse;  ///< --features
  std::vector<std::string> dropped;
  bool is_stdout = false;
  bool wants_header = false;      ///< --output-header
  bool wants_companions = false;  ///< --companions
  bool quarantines = false;
  std::string rejects_prefix;  ///< with `quarantines`: where rejects go
  std::vector<std::string> warnings;

  /// Whether the number of features must be known before the first record.
  [[nodiscard]] bool needs_width() const { return !format->lists_pairs() || is_sparse == false; }
};

/// What the options say. Throws ConfigurationError, also for binary output to a terminal.
[[nodiscard]] Target target_of(Arguments const& arguments);

/// Throws ConfigurationError if a file that will be written is an input too, and SinkError if one exists and may not
/// be replaced, is a folder, or has no folder that can be written to.
void check_files(Target const& target, std::vector<InputFile> const& inputs, FormatInfo const& input_format);

/// Decides the layout of the output. Throws ConfigurationError if the format cannot hold what comes in, saying what
/// would be lost; what it leaves out all the same becomes a warning.
void fit(Target& target, Incoming const& incoming, Arguments const& arguments);

/// The layout of what is encoded: what goes beside the records is not for their encoder.
[[nodiscard]] BatchLayout encoded_layout(Target const& target);

/// Makes the encoder of the target's format; empty for formats that take tensors.
[[nodiscard]] std::function<std::unique_ptr<Encoder>()> encoder_maker(Target const& target, Arguments const& arguments);

/// Every file that the target writes, the main one first; rejects are not among them.
[[nodiscard]] std::vector<std::string> output_paths(Target const& target);

}  // namespace penstock::app
