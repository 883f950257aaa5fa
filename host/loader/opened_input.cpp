#include "host/loader/opened_input.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <sys/stat.h>

#include "formats/core/reshape.hpp"
#include "host/app/device_options.hpp"
#include "host/app/file_formats.hpp"
#include "host/app/options_values.hpp"
#include "host/io/source.hpp"
#include "host/io/stoppable.hpp"
#include "host/pipeline/input_head.hpp"
#include "host/text/sha256.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

using app::Arguments;
using app::OptionGroup;
using app::OptionSpec;

/// The options are those of `convert` that say how inputs are read.
constexpr app::Verb reading_verb = {app::convert_verb, "convert", "", "", {}, "", nullptr};

/// Options of the run that have no part in what records mean.
constexpr std::array<std::string_view, 8> run_options = {"threads",         "memory",      "slot-size",  "device",
                                                         "device-priority", "device-wait", "device-cut", "quiet"};

bool is_run_option(std::string_view name) { return std::ranges::find(run_options, name) != run_options.end(); }

/// Options of `convert` that have no meaning where batches are the output.
bool is_of_outputs(OptionSpec const& option, bool takes_part) {
  constexpr std::string_view made_of_tables[] = {"series-id", "time", "target", "dynamic-feat", "freq", "gaps"};
  constexpr std::string_view other[] = {"rejects", "profile"};
  if (option.name == "features" || option.name == "absent") return false;
  if (option.name == "skip" || option.name == "limit") return !takes_part;
  return option.group == OptionGroup::output || option.group == OptionGroup::messages ||
         std::ranges::find(made_of_tables, option.name) != std::end(made_of_tables) ||
         std::ranges::find(other, option.name) != std::end(other);
}

void check_names(Arguments const& arguments, bool takes_part) {
  for (auto const& [name, value] : arguments.given()) {
    for (OptionSpec const& option : app::option_table()) {
      bool const is_it = option.name == name && (option.verbs & app::convert_verb) != 0;
      if (is_it && is_of_outputs(option, takes_part))
        throw ConfigurationError("the option " + name + " belongs to conversions: there is no output here");
    }
  }
  if (arguments.value_or("on-error", "") == "quarantine")
    throw ConfigurationError("on-error quarantine writes files beside an output, and there is none here",
                             "skip rejects the same records; penstock convert writes them to files");
}

Arguments arguments_of(InputOptions const& options, bool takes_part) {
  std::vector<std::string> words;
  auto const add = [&](std::string const& name, std::string const& value) {
    if (name.empty() || name.front() == '-' || name.find('=') != name.npos)
      throw ConfigurationError("\"" + name + "\" is not the name of an option", "Names are written without dashes.");
    words.push_back("--" + name + "=" + value);
  };
  std::pair<std::string, std::string> const named[] = {
      {"from", options.format},   {"columns", options.columns},   {"label", options.label},
      {"weight", options.weight}, {"qid", options.qid},           {"normalize", options.normalize},
      {"schema", options.schema}, {"on-error", options.on_error}, {"features", options.features}};
  for (auto const& [name, value] : named)
    if (!value.empty()) add(name, value);
  for (auto const& [name, value] : options.more) add(name, value);
  Arguments arguments = app::parse_arguments(reading_verb, words);
  check_names(arguments, takes_part);
  Arguments::Given given = arguments.given();
  for (int i = 0; i < 2; ++i) given.emplace_back("quiet", "true");  // nothing is printed, and nothing asked
  return {reading_verb, std::move(given), options.paths};
}

std::optional<FileStamp> stamp_of(std::string const& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  constexpr std::int64_t billion = 1'000'000'000;
  return FileStamp{path, static_cast<std::uint64_t>(status.st_size),
                   std::int64_t{status.st_mtim.tv_sec} * billion + status.st_mtim.tv_nsec};
}

std::vector<FileStamp> stamps_of(std::vector<InputFile> const& files) {
  std::vector<FileStamp> stamps;
  for (InputFile const& file : files) {
    if (!is_reopened(file)) continue;
    if (std::optional<FileStamp> const stamp = stamp_of(file.path)) stamps.push_back(*stamp);
  }
  return stamps;
}

bool is_compressed(InputFile const& file) {
  std::array<char, 2> bytes{};
  std::unique_ptr<Source> const source = open_stored(file);
  std::size_t const got = source->read(bytes.data(), bytes.size());
  return got == 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

}  // namespace

OpenedInput::OpenedInput(InputOptions const& options, bool takes_part)
    : arguments_(arguments_of(options, takes_part)), console_(std::make_unique<app::Console>(arguments_)) {
  if (options.paths.empty()) throw ConfigurationError("no input is named");
  files_ = expand_inputs(options.paths);
  stamps_ = stamps_of(files_);
  if (options.threads != 0) arguments_.set_default("threads", std::to_string(options.threads));
  arguments_.set_default("memory", std::to_string(options.memory_bytes));
  stream_ = app::stream_options(arguments_);
  normalization_ = app::normalization_of(arguments_, files_, stream_, *console_);
  bool const is_fitted_here = normalization_ && normalization_->path.empty();
  if (is_fitted_here) arguments_ = arguments_.without({"columns", "ignore"});
  bool const has_own_schema = normalization_ && normalization_->schema;
  schema_ = has_own_schema
                ? std::make_unique<app::SchemaGuide>(*normalization_->schema, arguments_.has("unlabeled"), *console_)
                : std::make_unique<app::SchemaGuide>(arguments_, *console_);
  format_ = &schema_->format_of(files_, app::format_option(arguments_, "from", false));
  app::check_format_options(arguments_, {format_}, nullptr);
  choose_engine(options);
  make_plan();
  choose_form();
  judge_access();
}

