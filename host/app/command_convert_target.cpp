#include "host/app/command_convert_target.hpp"

#include <algorithm>
#include <optional>

#include <sys/stat.h>
#include <unistd.h>

#include "formats/csv/encode.hpp"
#include "host/app/options_values.hpp"
#include "host/app/rejects.hpp"
#include "host/exec/lane_options.hpp"
#include "host/io/file_descriptor.hpp"
#include "host/io/partial_file.hpp"
#include "host/io/sink.hpp"
#include "host/io/standard_streams.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

FileFormat const& format_of(Arguments const& arguments, std::string const& path) {
  if (FileFormat const* const wanted = format_option(arguments, "to", true)) return *wanted;
  std::string const hint = "--to " + names_of_written_formats();
  if (path == "-") throw ConfigurationError("-o - does not say which format to write", hint);
  if (path.ends_with(".tsv"))
    throw ConfigurationError(path + ": CSV is written with commas, not with tabs",
                             "OUT.csv, or --to csv if commas will do.");
  FileFormat const* const format = format_of_suffix(path);
  if (format != nullptr && format->is_written()) return *format;
  std::string suffixes;
  for (FileFormat const* const each : file_formats()) {
    if (!each->is_written()) continue;
    for (std::string_view const suffix : each->info().suffixes) suffixes += " " + std::string(suffix);
  }
  throw ConfigurationError(path + ": the suffix does not say which format to write",
                           "A suffix among" + suffixes + ", or " + hint);
}

void check_stdout(FileFormat const& format, std::string const& path) {
  check_not_captured(path);
  if (format.output_kind() != OutputKind::encoded)
    throw ConfigurationError("-o -: " + std::string(format.info().title) + " cannot be written to standard output",
                             "Its header says how many rows follow: write to a file, or --to recordio or csv.");
  if (!format.info().is_text && ::isatty(STDOUT_FILENO) == 1)
    throw ConfigurationError("-o -: binary output is not written to a terminal", "Send it to a file or a pipe.");
}

/// A file as the kernel knows it.
struct FileId {
  dev_t device = 0;
  ino_t number = 0;
  bool operator==(FileId const&) const = default;
};

std::optional<FileId> regular_file(struct stat const& status) {
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

std::optional<FileId> file_at(std::string const& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return regular_file(status);
}

std::optional<FileId> open_file(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return std::nullopt;
  return regular_file(status);
}

void check_not_input(std::string const& path, std::optional<FileId> const& output,
                     std::vector<InputFile> const& inputs) {
  if (!output) return;
  for (InputFile const& input : inputs) {
    std::optional<FileId> const id = input.is_stdin ? open_file(STDIN_FILENO) : file_at(input.path);
    if (id == output)
      throw ConfigurationError(path + ": is an input as well as an output", "Write to another file, then rename it.");
  }
}

/// Devices, FIFOs and the like are written to; folders are the sink's to refuse.
void check_absent(std::string const& path) {
  if (descriptor_named(path)) return;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  bool const leads_nowhere = ::stat(path.c_str(), &status) != 0;
  if (leads_nowhere || S_ISREG(status.st_mode)) throw SinkError(path + ": exists already", "Replace it with --force.");
}

/// Rejects can be sent anywhere, also to the output's own name.
void check_different(std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end());
  auto const twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice != paths.end()) throw ConfigurationError(*twice + ": would be written twice", "--rejects elsewhere");
}

/// Whether `path` will be a regular file, beside which others can lie.
bool becomes_regular(std::string const& path) {
  struct stat status {};
  if (path == "-" || descriptor_named(path)) return false;
  return ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode);
}

/// What cannot be written is to be known before the work, and in a dry run.
void check_folder(std::string const& path) {
  if (descriptor_named(path)) return;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    throw SinkError(path + ": is a folder, not a file", "Add the name of the file.");
  std::string const folder = folder_of(path);
  if (::stat(folder.c_str(), &status) != 0)
    throw SinkError(path + ": there is no folder " + folder, "Create it: mkdir -p " + folder);
  if (becomes_regular(path) && ::access(folder.c_str(), W_OK) != 0)
    throw SinkError(path + ": " + folder + " is not a folder that can be written to: " + cause_of(errno));
}

void read_rejects(Arguments const& arguments, Target& target) {
  std::optional<std::string> const prefix = arguments.value("rejects");
  target.quarantines = arguments.value_or("on-error", "fail") == "quarantine";
  if (!target.quarantines) {
    if (prefix) throw_bad_value("rejects", *prefix, "only --on-error quarantine writes rejected records");
    return;
  }
  if (!prefix && !becomes_regular(target.output.path))
    throw ConfigurationError(
        "--on-error quarantine: there is no folder beside " + target.output.path + " for the rejects",
        "--rejects PREFIX");
  target.rejects_prefix = prefix ? *prefix : rejects_prefix(target.output.path);
}

bool drops(Target const& target, std::string_view what) {
  return std::find(target.dropped.begin(), target.dropped.end(), what) != target.dropped.end();
}

