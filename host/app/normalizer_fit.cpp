#include "host/app/normalizer_fit.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <utility>

#include "formats/statistics/sparse_columns.hpp"
#include "host/app/batch_reader.hpp"
#include "host/app/category_counts.hpp"
#include "host/app/column_statistics.hpp"
#include "host/app/command_schema.hpp"
#include "host/app/fault_lines.hpp"
#include "host/app/fit_columns.hpp"
#include "host/app/normalizer_vocabulary.hpp"
#include "host/app/options_values.hpp"
#include "host/app/path_items.hpp"
#include "host/app/replay.hpp"
#include "host/app/schema_file.hpp"
#include "host/app/task_team.hpp"
#include "host/app/text_columns.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

// --- which column becomes what ---------------------------------------------------------------------------------------

/// Columns of a CSV file by number, and what --normalize says of them.
struct CsvChoice {
  std::vector<std::optional<TransformSpec>> specs;  ///< by column of the file
  TransformSpec rest;                               ///< of numeric columns that no item names
  std::vector<std::size_t> texts;                   ///< columns of text, ascending
  std::vector<std::size_t> labels;                  ///< whose class names are to be found
  std::optional<std::vector<std::size_t>> columns;  ///< --columns without columns of text
  std::vector<std::size_t> others;                  ///< columns that no option names
  bool has_header = false;
};

std::string place_list(std::vector<std::size_t> const& columns) {
  std::string list;
  for (std::size_t const column : columns) list += (list.empty() ? "#" : ",#") + std::to_string(column);
  return list;
}

/// What the items say, by column.
std::vector<std::optional<TransformSpec>> specs_of(ColumnNames const& names, std::vector<SpecItem> const& items,
                                                   TransformSpec& rest) {
  std::vector<std::optional<TransformSpec>> specs(names.size());
  for (SpecItem const& item : items) {
    if (item.columns.empty()) {
      rest = item.spec;
      continue;
    }
    for (std::size_t const column : names.resolve(item.columns, "--normalize")) {
      if (specs[column]) throw ConfigurationError("--normalize names " + names.word_for(column) + " twice");
      specs[column] = item.spec;
    }
  }
  return specs;
}

/// A label whose class names are to be found: asked for, or text as far as the start of the input shows.
std::vector<std::size_t> class_labels(std::vector<InputFile> const& files, CsvOptions csv, ColumnNames const& names,
                                      FitOptions const& options) {
  std::vector<std::size_t> const labels = names.resolve(csv.label, "--label");
  bool const is_asked = options.wants_classes || options.positive.has_value();
  if (is_asked && labels.size() != 1)
    throw ConfigurationError("--classes and --positive are about one label", "--label NAME names it.");
  if (is_asked && !csv.label_map.empty())
    throw ConfigurationError("--label-map says already which class is which number",
                             "Leave it out, or --classes and --positive.");
  if (labels.empty() || !csv.label_map.empty()) return {};
  if (is_asked) return labels;
  csv.label.clear();
  std::vector<std::size_t> const texts = text_columns(files, csv);
  std::vector<std::size_t> found;
  for (std::size_t const label : labels)
    if (std::ranges::find(texts, label) != texts.end()) found.push_back(label);
  if (!found.empty() && labels.size() != 1)
    throw ConfigurationError("several labels, and " + names.word_for(found[0]) + " is text, not numbers",
                             "--label-map gives class names numbers.");
  return found;
}

/// --columns may name columns of text too, which then are no columns of numbers.
void choose_columns(CsvOptions const& csv, ColumnNames const& names, CsvChoice& choice) {
  if (csv.columns.empty()) return;
  std::vector<bool> is_used(names.size());
  for (std::string const* const list : {&csv.label, &csv.weight, &csv.qid, &csv.ignore, &csv.columns})
    for (std::size_t const column : names.resolve(*list, csv.columns_option)) is_used[column] = true;
  for (std::size_t const text : choice.texts) is_used[text] = true;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!is_used[i]) choice.others.push_back(i);
  choice.columns = names.resolve(csv.columns, csv.columns_option);
  std::erase_if(*choice.columns,
                [&](std::size_t column) { return std::ranges::find(choice.texts, column) != choice.texts.end(); });
}

