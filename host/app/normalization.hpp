/// --normalize of `convert`: a normaliser file, or names of transforms, for which the input is read once before.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/core/reshape.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/command_schema_options.hpp"
#include "host/app/normalizer_file.hpp"
#include "host/app/options.hpp"
#include "host/app/word_rows.hpp"
#include "host/exec/normalizer.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock::app {

struct Normalization {
  std::shared_ptr<Normalizer const> normalizer;
  std::vector<std::string> names;      ///< of the features that come out, or of the columns with words
  std::optional<LoadedSchema> schema;  ///< how the input is read; nothing where a normaliser is undone
  std::string digest;                  ///< of the normaliser file, also of one that was only made on the way
  std::string path;                    ///< of the file; empty: there is none
  std::vector<std::string> notes;
  /// Given: rows are written with words, where a normaliser is undone for an output that has a place for them.
  std::shared_ptr<WordRows const> words;
  std::string moves_zero;  ///< Inverse::moves_zero

  /// Throws SchemaError if the features are not as many as the normaliser takes, or are too coarse for times, and
  /// ConfigurationError for sparse ones whose absent pairs, which `absent` says the meaning of, would stay zeros.
  void check(BatchLayout const& decoded, std::optional<Absent> absent) const;
  /// The layout of what is written, from that of the rows which come out: a column of words may be several features.
  [[nodiscard]] BatchLayout written(BatchLayout rows) const;
};

/// Nothing without the option. Throws ConfigurationError for transforms of an input that cannot be read twice, and what
/// reading a normaliser or fitting one throws.
[[nodiscard]] std::optional<Normalization> normalization_of(Arguments const& arguments,
                                                            std::vector<InputFile> const& inputs,
                                                            StreamOptions const& stream, Console& console);
/// What undoes the normaliser file of the option, which has to be given. `output` is written: CSV takes words.
[[nodiscard]] Normalization denormalization_of(Arguments const& arguments, FileFormat const& output);

}  // namespace penstock::app