/// The layout without what --drop names.
BatchLayout without_dropped(Target const& target, BatchLayout layout) {
  if (drops(target, "label")) layout.labels = 0;
  if (drops(target, "label")) layout.labels_vary = false;
  if (drops(target, "weight")) layout.has_weight = false;
  if (drops(target, "qid")) layout.has_qid = false;
  if (drops(target, "base_margin")) layout.has_base_margin = false;
  if (drops(target, "uid")) layout.has_uid = false;
  if (drops(target, "metadata")) layout.has_metadata = false;
  return layout;
}

std::string plural_of(Role role) {
  switch (role) {
    case Role::label: return "labels";
    case Role::weight: return "weights";
    case Role::qid: return "queries";
    case Role::start: return "start times";
    case Role::cat: return "categories";
    default: return "base margins";
  }
}

/// Whether there are files for it beside encoded records.
bool has_companion(Role role) { return role == Role::weight || role == Role::qid || role == Role::base_margin; }

bool is_of_series(Role role) { return role == Role::start || role == Role::cat; }

[[noreturn]] void throw_no_place(Target const& target, std::vector<Role> const& roles) {
  std::string what, names;
  for (Role const role : roles) {
    what += (what.empty() ? "no " : " and no ") + plural_of(role);
    names += (names.empty() ? "" : ",") + std::string(name_of(role));
  }
  bool const have_files = std::all_of(roles.begin(), roles.end(), has_companion);
  std::string hint = have_files ? "--companions writes them to files beside OUT; .npz holds them; " : "";
  hint += std::any_of(roles.begin(), roles.end(), is_of_series) ? ".npz holds them"
                                                                : "--drop " + names + " leaves them out";
  throw ConfigurationError(std::string(target.format->info().title) + " records hold " + what, hint);
}

/// Whether the output has a place for a role. Formats without lists hold no series, whatever else they hold.
bool holds(FileFormat const& format, Role role) {
  return format.holds(role) && (!is_of_series(role) || format.holds_lists());
}

void check_lists(Target const& target) {
  BatchLayout const& layout = target.output.layout;
  if (!layout.has_lists() || target.format->holds_lists()) return;
  throw ConfigurationError("records have lists (" + std::string(name_of(layout.lists[0].role)) + "), for which " +
                               std::string(target.format->info().title) + " has no place",
                           ".npz holds them, and --to deepar writes time series");
}

/// Roles that records of the format do not hold go beside it, if that was asked for.
void place_roles(Target& target) {
  check_lists(target);
  BatchLayout const& layout = target.output.layout;
  bool const is_encoded = target.format->output_kind() == OutputKind::encoded;
  std::vector<Role> homeless;
  for (Role const role : tensor_roles) {
    if (role == Role::feature) continue;
    bool const is_there = layout.columns(role) != 0 || (role == Role::label && layout.labels_vary);
    if (!is_there || holds(*target.format, role)) continue;
    if (target.format->is("npy"))
      target.warnings.push_back("the " + std::string(name_of(role)) +
                                " is not written: .npy holds the features only, .npz all");
    else if (is_encoded && target.wants_companions && has_companion(role))
      target.output.companions.push_back(role);
    else
      homeless.push_back(role);
  }
  if (!homeless.empty()) throw_no_place(target, homeless);
  bool const has_texts = layout.has_uid || layout.has_metadata;
  if (has_texts && !target.format->holds_texts())
    throw ConfigurationError(
        "records have a uid or metadata, for which " + std::string(target.format->info().title) + " has no place",
        "--drop uid,metadata leaves them out");
}

/// Whether features are to be sparse: as --features says, else as they come in if the format can hold that.
bool becomes_sparse(Target const& target, BatchLayout const& incoming) {
  bool const can_be_sparse = target.format->holds_sparse();
  if (target.is_sparse == true && !can_be_sparse)
    throw ConfigurationError("--features sparse: " + std::string(target.format->info().title) + " holds dense rows");
  if (target.is_sparse) return *target.is_sparse;
  if (!can_be_sparse) return false;
  // Of a format whose rows are lists of pairs, dense rows with a meaning for absent pairs need not list every cell.
  bool const is_list = target.format->lists_pairs() && target.absent.has_value();
  return incoming.is_sparse || is_list;
}

void decide_reshape(Target& target, BatchLayout const& incoming) {
  bool const is_sparse = becomes_sparse(target, incoming);
  if (is_sparse == incoming.is_sparse) {
    if (target.absent) target.warnings.push_back("--absent changes nothing: no feature is added or left out");
    return;
  }
  target.reshape = reshape_of(target.absent, is_sparse, incoming.feature_dtype);
}

/// A name for each column of the output, in the order of its lines.
std::vector<std::string> column_names(Incoming const& incoming, BatchLayout const& layout) {
  std::vector<std::string> names;
  for (Role role : csv::column_order) {
    std::vector<std::string> const known = incoming.names(role);
    std::size_t const columns = layout.columns(role);
    for (std::size_t i = 0; i < columns; ++i) {
      std::string const number = columns == 1 && role != Role::feature ? "" : std::to_string(i);
      std::string const made = (role == Role::feature ? "f" : std::string(name_of(role))) + number;
      names.push_back(known.size() == columns ? known[i] : made);
    }
  }
  return names;
}

