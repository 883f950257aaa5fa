#include "host/app/commands.hpp"
#include "host/app/options.hpp"

namespace penstock::app {
namespace {

constexpr std::string_view convert_examples[] = {
    "penstock convert train.csv --label y -o train.rec",
    "penstock convert shards/ --label 0 --weight w --on-error quarantine -o train.npz",
    "zcat part-*.gz | penstock convert - --to recordio -o - | aws s3 cp - s3://bucket/train.rec",
    "penstock convert iris.csv --label species --label-map 'setosa=0,versicolor=1,virginica=2' -o iris.rec",
    "penstock convert train.csv -o train.rec --dry-run",
};
constexpr std::string_view head_examples[] = {
    "penstock head train.csv --label y -n 5",
    "penstock head train.rec --json | jq .features[0]",
};
constexpr std::string_view inspect_examples[] = {
    "penstock inspect train.csv --label y",
    "penstock inspect train.npz --json",
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
constexpr std::string_view doctor_examples[] = {
    "penstock doctor",
    "penstock doctor --json",
};

constexpr std::string_view convert_details =
    "INPUT is a file, a folder (its files at any depth, but none whose name begins with '.' or '_'), a pattern in "
    "quotes\n"
    "('part-*.csv'), a FIFO, or - for standard input. gzip is recognised by content. Several inputs are one stream of\n"
    "records, in the order given; what one folder or pattern stands for is in bytewise order.\n\n"
    "OUT says the format by its suffix: .rec .pbr .pb .recordio, .npy, .npz or .csv; - is standard output. It appears\n"
    "under its name when it is complete, and not at all if something fails.\n";

constexpr std::string_view any_format_details =
    "INPUT is CSV, RecordIO, .npy or .npz, told apart by content, then by suffix. It is a file, a folder, a pattern "
    "in\n"
    "quotes, a FIFO, or - for standard input.\n";

constexpr Verb verb_table[] = {
    {convert_verb, "convert", "convert INPUT... -o OUT [OPTION...]",
     "Turns CSV text into RecordIO-protobuf, .npy, .npz or CSV.", convert_examples, convert_details, run_convert},
    {head_verb, "head", "head INPUT... [-n N] [OPTION...]", "Shows the first decoded records.", head_examples,
     any_format_details, run_head},
    {inspect_verb, "inspect", "inspect INPUT... [OPTION...]",
     "Says what inputs are: format, dialect, columns, types, exact counts.", inspect_examples, any_format_details,
     run_inspect},
    {diff_verb, "diff", "diff A B [OPTION...]", "Compares two inputs record by record, across formats.", diff_examples,
     "A and B are CSV, RecordIO, .npy or .npz: a file, a folder or a pattern each. Values are compared by their bits,\n"
     "except that any NaN equals any other. The element type of a CSV side is that of a binary other side unless "
     "--dtype\n"
     "says otherwise. Exit status 0: the same; 1: different.\n",
     run_diff},
    {synth_verb, "synth", "synth KIND -o OUT (--rows N | --size SIZE) [OPTION...]",
     "Makes test data: the same bytes for the same kind, seed and length everywhere.", synth_examples, "", run_synth},
    {doctor_verb, "doctor", "doctor [--json]", "Says what this build and this machine have, and tests itself.",
     doctor_examples, "", run_doctor},
};

constexpr unsigned reading_verbs = convert_verb | head_verb | inspect_verb | diff_verb;
constexpr unsigned viewing_verbs = head_verb | inspect_verb | diff_verb;
constexpr unsigned all_verbs = reading_verbs | synth_verb | doctor_verb;

using enum OptionGroup;

constexpr OptionSpec options[] = {
    {'o', "output", "OUT", "where to write; - is standard output", output, convert_verb | synth_verb},
    {0, "to", "FORMAT", "recordio, npy, npz or csv, whatever the suffix of OUT", output, convert_verb},
    {'f', "force", "", "replace files that exist", output, convert_verb | synth_verb},
    {0, "companions", "",
     "recordio: weights and queries into OUT.weight and OUT.group, because records have no place for them", output,
     convert_verb},
    {0, "output-header", "", "csv: begin with a line of column names (default: no header)", output, convert_verb},
    {'n', "dry-run", "", "print the plan and write nothing", output, convert_verb},
    {0, "size", "SIZE", "whole records until there are this many bytes: 64MiB, 1.5GB", output, synth_verb},
    {0, "rows", "N", "this many records", output, synth_verb},
    {0, "seed", "N", "another seed, other records (default 1)", output, synth_verb},
    {0, "header", "", "begin with a line of column names", output, synth_verb},

    {'n', "records", "N", "how many records (default 10)", reading, head_verb},
    {0, "from", "FORMAT", "csv, recordio, npy or npz, whatever the input looks like", reading, viewing_verbs},
    {0, "ulp", "N", "floating-point values may be N units in the last place apart (default 0: the same bits)", reading,
     diff_verb},
    {0, "features-only", "", "compare the features and nothing else", reading, diff_verb},

    {0, "columns", "LIST", "the features, in this order: names, 0-based indices and ranges such as a:c or 3:7", columns,
     reading_verbs},
    {0, "label", "LIST", "label columns: names or indices", columns, reading_verbs},
    {0, "weight", "COLUMN", "the column of record weights", columns, reading_verbs},
    {0, "qid", "COLUMN", "the column of query ids (integers)", columns, reading_verbs},
    {0, "ignore", "LIST", "columns to leave out", columns, reading_verbs},
    {0, "label-map", "LIST", "class names as numbers: 'setosa=0,versicolor=1'", columns, reading_verbs},
    {0, "dtype", "TYPE", "element type of the features: float32 (default), float64, int32 or int64", columns,
     reading_verbs},

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
    {0, "max-record-size", "SIZE", "a longer record is a fault (default 16MiB)", text, reading_verbs},

    {0, "on-error", "POLICY",
     "what a bad record does: fail (default), skip, null (a bad feature becomes missing), quarantine (convert only)",
     faults, reading_verbs},
    {0, "max-errors", "N|P%", "how many records skip and quarantine may reject (default: any number)", faults,
     reading_verbs},
    {0, "rejects", "PREFIX", "quarantine: write PREFIX.rejects.csv and .jsonl (default: _OUT beside OUT)", faults,
     convert_verb},

    {0, "limit", "N", "stop after N accepted records", run, convert_verb},
    {0, "skip", "N", "pass over the first N records", run, convert_verb | head_verb},
    {0, "device", "DEVICE", "auto (default), cpu, cuda or cuda:N", run, reading_verbs},
    {'j', "threads", "N", "worker threads (default 0: one for each core)", run, reading_verbs | synth_verb},
    {0, "memory", "SIZE", "memory for text and tensors (default 256MiB)", run, reading_verbs},
    {0, "slot-size", "SIZE", "text that a thread decodes at a time (default: chosen); no effect on results", run,
     reading_verbs},

    {0, "json", "", "machine-readable output", messages, reading_verbs | doctor_verb},
    {'q', "quiet", "", "say less; twice: errors only", messages, reading_verbs | synth_verb},
    {'v', "verbose", "", "say more", messages, reading_verbs | synth_verb},
    {0, "progress", "", "show progress even if standard error is no terminal", messages, convert_verb},
    {0, "no-progress", "", "show no progress", messages, convert_verb},
    {'h', "help", "", "this help", messages, all_verbs},
};

}  // namespace

std::span<Verb const> verbs() { return verb_table; }

std::span<OptionSpec const> option_table() { return options; }

std::string_view title_of(OptionGroup group) {
  constexpr std::string_view titles[] = {"Output", "Reading", "Columns", "Text", "Faults", "Run", "Messages"};
  static_assert(std::size(titles) == option_groups);
  return titles[static_cast<std::size_t>(group)];
}

}  // namespace penstock::app