CsvChoice choose(std::vector<InputFile> const& files, Arguments const& arguments, FitOptions const& options) {
  CsvOptions csv = csv_options(arguments);
  CsvOptions look = csv;
  look.label_map.clear();
  std::optional<CsvHeading> const heading = csv_heading(files, look);
  if (!heading) throw DataError(name_of(files.front()) + ": no records");
  ColumnNames const names(heading->names, heading->has_header, heading->file);
  CsvChoice choice;
  choice.has_header = heading->has_header;
  choice.specs = specs_of(names, options.items, choice.rest);
  for (std::size_t i = 0; i < choice.specs.size(); ++i)
    if (choice.specs[i] && choice.specs[i]->takes_text()) choice.texts.push_back(i);
  choice.labels = class_labels(files, csv, names, options);
  choose_columns(csv, names, choice);
  for (std::size_t const label : choice.labels)
    if (choice.specs[label]) throw ConfigurationError("--normalize: " + names.word_for(label) + " is the label");
  return choice;
}

/// The arguments of the pass: columns of text, and labels whose classes are to be found, come as texts.
Arguments pass_arguments(Arguments const& given, CsvChoice const& choice) {
  Arguments arguments = given.without({"texts"});
  if (!choice.labels.empty()) arguments = arguments.without({"label"});
  std::vector<std::size_t> texts = choice.texts;
  texts.insert(texts.end(), choice.labels.begin(), choice.labels.end());
  if (!texts.empty()) arguments.set_default("texts", place_list(texts));
  if (!choice.columns) return arguments;
  arguments = arguments.without({"columns"});
  if (!choice.columns->empty()) {
    arguments.set_default("columns", place_list(*choice.columns));
  } else if (!choice.others.empty()) {  // no numbers at all: no column may become a feature unasked
    std::string const ignored = given.value_or("ignore", "");
    arguments = arguments.without({"ignore"});
    arguments.set_default("ignore", (ignored.empty() ? "" : ignored + ",") + place_list(choice.others));
  }
  return arguments;
}

// --- what comes of it ------------------------------------------------------------------------------------------------

/// A pass over an input, from its plan to the parameters.
class FitPass {
 public:
  /// `names`: of the features; none: their numbers.
  FitPass(std::unique_ptr<BatchReader> reader, std::vector<std::string> names, FitOptions const& options,
          StreamOptions const& stream)
      : reader_(std::move(reader)),
        options_(options),
        memory_bytes_(stream.memory_bytes),
        policy_(stream.on_error),
        team_(stream.threads) {
    layout_ = reader_->layout();
    if (layout_.features > memory_bytes_ / (2 * bytes_per_column))
      throw DeviceError(
          "to fit " + format_count(layout_.features) + " columns takes more than half of --memory",
          "a larger --memory: " + std::to_string(bytes_per_column) + " bytes a column, and as many again");
    names_ = std::move(names);
    if (names_.size() != layout_.features) {
      names_.clear();
      for (std::size_t i = 0; i < layout_.features; ++i) names_.push_back(std::to_string(i));
    }
  }

  /// By column of the features, and of the texts.
  std::vector<TransformSpec> numbers, texts;

  [[nodiscard]] BatchLayout const& layout() const { return layout_; }
  [[nodiscard]] std::vector<std::string> const& names() const { return names_; }

