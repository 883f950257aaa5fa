#include "host/app/command_convert_target.hpp"

#include <algorithm>
#include <optional>

#include <sys/stat.h>
#include <unistd.h>

#include "formats/csv/encode.hpp"
#include "formats/recordio/encode.hpp"
#include "host/app/options_values.hpp"
#include "host/app/rejects.hpp"
#include "host/io/file_descriptor.hpp"
#include "host/io/partial_file.hpp"
#include "host/io/sink.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

constexpr std::string_view format_hint = "--to recordio, npy, npz or csv";

std::optional<OutputFormat> format_of_suffix(std::string const& path) {
  constexpr std::pair<std::string_view, OutputFormat> suffixes[] = {
      {".rec", OutputFormat::recordio}, {".pbr", OutputFormat::recordio},
      {".pb", OutputFormat::recordio},  {".recordio", OutputFormat::recordio},
      {".npy", OutputFormat::npy},      {".npz", OutputFormat::npz},
      {".csv", OutputFormat::csv}};
  for (auto const& [suffix, format] : suffixes) {
    if (path.ends_with(suffix)) return format;
  }
  return std::nullopt;
}

OutputFormat format_of(Arguments const& arguments, std::string const& path) {
  constexpr std::pair<std::string_view, OutputFormat> formats[] = {{"recordio", OutputFormat::recordio},
                                                                   {"npy", OutputFormat::npy},
                                                                   {"npz", OutputFormat::npz},
                                                                   {"csv", OutputFormat::csv}};
  if (auto const wanted = choice_of(arguments, "to", formats)) return *wanted;
  if (path == "-") throw ConfigurationError("-o - does not say which format to write", std::string(format_hint));
  if (auto const format = format_of_suffix(path)) return *format;
  throw ConfigurationError(path + ": the suffix does not say which format to write",
                           "A suffix among .rec .pbr .pb .recordio .npy .npz .csv, or " + std::string(format_hint));
}

void check_stdout(OutputFormat format) {
  bool const is_streamed = format == OutputFormat::recordio || format == OutputFormat::csv;
  if (!is_streamed)
    throw ConfigurationError("-o -: ." + std::string(name_of(format)) + " cannot be written to standard output",
                             "Its header says how many rows follow: write to a file, or --to recordio or csv.");
  if (format == OutputFormat::recordio && ::isatty(STDOUT_FILENO) == 1)
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

void check_roles(Target& target) {
  BatchLayout const& layout = target.output.layout;
  OutputFormat const format = target.output.format;
  bool const has_more = layout.has_weight || layout.has_qid;
  if (format == OutputFormat::recordio && has_more && !target.output.companions)
    throw ConfigurationError("RecordIO records hold no weights and no queries",
                             "--companions writes them to OUT.weight and OUT.group; .npz and .csv hold them");
  if (format != OutputFormat::npy) return;
  for (Role role : {Role::label, Role::weight, Role::qid}) {
    if (layout.columns(role) != 0)
      target.warnings.push_back("the " + std::string(name_of(role)) +
                                " is not written: .npy holds the features only, .npz all");
  }
}

/// A name for each column of the output, in the order of its lines.
std::vector<std::string> column_names(CsvPlan const& plan) {
  std::vector<std::string> names;
  for (Role role : csv::column_order) {
    std::vector<std::string> const known = plan.names(role);
    for (std::size_t i = 0; i < known.size(); ++i) {
      std::string const number = known.size() == 1 && role != Role::feature ? "" : std::to_string(i);
      std::string const made = (role == Role::feature ? "f" : std::string(name_of(role))) + number;
      names.push_back(plan.has_header() ? known[i] : made);
    }
  }
  return names;
}

void check_encoder(Target const& target) {
  BatchLayout const& layout = target.output.layout;
  std::optional<std::string> problem;
  if (target.output.format == OutputFormat::recordio) problem = recordio::DenseEncoder::unsupported(layout);
  if (target.output.format == OutputFormat::csv) problem = csv::RowEncoder::unsupported(layout);
  if (problem) {
    bool const is_type = target.output.format == OutputFormat::recordio && layout.feature_dtype == DType::int64;
    throw ConfigurationError(*problem,
                             is_type ? "--dtype int32 or float64, or another format: .npz and .csv hold int64" : "");
  }
  if (target.output.format == OutputFormat::npy && layout.features == 0)
    throw ConfigurationError(".npy holds the features only, and there are none", "--columns names the features");
}

}  // namespace

std::string_view name_of(OutputFormat format) {
  constexpr std::string_view names[] = {"recordio", "npy", "npz", "csv"};
  return names[static_cast<std::size_t>(format)];
}

Target target_of(Arguments const& arguments) {
  std::optional<std::string> const path = arguments.value("output");
  if (!path) throw ConfigurationError("convert: no output is named", "-o OUT, for example -o train.rec");
  if (path->empty()) throw ConfigurationError("-o: the name of the output is empty", "Is a shell variable not set?");
  Target target;
  // Under another name standard output is standard output still: messages keep off it.
  target.output.path = descriptor_named(*path) == STDOUT_FILENO ? "-" : *path;
  target.output.format = format_of(arguments, *path);
  target.output.overwrite = arguments.has("force");
  target.output.companions = arguments.has("companions");
  target.is_stdout = target.output.path == "-";
  target.wants_header = arguments.has("output-header");
  if (target.is_stdout) check_stdout(target.output.format);
  if (target.wants_header && target.output.format != OutputFormat::csv)
    throw ConfigurationError("--output-header belongs to CSV output only");
  if (target.output.companions && target.output.format != OutputFormat::recordio)
    throw ConfigurationError("--companions belongs to RecordIO output only",
                             ".npz and .csv hold weights and queries themselves");
  read_rejects(arguments, target);
  return target;
}

void check_files(Target const& target, std::vector<InputFile> const& inputs) {
  if (target.is_stdout) check_not_input("standard output", open_file(STDOUT_FILENO), inputs);
  std::vector<std::string> paths;
  if (!target.is_stdout) paths.push_back(target.output.path);
  if (target.output.companions)
    paths.insert(paths.end(), {target.output.path + ".weight", target.output.path + ".group"});
  std::vector<std::string> const rejects = RejectFiles::possible_paths(target.rejects_prefix);
  if (target.quarantines) paths.insert(paths.end(), rejects.begin(), rejects.end());
  check_different(paths);
  for (std::string const& path : paths) check_folder(path);
  for (std::string const& path : paths) check_not_input(path, file_at(path), inputs);
  if (!target.is_stdout && !target.output.overwrite) check_absent(target.output.path);
}

void fit(Target& target, CsvPlan const& plan) {
  target.output.layout = plan.layout();
  check_roles(target);
  check_encoder(target);
  if (target.wants_header) target.output.csv_header = csv::header_line(column_names(plan));
}

std::function<std::unique_ptr<Encoder>()> encoder_maker(Target const& target) {
  BatchLayout const layout = target.output.layout;
  switch (target.output.format) {
    case OutputFormat::recordio: return [layout] { return std::make_unique<recordio::DenseEncoder>(layout); };
    case OutputFormat::csv: return [layout] { return std::make_unique<csv::RowEncoder>(layout); };
    default: return {};
  }
}

std::vector<std::string> output_paths(Target const& target) {
  std::vector<std::string> paths{target.output.path};
  if (target.output.companions && target.output.layout.has_weight) paths.push_back(target.output.path + ".weight");
  if (target.output.companions && target.output.layout.has_qid) paths.push_back(target.output.path + ".group");
  return paths;
}

}  // namespace penstock::app
