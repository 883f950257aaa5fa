#include "host/app/normalization.hpp"

#include <algorithm>
#include <utility>

#include <sys/stat.h>

#include "host/app/batch_reader.hpp"
#include "host/app/normalizer_fit.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// A file that exists, or a name that only a file can have.
bool names_file(std::string const& value) {
  struct stat status {};
  return value == "-" || value.ends_with(".json") || ::stat(value.c_str(), &status) == 0;
}

/// An option that was given and says how to fit, with its dashes; empty if there is none.
std::string option_of_fitting(Arguments const& arguments) {
  for (std::string_view const option : {"exact", "classes"})
    if (arguments.has(option)) return "--" + std::string(option);
  return arguments.value("positive") ? "--positive" : "";
}

/// What the second pass needs, from what the first one or a file gave.
Normalization ready(NormalizerFile const& file, std::string const& name, std::string path) {
  Normalization normalization;
  normalization.normalizer = make_normalizer(file);
  normalization.names = output_names(file);
  normalization.schema = LoadedSchema{name, parse_schema(file.schema, name)};
  normalization.digest = file.digest;
  normalization.path = std::move(path);
  return normalization;
}

Normalization fit_first(std::string const& spec, Arguments const& arguments, std::vector<InputFile> const& inputs,
                        StreamOptions const& stream, Console& console) {
  FitOptions const options = fit_options(arguments, spec);
  auto const once =
      std::ranges::find_if(inputs, [](InputFile const& file) { return !file.is_regular || file.is_stdin; });
  if (once != inputs.end())
    throw ConfigurationError(
        "--normalize " + spec + " reads the input twice, and " + name_of(*once) + " can be read only once",
        "Fit on a file first (penstock fit ... -o normalizer.json) and give --normalize that "
        "file, or convert from a file.");
  FileFormat const& format = common_format(inputs, format_option(arguments, "from", false));
  Fit fit = fit_normalizer(inputs, format, arguments, stream, options, console);
  console.say("normalize: fitted to " + format_count(fit.file.records) + " records in a first pass");
  for (std::string const& note : fit.notes) console.say(note);
  (void)to_json(fit.file);  // for the digest
  return ready(fit.file, "of the first pass", "");
}

}  // namespace

BatchLayout Normalization::written(BatchLayout rows) const {
  if (words != nullptr) rows.features = names.size();
  return rows;
}

void Normalization::check(BatchLayout const& decoded, std::optional<Absent> absent) const {
  if (decoded.is_sparse && absent != Absent::missing && !moves_zero.empty())
    throw ConfigurationError(
        "the input is sparse, and the zeros that it leaves out are other numbers in " + shown(moves_zero) +
            " when it is undone",
        "convert --features dense --absent zero makes it dense; --absent missing, if it is missing "
        "values that are left out.");
  if (decoded.is_sparse && normalizer->program().columns != normalizer->features())
    throw ConfigurationError(
        "the input is sparse, and columns of indicators, which go when it is undone, have a place in it",
        "convert --features dense --absent zero makes it dense first.");
  if (words != nullptr && words->has_times() && decoded.feature_dtype != DType::float64)
    throw SchemaError("the input has features of " + std::string(name_of(decoded.feature_dtype)) +
                          ", and times are written from float64",
                      "--dtype float64, if the input is text; outputs other than CSV keep numbers.");
  std::size_t const texts = normalizer->text_rules().size();
  if (decoded.categories != texts)
    throw SchemaError("the normaliser " + path + " takes " + std::to_string(texts) +
                          (texts == 1 ? " column" : " columns") + " of text, and the input has none",
                      "Input of the format that it was fitted to has them.");
  if (decoded.features == normalizer->features() && !decoded.has_lists()) return;
  throw SchemaError("the input has " + std::to_string(decoded.features) + " features of numbers, and the normaliser " +
                    path + " takes " + std::to_string(normalizer->features()));
}

std::optional<Normalization> normalization_of(Arguments const& arguments, std::vector<InputFile> const& inputs,
                                              StreamOptions const& stream, Console& console) {
  std::optional<std::string> const value = arguments.value("normalize");
  std::string const fitting = option_of_fitting(arguments);
  if (!value) {
    if (fitting.empty()) return std::nullopt;
    throw ConfigurationError(fitting + " belongs to --normalize, and there is none",
                             "--normalize none fits the label's classes alone; --label-map gives them numbers.");
  }
  if (arguments.value("schema"))
    throw ConfigurationError("--schema and --normalize both say how the input is read",
                             "A normaliser holds the schema of the data it was fitted to.");
  if (!names_file(*value)) return fit_first(*value, arguments, inputs, stream, console);
  if (!fitting.empty())
    throw ConfigurationError(fitting + " belongs to fitting, and " + *value + " is fitted already",
                             "penstock fit takes it.");
  return ready(read_normalizer(*value), *value, *value);
}

namespace {

/// What of columns of text stays as it is.
void note_codes(NormalizerFile const& file, bool holds_words, std::vector<std::string>& notes) {
  for (FittedColumn const& column : file.columns) {
    bool const has_words = column.spec.takes_text() && has_words_back(column, file.dtype);
    if (!column.spec.takes_text() || (has_words && holds_words)) continue;
    notes.push_back(shown(column.name) + " stays as it is: " + text_of(column.spec) +
                    (has_words ? "; CSV holds words" : ""));
  }
}

}  // namespace

Normalization denormalization_of(Arguments const& arguments, FileFormat const& output) {
  std::optional<std::string> const path = arguments.value("normalize");
  if (!path)
    throw ConfigurationError("denormalize: no normaliser is named",
                             "--normalize normalizer.json, as penstock fit wrote it");
  NormalizerFile const file = read_normalizer(*path);
  Inverse inverse = make_inverse(file);
  Normalization normalization;
  normalization.normalizer = std::move(inverse.normalizer);
  normalization.names = std::move(inverse.names);
  normalization.notes = std::move(inverse.notes);
  normalization.moves_zero = std::move(inverse.moves_zero);
  normalization.digest = file.digest;
  normalization.path = *path;
  bool const holds_words = output.is("csv");
  note_codes(file, holds_words, normalization.notes);
  if (!holds_words) return normalization;
  auto words = std::make_shared<WordRows const>(file, LoadedSchema{*path, parse_schema(file.schema, *path)});
  for (std::string const& note : words->notes()) normalization.notes.push_back(note);
  if (!words->is_any()) return normalization;
  normalization.names = words->names();
  normalization.words = std::move(words);
  return normalization;
}

}  // namespace penstock::app