  void check() const {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i].takes_text())
        throw ConfigurationError("--normalize: " + shown(names_[i]) + " is a column of numbers, and " +
                                 text_of(numbers[i]) + " is for text");
      bool const is_dense = !numbers[i].keeps_zero() || numbers[i].adds_indicator;
      if (layout_.is_sparse && is_dense)
        throw ConfigurationError(
            "--normalize: " + text_of(numbers[i]) + " would change zeros, and the features are sparse",
            "none, max-abs, log1p and power keep zeros; convert --features dense --absent zero "
            "makes a dense file first.");
    }
  }

  /// Reads everything. `with_labels`: so many columns of text more, at the end, are labels.
  void read(std::size_t with_labels) {
    std::vector<TextColumn> wanted(texts.size() + with_labels, {true, std::nullopt});
    for (std::size_t i = 0; i < texts.size(); ++i) {
      wanted[i].wants_counts = texts[i].needs_vocabulary();
      if (!wanted[i].wants_counts) wanted[i].rule = text_rule_of(texts[i]);
    }
    counts_.emplace(std::move(wanted), memory_bytes_ / 2);
    ColumnDetails details{.is_exact = options_.is_exact};
    for (TransformSpec const& spec : numbers) {
      details.quantiles = details.quantiles || spec.needs_quantiles();
      details.quantile_columns.push_back(spec.needs_quantiles());
    }
    columns_.emplace(layout_.feature_dtype, layout_.is_sparse ? 0 : numbers.size(), details);
    columns_->share_work(team_);
    for (Batch batch; reader_->next(batch);) {
      records_ += batch.rows;
      if (layout_.is_sparse)
        add_sparse(batch.csr);
      else if (DeviceRows* const rows = reader_->device_rows(); rows != nullptr)
        columns_->add(batch.features, *rows);
      else
        columns_->add(batch.features);
      if (batch.texts.columns != 0) counts_->add(batch.texts);
    }
    auto const summaries = columns_->finish();
    summaries_.assign(summaries.begin(), summaries.end());
    if (layout_.is_sparse) {
      summaries_.assign(sparse_.columns().begin(), sparse_.columns().end());
      summaries_.resize(numbers.size());
    }
    if (records_ == 0) throw DataError("no records are left from which anything could be fitted");
  }

  /// `text_names`: of the columns of text.
  [[nodiscard]] NormalizerFile finish(std::vector<std::string> const& text_names, std::vector<std::string>& notes) {
    NormalizerFile file;
    file.records = records_;
    file.dtype = layout_.feature_dtype;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      NumberFacts const facts{names_[i], summaries_[i],
                              [this, i](double share) { return columns_->quantile(i, share); }};
      file.columns.push_back(fit_number(facts, numbers[i]));
    }
    for (std::size_t i = 0; i < texts.size(); ++i) {
      FittedColumn column;
      column.name = text_names[i];
      column.spec = texts[i];
      if (texts[i].needs_vocabulary())
        column.vocabulary = vocabulary_of(column.name, texts[i], counts_->counts(i), notes);
      check_unread(column, i, notes);
      file.columns.push_back(std::move(column));
    }
    if (!columns_->has_exact_quantiles())
      notes.emplace_back("quantiles are those of a sample of all values: --exact takes all of them");
    return file;
  }
  [[nodiscard]] TextColumnCounts const& counts() const { return *counts_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }

 private:
  /// What is kept of a column of numbers, without quantiles.
  static constexpr std::size_t bytes_per_column = 1024;

  void add_sparse(Csr const& csr) {
    Extent const pairs = csr.pairs();
    auto const add = [&]<class T>(T const* values) {
      sparse_.add(csr.indices + pairs.begin, values + pairs.begin, pairs.size());
    };
    switch (csr.dtype) {
      case DType::float32: return add(csr.values_as<float>());
      case DType::float64: return add(csr.values_as<double>());
      case DType::int32: return add(csr.values_as<std::int32_t>());
      case DType::int64: return add(csr.values_as<std::int64_t>());
    }
  }

  /// Texts that a conversion rejects their records for, or takes for missing: an error, unless the policy says that
  /// there may be such.
  void check_unread(FittedColumn const& column, std::size_t text, std::vector<std::string>& notes) const {
    std::uint64_t const unread = counts_->unread(text);
    if (unread == 0) return;
    std::string const what = shown(column.name) + ": " + format_count(unread) +
                             (unread == 1 ? " text is" : " texts are") + " nothing that " + text_of(column.spec) +
                             " reads, such as " + shown(counts_->first_unread(text));
    bool const is_all = unread + counts_->missing(text) == records_;
    if (policy_ != FaultPolicy::fail && !is_all) {
      notes.push_back(what);
      return;
    }
    throw DataError(what, column.spec.transform == Transform::time
                              ? "time(..., format=us) reads month/day/year, format=european day.month.year, "
                                "format=epoch seconds; --null lists the spellings of missing values."
                              : "--null lists the spellings of missing values; ordinal takes any two words.");
  }

  std::unique_ptr<BatchReader> reader_;
  FitOptions const& options_;
  std::size_t memory_bytes_;
  FaultPolicy policy_;
  BatchLayout layout_;
  std::vector<std::string> names_;
  std::optional<TensorStatistics> columns_;
  statistics::SparseColumns sparse_{std::numeric_limits<std::size_t>::max()};
  std::vector<statistics::Summary> summaries_;  ///< of columns of numbers
  TaskTeam team_;
  std::optional<TextColumnCounts> counts_;
  std::uint64_t records_ = 0;
};

