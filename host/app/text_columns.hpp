/// CSV that is looked at before it is planned: its columns' names, and those of text, which are no reason to refuse an
/// input that is only viewed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/app/batch_reader.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"

namespace penstock::app {

/// The columns without a role whose cells near the start of the first file with records are text throughout; in the
/// file's order. Throws what looking at the files throws.
[[nodiscard]] std::vector<std::size_t> text_columns(std::vector<InputFile> const& files, CsvOptions const& options);

/// What the first file with records calls its columns.
struct CsvHeading {
  std::vector<std::string> names;  ///< in the file's order; indices in digits without a header
  bool has_header = false;
  std::string file;  ///< what messages call the file
};

/// The heading as the planner will see it; nothing if there are no records, or none that ends. Throws what looking at
/// the files throws.
[[nodiscard]] std::optional<CsvHeading> csv_heading(std::vector<InputFile> const& files, CsvOptions const& options);

struct CsvView {
  std::unique_ptr<PlannedReader> reader;
  CsvPlan const* plan = nullptr;          ///< the reader's
  std::vector<std::size_t> text_columns;  ///< that are no features; empty if the features were named (--columns)

  /// The columns as a list that --ignore takes, ready to be pasted; empty if there are none.
  [[nodiscard]] std::string ignore_list() const;
};

/// What a view does with columns of text: they are left out, or their texts are kept (Batch::texts),
/// up to 4,096 bytes of each.
enum class TextUse : std::uint8_t { ignore, keep };

/// Opens CSV whatever its columns of text, and whatever it is read from. Throws what planning throws.
[[nodiscard]] CsvView open_csv_view(std::vector<InputFile> const& files, ReadOptions const& options,
                                    TextUse use = TextUse::ignore);

}  // namespace penstock::app
