/// --schema and --save-schema: reading an input as a schema file says, and making such a file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/app/cli_output.hpp"
#include "host/app/command_schema_options.hpp"
#include "host/app/file_formats.hpp"
#include "host/app/options.hpp"
#include "host/app/schema_file.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/input_plan.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

/// The schema that --schema names, and how inputs are read as it says:
///
///   - its options count as if they were given, where the input's format has them; one that is given too has to mean
///   the
///     same, and none that the schema was made without may be given. So nothing is found out again.
///   - CSV columns are matched as match_columns() says: by name where there is a header. Other columns are left out.
///   - features have the schema's width: an index beyond is a fault.
///   - what is read has the schema's layout (see match_layout()), in any format. uid and metadata are not compared.
class SchemaGuide {
 public:
  /// Reads the file; without the option there is no schema. Throws ConfigurationError for --unlabeled without one, what
  /// read_schema() throws, and SchemaError for a format or an option that this program does not know.
  SchemaGuide(Arguments const& arguments, Console& console);
  /// With a schema that is there already.
  SchemaGuide(LoadedSchema loaded, bool may_lack_roles, Console& console);
  ~SchemaGuide();
  SchemaGuide(SchemaGuide const&) = delete;
  SchemaGuide& operator=(SchemaGuide const&) = delete;

  [[nodiscard]] bool has_schema() const { return guided_ != nullptr; }

  /// As common_format(); where nothing but the schema says what an input is, the schema does. With a schema the
  /// format's plan() and open() do what is said above, and throw ConfigurationError for options and SchemaError for
  /// inputs that do not fit, naming both sides. They say to the console which columns are not used. Valid as long as
  /// this object, and until the next call.
  [[nodiscard]] FileFormat const& format_of(std::vector<InputFile> const& files, FileFormat const* wanted);

 private:
  class GuidedFormat;
  std::unique_ptr<GuidedFormat> guided_;
};

/// An input that was read, for a schema.
struct SchemaSource {
  FileFormat const& format;
  InputPlan const* plan;       ///< null: of arrays
  BatchLayout layout;          ///< its width is what was found out from all rows, if the plan does not know it
  Arguments const& arguments;  ///< with which it was read
};

/// The schema of an input: every option that decides what its bytes mean, as it was given or found out.
[[nodiscard]] Schema schema_of(SchemaSource const& source);

}  // namespace penstock::app