std::unique_ptr<OpenedInput> open_input(InputOptions const& options, bool takes_part) {
  std::unique_ptr<OpenedInput> input;
  run_stoppable([&] { input = std::make_unique<OpenedInput>(options, takes_part); }, options.on_wait);
  return input;
}

void OpenedInput::choose_engine(InputOptions const& options) {
  arguments_.set_default("device", options.device);
  engine_ = app::device_of(arguments_, nullptr);
  stream_.device = engine_.device;
  stream_.is_device_required = arguments_.value_or("device", "auto") != "auto";
  stream_.cuts_on_device = app::cuts_on_device(arguments_);
}

void OpenedInput::leave_device(std::string const& reason) {
  engine_ = {nullptr, reason};
  stream_.device = nullptr;
}

void OpenedInput::make_plan() {
  Shaping shaping;
  if (normalization_) shaping.normalizer = normalization_->normalizer;
  if (format_->is_planned()) {
    PlanRequest request{stream_, true, {}};
    if (normalization_) request.text_rules = normalization_->normalizer->text_rules();
    plan_ = format_->plan(files_, arguments_, request);
    layout_ = plan_->layout();
  } else {
    layout_ = open_arrays()->layout();
  }
  if (normalization_) normalization_->check(layout_, app::absent_of(arguments_));
  stream_.shaping = shaping;
  layout_ = shaped_layout(layout_, shaping);
  has_side_files_ =
      arguments_.value("weight-file") || arguments_.value("group-file") || arguments_.value("base-margin-file");
  if (has_side_files_ && plan_ == nullptr)
    throw ConfigurationError("side files belong to text records, and " + files_.front().path + " has arrays");
}

/// Dense or sparse features, where they are asked for.
void OpenedInput::choose_form() {
  std::optional<bool> const wanted = app::is_sparse_wanted(arguments_);
  std::optional<Absent> const absent = app::absent_of(arguments_);
  if (wanted && *wanted != layout_.is_sparse && !layout_.has_lists()) {
    stream_.shaping.reshape = app::reshape_of(absent, *wanted, layout_.feature_dtype);
    layout_.is_sparse = *wanted;
    check_row(layout_, stream_);
  }
  if (has_side_files_) {
    auto const side = open_side_files();
    layout_.has_weight |= side->values()->has(Role::weight);
    layout_.has_qid |= side->values()->has(Role::qid);
    layout_.has_base_margin |= side->values()->has(Role::base_margin);
  }
}

void OpenedInput::judge_access() {
  for (InputFile const& file : files_) {
    if (!is_reopened(file)) why_not_at_random_ = name_of(file) + " can be read only once";
  }
  if (plan_ == nullptr) why_not_at_random_ = files_.front().path + " has arrays";
  if (has_side_files_) why_not_at_random_ = "there are side files, which are read from their start";
  for (InputFile const& file : files_) {
    if (why_not_at_random_.empty() && is_compressed(file)) why_not_at_random_ = file.path + " is compressed";
  }
  Arguments::Given given = arguments_.given();
  std::erase_if(given, [](auto const& each) { return is_run_option(each.first); });
  std::sort(given.begin(), given.end());
  std::string text(format_->name());
  for (auto const& [name, value] : given) text += "\n" + name + "=" + value;
  if (normalization_) text += "\nnormalizer " + normalization_->digest;
  options_digest_ = sha256_of(text).substr(0, 16);
}

std::vector<std::string> OpenedInput::names(Role role) const {
  if (role == Role::feature && normalization_) return normalization_->names;
  return plan_ != nullptr && plan_->has_names() ? plan_->names(role) : std::vector<std::string>{};
}

std::vector<std::string> OpenedInput::notes() const {
  std::vector<std::string> notes = plan_ != nullptr ? plan_->notes() : std::vector<std::string>{};
  notes.insert(notes.begin(), "format: " + std::string(format_->info().title));
  if (!engine_.reason.empty()) notes.push_back("no device: " + engine_.reason);
  return notes;
}

std::unique_ptr<app::BatchReader> OpenedInput::open_arrays() const {
  StreamOptions whole;
  whole.skip = stream_.skip;
  whole.limit = stream_.limit;
  return app::open_arrays(files_, *format_, whole);
}

std::unique_ptr<app::SideFiles> OpenedInput::open_side_files() const {
  if (!has_side_files_) return nullptr;
  return std::make_unique<app::SideFiles>(arguments_, files_, plan_->layout());
}

bool OpenedInput::is_read_again() const {
  return std::ranges::all_of(files_, [](InputFile const& file) { return is_reopened(file); });
}

void OpenedInput::check_unchanged(bool may_be_gone) const {
  for (FileStamp const& then : stamps_) {
    std::optional<FileStamp> const now = stamp_of(then.path);
    if (now == then || (!now && may_be_gone)) continue;
    std::string const how = !now                                 ? "it is gone"
                            : now->size_bytes == then.size_bytes ? "it was modified"
                                                                 : "its size is another";
    throw SourceError(then.path + ": has changed since the loader was made (" + how + ")",
                      "A loader made now reads what is there now.");
  }
}

}  // namespace penstock
