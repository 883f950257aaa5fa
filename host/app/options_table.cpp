#include <algorithm>
#include <deque>
#include <iterator>
#include <string>
#include <vector>

#include "host/app/commands.hpp"
#include "host/app/file_formats.hpp"
#include "host/app/options.hpp"

namespace penstock::app {
namespace {

constexpr std::string_view convert_examples[] = {
    "penstock convert train.csv --label y -o train.rec",
    "penstock convert shards/ --label 0 --weight w --on-error quarantine -o train.npz",
    "zcat part-*.gz | penstock convert - --to recordio -o - | aws s3 cp - s3://bucket/train.rec",
    "penstock convert iris.csv --label species --label-map 'setosa=0,versicolor=1,virginica=2' -o iris.rec",
    "penstock convert train.csv -o train.rec --dry-run",
    "penstock convert sales.csv --to deepar --series-id item --time day --target sold --freq D -o train.jsonl",
};
constexpr std::string_view head_examples[] = {
    "penstock head train.csv --label y -n 5",
    "penstock head train.rec --json | jq .features[0]",
};
constexpr std::string_view inspect_examples[] = {
    "penstock inspect train.csv --label y",
    "penstock inspect train.npz --json",
};
constexpr std::string_view stats_examples[] = {
    "penstock stats train.csv --label y",
    "penstock stats train.csv --column age --statistic mean",
    "penstock stats train.csv --label y --correlations --json",
};
constexpr std::string_view fit_examples[] = {
    "penstock fit train.csv --label y -o normalizer.json",
    "penstock fit train.csv --label y --normalize 'robust; city=one-hot; day=time(month,weekday)' -o normalizer.json",
    "penstock convert test.csv --normalize normalizer.json -o test.rec",
};
constexpr std::string_view denormalize_examples[] = {
    "penstock denormalize scores.npz --normalize normalizer.json -o scores.csv --output-header",
};
constexpr std::string_view diff_examples[] = {
    "penstock diff train.csv train.rec --label y",
    "penstock diff old.npz new.npz --ulp 1",
    "penstock diff train.csv features.npy --label y --features-only",
};
constexpr std::string_view synth_examples[] = {
    "penstock synth higgs --size 1GiB -o higgs.csv",
    "penstock synth higgs --rows 1000 --seed 7 -o - | penstock head -",
};
constexpr std::string_view validate_examples[] = {
    "penstock validate train.rec",
    "penstock validate shards/ --strict --json",
};
constexpr std::string_view doctor_examples[] = {
    "penstock doctor",
    "penstock doctor --json",
};

constexpr std::string_view convert_details =
    "INPUT is a file, a folder (its files at any depth, but none whose name begins with '.' or '_'), a pattern in "
    "quotes\n"
    "('part-*.csv'), a FIFO, or - for standard input. gzip is recognised by content. Several inputs are one stream of\n"
    "records, in the order given; what one folder or pattern stands for is in bytewise order.\n\n"
    "OUT says the format by its suffix, such as .rec, .libsvm, .npz or .csv; - is standard output. It appears\n"
    "under its name when it is complete, and not at all if something fails.\n";

constexpr std::string_view fit_details =
    "--normalize lists transforms, separated by semicolons: COLUMNS=TRANSFORM, or TRANSFORM for all other columns of "
    "numbers.\n"
    "Transforms of numbers: none, standardize, min-max(LOW,HIGH), max-abs, robust, log1p, power(P), clip(LOW,HIGH),\n"
    "bucketize(N), each perhaps with impute(mean|median|NUMBER[,indicator]) + before it. Of text: one-hot, ordinal,\n"
    "hash(BITS), boolean, time(PART,...,format=FORMAT). docs/normalize.md says what they do.\n";

constexpr std::string_view any_format_details =
    "INPUT is of any format that --from names, told apart by content, then by suffix. It is a file, a folder,\n"
    "a pattern in quotes, a FIFO, or - for standard input.\n";

constexpr Verb verb_table[] = {
    {convert_verb, "convert", "convert INPUT... -o OUT [OPTION...]",
     "Turns records of one format into those of another.", convert_examples, convert_details, run_convert},
    {head_verb, "head", "head INPUT... [-n N] [OPTION...]", "Shows the first decoded records.", head_examples,
     any_format_details, run_head},
    {inspect_verb, "inspect", "inspect INPUT... [OPTION...]",
     "Says what inputs are: format, dialect, columns, types, exact counts.", inspect_examples, any_format_details,
     run_inspect},
    {stats_verb, "stats", "stats INPUT... [OPTION...]", "Counts and sums up what each column holds.", stats_examples,
     any_format_details, run_stats},
    {fit_verb, "fit", "fit INPUT... -o normalizer.json [--normalize LIST] [OPTION...]",
     "Fits a normaliser to training data, for convert --normalize.", fit_examples, fit_details, run_fit},
    {denormalize_verb, "denormalize", "denormalize INPUT... --normalize normalizer.json -o OUT [OPTION...]",
     "Turns normalised features back into what they were, as far as that can be undone.", denormalize_examples,
     any_format_details, run_denormalize},
    {diff_verb, "diff", "diff A B [OPTION...]", "Compares two inputs record by record, across formats.", diff_examples,
     "A and B are of any format: a file, a folder or a pattern each. Values are compared by their bits, except\n"
     "that any NaN equals any other. The element type of a text side is that of a binary other side unless --dtype\n"
     "says otherwise. Exit status 0: the same; 1: different.\n",
     run_diff},
    {synth_verb, "synth", "synth KIND -o OUT (--rows N | --size SIZE) [OPTION...]",
     "Makes test data: the same bytes for the same kind, seed and length everywhere.", synth_examples, "", run_synth},
    {validate_verb, "validate", "validate INPUT... [OPTION...]",
     "Names whatever in RecordIO-protobuf files a real reader would stumble over.", validate_examples,
     "Errors break the format; warnings are legal, but some reader refuses or misreads them. Exit status 0: no error; "
     "1: "
     "there are\nsome.\n",
     run_validate},
    {doctor_verb, "doctor", "doctor [--json]", "Says what this build and this machine have, and tests itself.",
     doctor_examples, "", run_doctor},
};

constexpr unsigned writing_verbs = convert_verb | denormalize_verb;
constexpr unsigned reading_verbs = writing_verbs | head_verb | inspect_verb | diff_verb | stats_verb | fit_verb;
constexpr unsigned all_verbs = reading_verbs | synth_verb | doctor_verb | validate_verb;

using enum OptionGroup;

constexpr OptionSpec common_options[] = {
    {'o', "output", "OUT", "where to write; - is standard output", output, writing_verbs | synth_verb | fit_verb},
    {0, "to", "FORMAT", "whatever the suffix of OUT", output, writing_verbs},
    {'f', "force", "", "replace files that exist", output, writing_verbs | synth_verb | inspect_verb | fit_verb},
    {0, "companions", "",
     "weights, queries and base margins into OUT.weight, OUT.group and OUT.base_margin where records have no place for "
     "them",
     output, writing_verbs},
    {0, "drop", "LIST", "leave out some of label, weight, qid, base_margin, uid and metadata", output, writing_verbs},
    {0, "features", "dense|sparse", "the form of the features, where OUT can hold both (default: as they come in)",
     output, writing_verbs},
    {0, "absent", "zero|missing", "what a feature that a sparse record does not list means, if its form changes",
     output, writing_verbs | diff_verb},
    {0, "output-header", "", "csv: begin with a line of column names (default: no header)", output, writing_verbs},
    {'n', "dry-run", "", "print the plan and write nothing", output, writing_verbs},
    {0, "size", "SIZE", "whole records until there are this many bytes: 64MiB, 1.5GB", output, synth_verb},
    {0, "rows", "N", "this many records", output, synth_verb},
    {0, "seed", "N", "another seed, other records (default 1)", output, synth_verb},
    {0, "header", "", "begin with a line of column names", output, synth_verb},
    {0, "bad", "SHARE|LIST", "dirty kinds: the share of bad records (1%, 0.001), or of each: not_a_number=1%,...",
     output, synth_verb},
    {0, "show", "N", "how many findings of each rule are shown (default 5)", output, validate_verb},
    {0, "strict", "", "warnings are exit status 1 too", output, validate_verb},

    {'n', "records", "N", "how many records (default 10)", reading, head_verb},
    {0, "from", "FORMAT", "whatever the input looks like", reading, reading_verbs},
    {0, "schema", "FILE", "read the input as this schema file says: inspect --save-schema makes one", reading,
     convert_verb | head_verb | inspect_verb},
    {0, "unlabeled", "", "the input may lack the schema's labels, weights, query ids and base margins", reading,
     convert_verb | head_verb | inspect_verb},
    {0, "save-schema", "FILE", "write what was found out as a schema file; - prints it instead of the report", reading,
     inspect_verb},
    {0, "ulp", "N", "floating-point values may be N units in the last place apart (default 0: the same bits)", reading,
     diff_verb},
    {0, "features-only", "", "compare the features and nothing else", reading, diff_verb},
    {0, "column", "NAME", "this column alone: its name, or its place such as features[3]", reading, stats_verb},
    {0, "statistic", "LIST",
     "these alone: count, missing, infinite, zeros, distinct, min, p1, p5, q25, median, q75, p95, p99, max, mean, std "
     "and skewness",
     reading, stats_verb},
    {0, "exact", "", "quantiles of all values, in memory that grows with the input (default: beyond 65,536 about)",
     reading, convert_verb | fit_verb | stats_verb},
    {0, "correlations", "", "Pearson's correlations of up to 256 dense features and labels", reading, stats_verb},

    {0, "normalize", "FILE|LIST",
     "a normaliser (penstock fit), or transforms to fit in a first pass: standardize, 'robust; city=one-hot'", columns,
     writing_verbs | fit_verb},
    {0, "classes", "", "the label's different texts are classes, numbered from 0 (default where they are no numbers)",
     columns, convert_verb | fit_verb},
    {0, "positive", "NAME", "this class is 1, and all others are 0", columns, convert_verb | fit_verb},

    {0, "group-file", "FILE|auto", "group sizes beside the input (.query, .group): query ids of its records", reading,
     convert_verb},
    {0, "weight-file", "FILE|auto", "weights beside the input (.weight), a line for each record", reading,
     convert_verb},
    {0, "base-margin-file", "FILE|auto", "base margins beside the input (.base_margin), a line for each record",
     reading, convert_verb},

    {0, "columns", "LIST", "the features, in this order: names, 0-based indices and ranges such as a:c or 3:7", columns,
     reading_verbs},
    {0, "label", "LIST", "label columns: names or indices", columns, reading_verbs},
    {0, "weight", "COLUMN", "the column of record weights", columns, reading_verbs},
    {0, "qid", "COLUMN", "the column of query ids (integers)", columns, reading_verbs},
    {0, "ignore", "LIST", "columns to leave out", columns, reading_verbs},
    {0, "label-map", "LIST", "class names as numbers: 'setosa=0,versicolor=1'", columns, reading_verbs},
    {0, "dtype", "TYPE", "element type of the features: float32 (default), float64, int32 or int64", columns,
     reading_verbs},

    {0, "series-id", "COLUMN", "make time series of a table: the column that tells series apart", columns,
     convert_verb},
    {0, "time", "COLUMN", "time series: the column of times, as 2009-11-01 00:00:00 or 2009-11-01", columns,
     convert_verb},
    {0, "target", "COLUMN", "time series: the column of values", columns, convert_verb},
    {0, "dynamic-feat", "LIST", "time series: columns of features that go with the values", columns, convert_verb},
    {0, "freq", "STEP", "time series: the step between times: M, W, D, H or min, with a number before it (5min)",
     columns, convert_verb},
    {0, "gaps", "missing|error", "time series: steps without a line are missing values (default) or an error", columns,
     convert_verb},

    {0, "delimiter", "BYTE", "one byte, or tab, comma, semicolon, pipe, space (default: found out)", text,
     reading_verbs},
    {0, "header", "auto|yes|no", "whether the first line has names (default auto)", text, reading_verbs},
    {0, "null", "LIST", "what counts as missing, as a CSV list (default ',nan,NA,null': empty is one of them)", text,
     reading_verbs},
    {0, "quote", "BYTE", "the quote, or none (default \")", text, reading_verbs},
    {0, "escape", "BYTE", "the escape byte, such as \\ (default none)", text, reading_verbs},
    {0, "comment", "BYTE", "lines that begin with it are skipped (default none)", text, reading_verbs},
    {0, "trim", "", "spaces and tabs around cells are not part of them", text, reading_verbs},
    {0, "quotes", "lenient|strict", "a quote in a wrong place is text (lenient, default) or a fault (strict)", text,
     reading_verbs},
    {0, "inf", "error|clip|pass", "spelled infinities: a fault (default), the largest finite value, or infinity", text,
     reading_verbs},
    {0, "overflow", "error|inf", "numbers beyond the element type: a fault (default) or infinity", text, reading_verbs},
    {0, "max-record-size", "SIZE", "a longer record is a fault (default 16MiB)", text, reading_verbs | validate_verb},

    {0, "on-error", "POLICY",
     "what a bad record does: fail (default), skip, null (a bad feature becomes missing), quarantine (convert only)",
     faults, reading_verbs},
    {0, "max-errors", "N|P%", "how many records skip and quarantine may reject (default: any number)", faults,
     reading_verbs},
    {0, "rejects", "PREFIX", "quarantine: write PREFIX.rejects.csv and .jsonl (default: _OUT beside OUT)", faults,
     convert_verb},

    {0, "limit", "N", "stop after N accepted records", run, writing_verbs},
    {0, "skip", "N", "pass over the first N records", run, writing_verbs | head_verb},
    {0, "device", "DEVICE", "auto (default), cpu, cuda or cuda:N", run, reading_verbs},
    {0, "device-priority", "usual|low",
     "low: kernels of other work on the GPU, such as training, do not wait behind ours", run, reading_verbs},
    {0, "device-wait", "sleep|poll", "poll: less latency on a GPU, for a core of the host a lane", run, reading_verbs},
    {0, "device-cut", "on|off",
     "on: the GPU finds where records of CSV end, not the reading thread (default off); no effect on "
     "results",
     run, reading_verbs},
    {0, "profile", "FILE", "write what happened when as a Chrome trace (chrome://tracing, ui.perfetto.dev)", run,
     convert_verb},
    {'j', "threads", "N", "worker threads (default 0: one for each core; lanes of a GPU: 3)", run,
     reading_verbs | synth_verb},
    {0, "memory", "SIZE", "memory for text and tensors (default 256MiB)", run, reading_verbs},
    {0, "slot-size", "SIZE", "text that a thread decodes at a time (default: chosen); no effect on results", run,
     reading_verbs},

    {0, "json", "", "machine-readable output", messages,
     (reading_verbs & ~static_cast<unsigned>(fit_verb)) | doctor_verb | validate_verb},
    {'q', "quiet", "", "say less; twice: errors only", messages, reading_verbs | synth_verb | validate_verb},
    {'v', "verbose", "", "say more", messages, reading_verbs | synth_verb},
    {0, "progress", "", "show progress even if standard error is no terminal", messages, writing_verbs},
    {0, "no-progress", "", "show no progress", messages, writing_verbs},
    {'h', "help", "", "this help", messages, all_verbs},
};

}  // namespace

std::span<Verb const> verbs() { return verb_table; }

namespace {

/// The options above and those of the formats, in the order of help.
struct OptionTable {
  OptionTable() {
    options.assign(std::begin(common_options), std::end(common_options));
    for (OptionSpec& option : options) {
      if (option.name == "from") put_before(option, names_of_read_formats());
      if (option.name == "to") put_before(option, names_of_written_formats());
    }
    for (FileFormat const* const format : file_formats()) {
      for (OptionWords const& words : format->read_options()) add(*format, words, reading_verbs);
      for (OptionWords const& words : format->write_options()) add(*format, words, writing_verbs);
    }
  }

  void put_before(OptionSpec& option, std::string const& names) {
    helps.push_back(names + ", " + std::string(option.help));
    option.help = helps.back();
  }

  /// An option that several formats have is listed once, as the first of them says it.
  void add(FileFormat const& format, OptionWords const& words, unsigned verbs) {
    if (words.help.empty()) return;  // set by the program
    auto const is_same = [&words](OptionSpec const& option) { return option.name == words.name; };
    if (std::any_of(options.begin(), options.end(), is_same)) return;
    helps.push_back(std::string(format.info().title) + ": " + std::string(words.help));
    options.push_back({0, words.name, words.argument, helps.back(), formats, verbs});
  }

  std::vector<OptionSpec> options;
  std::deque<std::string> helps;  ///< that the options point to
};

}  // namespace

std::span<OptionSpec const> option_table() {
  static OptionTable const table;
  return table.options;
}

std::string_view title_of(OptionGroup group) {
  constexpr std::string_view titles[] = {"Output",  "Reading", "Columns", "Text",
                                         "Formats", "Faults",  "Run",     "Messages"};
  static_assert(std::size(titles) == option_groups);
  return titles[static_cast<std::size_t>(group)];
}

}  // namespace penstock::app
