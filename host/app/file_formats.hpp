/// The formats that the command line reads and writes: those of formats/formats.hpp, and the array files .npy and .npz.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/format.hpp"
#include "host/app/options.hpp"
#include "host/io/inputs.hpp"
#include "host/io/output.hpp"
#include "host/pipeline/format_plan.hpp"
#include "host/pipeline/input_plan.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock::app {

class BatchReader;

/// A FormatOption without its type.
struct OptionWords {
  std::string_view name;
  std::string_view argument;
  std::string_view help;
};

/// What the command line wants to know of a format. Formats live as long as the program.
class FileFormat {
 public:
  virtual ~FileFormat() = default;
  [[nodiscard]] virtual FormatInfo const& info() const = 0;
  [[nodiscard]] std::string_view name() const { return info().name; }
  [[nodiscard]] bool is(std::string_view name) const { return info().name == name; }
  /// Whether an input that begins with `head` (mark_bytes_max bytes, or all there are) is certainly of this format.
  [[nodiscard]] virtual bool bears_mark(std::string_view head) const = 0;

  /// Whether an input of no known name that begins with `head` is most likely of this format.
  [[nodiscard]] virtual bool looks_like(std::string_view) const { return false; }

  /// Records come through lanes: plan(). Else, arrays: open().
  [[nodiscard]] virtual bool is_planned() const { return false; }
  [[nodiscard]] virtual bool is_array() const { return false; }
  [[nodiscard]] virtual std::vector<OptionWords> read_options() const { return {}; }
  /// Throws ConfigurationError for options, and what planning throws.
  [[nodiscard]] virtual std::unique_ptr<InputPlan> plan(std::vector<InputFile> const& files, Arguments const& arguments,
                                                        PlanRequest const& request) const;
  [[nodiscard]] virtual std::unique_ptr<BatchReader> open(InputFile const& file) const;

  [[nodiscard]] virtual bool is_written() const { return false; }
  [[nodiscard]] virtual OutputKind output_kind() const { return OutputKind::encoded; }
  [[nodiscard]] virtual std::vector<OptionWords> write_options() const { return {}; }
  /// Whether rows of the output have a place for it.
  [[nodiscard]] virtual bool holds(Role role) const { return role == Role::feature || role == Role::label; }
  [[nodiscard]] virtual bool holds_texts() const { return false; }
  [[nodiscard]] virtual bool holds_sparse() const { return false; }
  /// Whether rows have a place for lists (and for start and cat, which come with them).
  [[nodiscard]] virtual bool holds_lists() const { return false; }
  /// Rows are lists of pairs: the number of features need not be known, and dense rows list every cell.
  [[nodiscard]] virtual bool lists_pairs() const { return false; }
  /// The line of column names that an output may begin with, if the format has one.
  [[nodiscard]] virtual std::optional<std::string> header(std::span<std::string const> names) const;
  /// Why rows of `layout`, none larger than `record`, cannot be written.
  [[nodiscard]] virtual std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const& record,
                                                           Arguments const& arguments) const;
  /// Empty for arrays.
  [[nodiscard]] virtual std::function<std::unique_ptr<Encoder>()> encoder_maker(BatchLayout const& layout,
                                                                                Arguments const& arguments) const;
};

/// All of them; CSV, which any text may be, comes first.
[[nodiscard]] std::span<FileFormat const* const> file_formats();
/// Null if there is none.
[[nodiscard]] FileFormat const* format_named(std::string_view name);
[[nodiscard]] FileFormat const* format_of_suffix(std::string_view path);
/// "csv, libsvm or npy": names of the formats that are read (written).
[[nodiscard]] std::string names_of_read_formats();
[[nodiscard]] std::string names_of_written_formats();
/// The format that --from or --to names; null if the option was not given.
[[nodiscard]] FileFormat const* format_option(Arguments const& arguments, std::string_view option, bool is_written);

/// Throws ConfigurationError for an option that only formats other than `read` and `written` know.
void check_format_options(Arguments const& arguments, std::vector<FileFormat const*> const& read,
                          FileFormat const* written);

}  // namespace penstock::app