void check_encoder(Target const& target, Incoming const& incoming, Arguments const& arguments) {
  BatchLayout const layout = encoded_layout(target);
  BatchCapacity record = incoming.record;
  if (target.reshape) record.pairs = layout.is_sparse ? layout.features : 0;
  if (auto const problem = target.format->unsupported(layout, record, arguments)) {
    bool const is_type = target.format->is("recordio") && layout.feature_dtype == DType::int64;
    throw ConfigurationError(
        problem->message,
        is_type ? "--dtype int32 or float64, or another format: .npz and .csv hold int64" : problem->hint);
  }
}

std::vector<std::string> dropped_of(Arguments const& arguments) {
  std::optional<std::string> const given = arguments.value("drop");
  if (!given) return {};
  constexpr std::string_view known[] = {"label", "weight", "qid", "base_margin", "uid", "metadata"};
  std::vector<std::string> items = csv_items("drop", *given);
  for (std::string const& item : items) {
    if (std::find(std::begin(known), std::end(known), item) == std::end(known))
      throw_bad_value("drop", *given, "expected a list of label, weight, qid, base_margin, uid and metadata");
  }
  return items;
}

}  // namespace

Target target_of(Arguments const& arguments) {
  std::optional<std::string> const path = arguments.value("output");
  if (!path) throw ConfigurationError("convert: no output is named", "-o OUT, for example -o train.rec");
  if (path->empty()) throw ConfigurationError("-o: the name of the output is empty", "Is a shell variable not set?");
  Target target;
  // Under another name standard output is standard output still: messages keep off it.
  target.output.path = descriptor_named(*path) == STDOUT_FILENO ? "-" : *path;
  target.format = &format_of(arguments, *path);
  target.output.kind = target.format->output_kind();
  target.output.overwrite = arguments.has("force");
  target.wants_companions = arguments.has("companions");
  target.is_stdout = target.output.path == "-";
  target.wants_header = arguments.has("output-header");
  target.absent = absent_of(arguments);
  target.is_sparse = is_sparse_wanted(arguments);
  target.dropped = dropped_of(arguments);
  if (target.is_stdout) check_stdout(*target.format, *path);
  if (target.wants_header && !target.format->header({}))
    throw ConfigurationError("--output-header belongs to CSV output only");
  if (target.wants_companions && target.output.kind != OutputKind::encoded)
    throw ConfigurationError("--companions belongs to RecordIO, libsvm and CSV output only",
                             ".npz holds weights and queries itself");
  read_rejects(arguments, target);
  return target;
}

void check_files(Target const& target, std::vector<InputFile> const& inputs, FormatInfo const& input_format) {
  if (target.is_stdout) check_not_input("standard output", open_file(STDOUT_FILENO), inputs);
  std::vector<std::string> paths;
  if (!target.is_stdout) paths.push_back(target.output.path);
  if (target.wants_companions) {
    for (std::string_view const suffix : {".weight", ".group", ".base_margin"})
      paths.push_back(target.output.path + std::string(suffix));
  }
  std::vector<std::string> const rejects = RejectFiles::possible_paths(target.rejects_prefix, input_format);
  if (target.quarantines) paths.insert(paths.end(), rejects.begin(), rejects.end());
  check_different(paths);
  for (std::string const& path : paths) check_folder(path);
  for (std::string const& path : paths) check_not_input(path, file_at(path), inputs);
  if (!target.is_stdout && !target.output.overwrite) check_absent(target.output.path);
}

void fit(Target& target, Incoming const& incoming, Arguments const& arguments) {
  decide_reshape(target, incoming.layout);
  target.output.layout = without_dropped(target, shaped_layout(incoming.layout, {nullptr, target.reshape}));
  place_roles(target);
  check_encoder(target, incoming, arguments);
  if (target.wants_header)
    target.output.prologue = *target.format->header(column_names(incoming, target.output.layout));
}

BatchLayout encoded_layout(Target const& target) {
  BatchLayout layout = target.output.layout;
  for (Role const role : target.output.companions) {
    if (role == Role::weight) layout.has_weight = false;
    if (role == Role::qid) layout.has_qid = false;
    if (role == Role::base_margin) layout.has_base_margin = false;
  }
  return layout;
}

std::function<std::unique_ptr<Encoder>()> encoder_maker(Target const& target, Arguments const& arguments) {
  return target.format->encoder_maker(encoded_layout(target), arguments);
}

std::vector<std::string> output_paths(Target const& target) {
  std::vector<std::string> paths{target.output.path};
  for (Role const role : target.output.companions) {
    std::string_view const suffix = role == Role::weight ? ".weight" : role == Role::qid ? ".group" : ".base_margin";
    paths.push_back(target.output.path + std::string(suffix));
  }
  return paths;
}

}  // namespace penstock::app
