// RecordIO-protobuf inputs looked at frame by frame for what readers stumble over. The rules are those of
// formats/recordio/lint_rules.hpp; here is reading, counting and printing.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/recordio/lint.hpp"
#include "formats/recordio/lint_finding.hpp"
#include "formats/recordio/lint_rules.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/json.hpp"
#include "host/app/options_values.hpp"
#include "host/io/inputs.hpp"
#include "host/io/sink.hpp"
#include "host/io/source.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

using recordio::Finding;
using recordio::LintRule;
using recordio::Severity;

/// Findings of a rule that are shown: enough to see what they have in common.
constexpr std::uint64_t shown_default = 5;
/// What is read at a time at first, as for the other verbs; it grows to hold the longest frame.
constexpr std::size_t window_bytes = std::size_t{1} << 20;
/// Cells of a terminal that the place in a record may take.
constexpr std::size_t field_columns_max = 120;

/// Bytes of a source that were read and not dropped yet.
class Window {
 public:
  explicit Window(Source& source) : source_(source), bytes_(window_bytes) {}

  [[nodiscard]] std::span<std::byte const> unread() const { return std::span(bytes_).subspan(begin_, end_ - begin_); }
  void drop(std::size_t size_bytes) { begin_ += size_bytes; }

  /// Reads until there are `wanted_bytes`; false if the source ends before. Room is doubled only when data has filled
  /// it, so that a wrong length costs no memory.
  bool fill(std::size_t wanted_bytes) {
    while (unread().size() < wanted_bytes) {
      make_room();
      std::size_t const got = source_.read(reinterpret_cast<char*>(bytes_.data()) + end_, bytes_.size() - end_);
      if (got == 0) return false;
      end_ += got;
    }
    return true;
  }

 private:
  void make_room() {
    if (begin_ > 0) {
      std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == bytes_.size()) bytes_.resize(2 * bytes_.size());
  }

  Source& source_;
  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// How many findings there are of each severity.
struct Tally {
  std::uint64_t errors = 0;
  std::uint64_t warnings = 0;
  void add(Severity severity) { ++(severity == Severity::error ? errors : warnings); }
};

/// An input that was read, as far as frames could be followed.
struct Validated {
  std::string path;
  std::uint64_t frames = 0;
  std::uint64_t records = 0;
  Tally tally;
};

std::string place_text(std::string const& path, Finding const& finding) {
  std::string text = escape_for_display(path, 1000) + ": frame " + format_count(finding.frame) + " (byte " +
                     format_count(finding.frame_offset_bytes) + ")";
  std::string const field = field_text(finding.field);
  if (!field.empty()) text += ", " + escape_for_display(field, field_columns_max);
  if (finding.offset_bytes != finding.frame_offset_bytes)
    text += (field.empty() ? ", byte " : " at byte ") + format_count(finding.offset_bytes);
  return text;
}

/// "x.rec: frame 17 (byte 1,204), features["values"].keys[3] at byte 1,234: error key_out_of_shape: ..."
std::string finding_text(std::string const& path, Finding const& finding) {
  std::string text = place_text(path, finding) + ": ";
  text += name_of(severity_of(finding.rule));
  text += ' ';
  text += name_of(finding.rule);
  return text + ": " + sentence(finding) + "\n";
}

void add_finding(Json& json, std::string const& path, Finding const& finding) {
  json.begin_object().member("input", path).member("frame", finding.frame);
  json.member("frame_offset_bytes", finding.frame_offset_bytes).member("offset_bytes", finding.offset_bytes);
  json.member("field", field_text(finding.field)).member("severity", name_of(severity_of(finding.rule)));
  json.member("rule", name_of(finding.rule)).member("message", sentence(finding)).end_object();
}

/// What is shown. JSON says everything that `findings_max` allows.
struct Showing {
  bool is_json = false;
  std::uint64_t findings_max = shown_default;  ///< of each rule
  std::size_t quiet = 0;                       ///< 1: no lines about warnings; 2: no summary either

  [[nodiscard]] bool shows(Severity severity) const { return is_json || quiet == 0 || severity == Severity::error; }
};

/// Counts findings and shows the first few of each rule: as lines when they come, or as a list in a JSON object that
/// finish() completes.
class Report final : public recordio::FindingSink {
 public:
  Report(StandardOutput& out, Showing const& showing) : out_(out), showing_(showing) {
    if (!showing_.is_json) return;
    json_.begin_object().member("schema_version", 1).member("command", "validate");
    json_.key("findings").begin_array();
  }

  void begin_input(std::string const& path) { inputs_.push_back({path, 0, 0, {}}); }

