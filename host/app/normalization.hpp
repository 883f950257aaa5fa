/// --normalize of `convert`: a normaliser file, or names of transforms, for which the input is read once before.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/app/cli_output.hpp"
#include "host/app/command_schema_options.hpp"
#include "host/app/normalizer_file.hpp"
#include "host/app/options.hpp"
#include "host/exec/normalizer.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock::app {

struct Normalization {
  std::shared_ptr<Normalizer const> normalizer;
  std::vector<std::string> names;      ///< of the features that come out
  std::optional<LoadedSchema> schema;  ///< how the input is read; nothing where a normaliser is undone
  std::string digest;                  ///< of the normaliser file, also of one that was only made on the way
  std::string path;                    ///< of the file; empty: there is none
  std::vector<std::string> notes;

  /// Throws SchemaError if the features are not as many as the normaliser takes.
  void check(BatchLayout const& decoded) const;
};

/// Nothing without the option. Throws ConfigurationError for transforms of an input that cannot be read twice, and what
/// reading a normaliser or fitting one throws.
[[nodiscard]] std::optional<Normalization> normalization_of(Arguments const& arguments,
                                                            std::vector<InputFile> const& inputs,
                                                            StreamOptions const& stream, Console& console);
/// What undoes the normaliser file of the option, which has to be given.
[[nodiscard]] Normalization denormalization_of(Arguments const& arguments);

}  // namespace penstock::app