std::string one_line_less(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// Makes classes of the label that was read as column of text number `place`.
void add_classes(TextColumnCounts const& texts, std::size_t place, std::string const& label, FitOptions const& options,
                 Schema& schema, std::vector<std::string>& notes) {
  if (texts.missing(place) != 0)
    throw DataError("the label " + shown(label) + " is missing in " + format_count(texts.missing(place)) + " records",
                    "labels cannot be missing: take them out, or --null lists what counts as missing");
  schema.layout.labels = 1;
  schema.options.emplace_back("label-map", label_map_of(label, texts.counts(place), options, notes));
}

Fit fit_csv(std::vector<InputFile> const& given, FileFormat const& format, Arguments const& arguments,
            StreamOptions const& stream, FitOptions const& options, Console& console) {
  Replay replay(given);
  CsvChoice const choice = choose(replay.files(), arguments, options);
  Arguments const pass_with = pass_arguments(arguments, choice);
  StreamOptions reading = stream;
  reading.leaves_features = !options.needs_quantiles();
  auto reader = std::make_unique<PlannedReader>(format.plan(replay.files(), pass_with, {reading, false}), reading);
  replay.settle();
  auto const& plan = dynamic_cast<CsvPlan const&>(reader->plan());
  FaultLines faults(console);
  RecordStream& records = reader->stream();
  records.on_reject = [&faults](FaultReport const* report, std::string_view, bool, bool) {
    if (report != nullptr) faults.show(*report);
  };
  FitPass pass(std::move(reader), plan.names(Role::feature), options, stream);
  std::vector<csv::Column> const columns(plan.decode_plan().columns[0].begin(), plan.decode_plan().columns[0].end());
  pass.numbers.resize(pass.layout().features);
  std::vector<std::string> text_names(choice.texts.size());
  pass.texts.resize(choice.texts.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::string const name = plan.columns()[i].name;
    bool const is_given = i < choice.specs.size() && choice.specs[i].has_value();
    if (columns[i].role == Role::feature) pass.numbers[columns[i].place] = is_given ? *choice.specs[i] : choice.rest;
    if (columns[i].role == Role::category && columns[i].place < text_names.size()) {
      pass.texts[columns[i].place] = *choice.specs[i];
      text_names[columns[i].place] = name;
    }
    bool const is_lost = is_given && columns[i].role != Role::feature && columns[i].role != Role::category;
    if (is_lost)
      throw ConfigurationError("--normalize: column " + shown(name) + " is no feature, but " +
                               std::string(name_of(columns[i].role)));
  }
  pass.check();
  pass.read(choice.labels.size());
  faults.finish(records.counts().rejected);
  Fit fit;
  fit.file = pass.finish(text_names, fit.notes);
  Schema schema = schema_of({format, &plan, plan.layout(), pass_with});
  for (std::size_t i = 0; i < choice.labels.size(); ++i) {
    SchemaColumn& label = schema.columns[choice.labels[i]];
    label.role = Role::label;
    schema.options.emplace_back("label", choice.has_header ? list_item(label.name) : label.name);
    add_classes(pass.counts(), choice.texts.size() + i, label.name, options, schema, fit.notes);
  }
  fit.file.schema = one_line_less(to_json(schema));
  return fit;
}

/// Of JSON objects numbers are numbers, also in labels: only strings are looked for among class names.
void check_names(CategoryCounts const& classes, std::string const& label) {
  for (auto const& [text, count] : classes.by_count()) {
    auto const parsed = number::parse<double>(text.data(), text.data() + text.size());
    if (parsed.status == number::Status::malformed && text != "true" && text != "false") continue;
    throw DataError("the label " + shown(label) + " is " + shown(text) + " in " + format_count(count) +
                        (count == 1 ? " record" : " records") +
                        ", and numbers and booleans of JSON objects are no class names",
                    "Leave out --classes and --positive: such labels are numbers as they are.");
  }
}

/// The label was one of the columns that the survey found, the last of them.
void take_out_of_columns(std::string const& label, Schema& schema) {
  for (auto& [option, value] : schema.options)
    if (option == "columns" && value.ends_with("," + label)) value.resize(value.size() - label.size() - 1);
}

Fit fit_others(std::vector<InputFile> const& files, FileFormat const& format, Arguments const& arguments,
               StreamOptions const& stream, FitOptions const& options, Console& console) {
  bool const has_paths = format.is("objects"), wants_classes = options.wants_classes || options.positive;
  if (wants_classes && !has_paths)
    throw ConfigurationError("--classes and --positive are for CSV and JSON objects, whose labels may be names");
  PathItems said = has_paths ? path_items(options.items) : PathItems{options.items, {}};
  Arguments read_with = arguments;
  if (wants_classes) {
    said.label = class_label(arguments);
    read_with = arguments.without({"label"});
  }
  Arguments const pass_with = with_label_as_text(with_texts(read_with, said), said);
  StreamOptions reading = stream;
  reading.leaves_features = !options.needs_quantiles();
  auto reader = open_batches(files, format, {pass_with, reading, &format, true});
  auto* const planned = dynamic_cast<PlannedReader*>(reader.get());
  FaultLines faults(console);
  if (planned != nullptr)
    planned->stream().on_reject = [&faults](FaultReport const* report, std::string_view, bool, bool) {
      if (report != nullptr) faults.show(*report);
    };
  InputPlan const* const plan = planned == nullptr ? nullptr : &planned->plan();
  std::vector<std::string> feature_names = reader->names(Role::feature);
  std::vector<std::string> text_names = reader->names(Role::category);
  if (wants_classes) text_names.pop_back();  // the label is the last of them
  FitPass pass(std::move(reader), std::move(feature_names), options, stream);
  if (pass.layout().features + text_names.size() == 0)
    throw ConfigurationError("--normalize: " + std::string(format.info().title) + " of this kind has no features");
  bool const has_names = plan != nullptr && plan->has_names();
  TransformSpec rest;
  ColumnNames const names = has_names ? ColumnNames(pass.names(), true, name_of(files.front()))
                                      : ColumnNames(pass.names().size(), name_of(files.front()));
  auto const specs = specs_of(names, has_paths ? listed_items(said.others, pass.names()) : said.others, rest);
  for (auto const& spec : specs) pass.numbers.push_back(spec.value_or(rest));
  for (std::string const& name : text_names) pass.texts.push_back(said.texts.at(name));
  pass.check();
  pass.read(wants_classes ? 1 : 0);
  if (planned != nullptr) faults.finish(planned->stream().counts().rejected);
  for (std::size_t i = 0; has_paths && i < text_names.size(); ++i)
    if (pass.counts().missing(i) == pass.records())
      throw DataError(shown(text_names[i]) + ": no record has a text there",
                      "Leave it out of --normalize; penstock stats lists keys that hold texts.");
  Fit fit;
  if (has_paths) fit.notes = plan->notes();  // which keys are features, and which are left out
  fit.file = pass.finish(text_names, fit.notes);
  Schema schema = schema_of({format, plan, pass.layout(), with_texts(read_with, said)});
  if (wants_classes) {
    check_names(pass.counts().counts(text_names.size()), said.label);
    take_out_of_columns(said.label, schema);
    schema.options.emplace_back("label", said.label);
    add_classes(pass.counts(), text_names.size(), said.label, options, schema, fit.notes);
  }
  fit.file.schema = one_line_less(to_json(schema));
  return fit;
}

}  // namespace

FitOptions fit_options(Arguments const& arguments, std::string_view spec) {
  return {parse_normalize(spec), arguments.has("exact"), arguments.has("classes"), arguments.value("positive")};
}

Fit fit_normalizer(std::vector<InputFile> const& inputs, FileFormat const& format, Arguments const& arguments,
                   StreamOptions const& stream, FitOptions const& options, Console& console) {
  Fit fit = format.is("csv") ? fit_csv(inputs, format, arguments, stream, options, console)
                             : fit_others(inputs, format, arguments, stream, options, console);
  return fit;
}

}  // namespace penstock::app