  void add(Finding const& finding) override {
    Validated& input = inputs_.back();
    Severity const severity = severity_of(finding.rule);
    input.tally.add(severity);
    total_.add(severity);
    if (++counts_[static_cast<std::size_t>(finding.rule)] > showing_.findings_max || !showing_.shows(severity)) return;
    if (showing_.is_json)
      add_finding(json_, input.path, finding);
    else
      out_.write(finding_text(input.path, finding));
  }

  void end_input(recordio::Linter const& linter) {
    inputs_.back().frames = linter.frames();
    inputs_.back().records = linter.records();
  }

  [[nodiscard]] Tally const& total() const { return total_; }

  void finish(bool is_ok) {
    if (showing_.is_json)
      out_.write(json_line(is_ok));
    else if (showing_.quiet < 2)
      out_.write(summary_text());
    out_.finish();
  }

 private:
  [[nodiscard]] std::uint64_t records() const {
    std::uint64_t records = 0;
    for (Validated const& input : inputs_) records += input.records;
    return records;
  }

  static std::string counted(std::uint64_t count, std::string_view what) {
    return format_count(count) + " " + std::string(what) + (count == 1 ? "" : "s");
  }

  [[nodiscard]] std::string summary_text() const {
    std::string text =
        inputs_.size() == 1 ? escape_for_display(inputs_[0].path, 1000) : counted(inputs_.size(), "input");
    text += ": " + counted(records(), "record");
    if (total_.errors + total_.warnings == 0) return text + ", nothing to report\n";
    text += ", " + counted(total_.errors, "error") + ", " + counted(total_.warnings, "warning") + "\n";
    for (Severity severity : {Severity::error, Severity::warning}) text += rules_text(severity);
    return text;
  }

  [[nodiscard]] std::string rules_text(Severity severity) const {
    constexpr std::size_t name_columns = 22;  // the longest names have 20
    std::string text;
    for (std::size_t i = 0; i < recordio::lint_rules; ++i) {
      auto const rule = static_cast<LintRule>(i);
      if (counts_[i] == 0 || severity_of(rule) != severity) continue;
      text += severity == Severity::error ? "  error    " : "  warning  ";
      text += name_of(rule);
      text.append(name_columns - name_of(rule).size(), ' ');
      text += format_count(counts_[i]);
      if (std::uint64_t const shown = showing_.shows(severity) ? showing_.findings_max : 0; counts_[i] > shown)
        text += " (" + format_count(shown) + " shown)";
      text += '\n';
    }
    return text;
  }

  std::string json_line(bool is_ok) {
    json_.end_array().key("inputs").begin_array();
    for (Validated const& input : inputs_) {
      json_.begin_object().member("path", input.path).member("frames", input.frames).member("records", input.records);
      json_.member("errors", input.tally.errors).member("warnings", input.tally.warnings).end_object();
    }
    json_.end_array().member("records", records()).member("errors", total_.errors);
    json_.member("warnings", total_.warnings).member("ok", is_ok).key("counts").begin_object();
    for (std::size_t i = 0; i < recordio::lint_rules; ++i)
      if (counts_[i] != 0) json_.member(name_of(static_cast<LintRule>(i)), counts_[i]);
    return json_.end_object().end_object().line();
  }

  StandardOutput& out_;
  Showing showing_;
  Json json_;
  std::vector<Validated> inputs_;
  Tally total_;
  std::array<std::uint64_t, recordio::lint_rules> counts_{};
};

void validate(InputFile const& file, recordio::Linter& linter, Report& report) {
  std::unique_ptr<Source> const source = open_source(file);
  Window window(*source);
  report.begin_input(source->name());
  linter.begin_input();
  for (bool is_end = false; !is_end && !linter.is_broken();) {
    is_end = !window.fill(linter.wanted_bytes());
    window.drop(linter.lint(window.unread(), is_end));
  }
  report.end_input(linter);
}

/// What was found before an input that cannot be read is shown too; a JSON object would not be whole.
void validate_all(std::vector<InputFile> const& files, recordio::Linter& linter, Report& report, StandardOutput& out) {
  try {
    for (InputFile const& file : files) validate(file, linter, report);
  } catch (ClosedPipeError const&) {
    throw;
  } catch (Error const&) {
    out.finish();
    throw;
  }
}

}  // namespace

int run_validate(Arguments const& arguments) {
  recordio::LintOptions options;
  options.record_bytes_max = size_of(arguments, "max-record-size").value_or(options.record_bytes_max);
  std::vector<InputFile> const files = expand_inputs(arguments.inputs());
  StandardOutput out;
  Report report(out,
                {arguments.has("json"), count_of(arguments, "show").value_or(shown_default), arguments.count("quiet")});
  recordio::Linter linter(options, report);
  validate_all(files, linter, report, out);
  bool const is_ok = report.total().errors == 0 && (report.total().warnings == 0 || !arguments.has("strict"));
  report.finish(is_ok);
  return static_cast<int>(is_ok ? ExitCode::ok : ExitCode::data);
}

}  // namespace penstock::app
