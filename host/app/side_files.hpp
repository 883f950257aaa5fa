/// The options --group-file, --weight-file and --base-margin-file.
#pragma once

#include <memory>
#include <vector>

#include "host/app/options.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/row_files.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

/// The side files of a run, if there are any.
class SideFiles {
 public:
  /// Throws ConfigurationError where the text has values of the role too, and what opening the files throws.
  SideFiles(Arguments const& arguments, std::vector<InputFile> const& inputs, BatchLayout const& layout);
  /// Null if there are none.
  [[nodiscard]] RowFiles* values() const { return files_.get(); }

 private:
  std::unique_ptr<RowFiles> files_;
};

}  // namespace penstock::app
