/// The plan of any format whose Scout says all that there is to know: see formats/core/format.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/normalize/text_rule.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/lanes.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/fault_report.hpp"
#include "host/pipeline/input_head.hpp"
#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/place_finder.hpp"
#include "host/pipeline/record_stream.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock {

struct PlanRequest {
  StreamOptions stream;      ///< for a pass over the whole input, where that is needed: sizes, threads, fault policy
  bool needs_width = false;  ///< the output has a shape
  /// Of the columns that the option `texts` names: see CsvOptions and objects::Options.
  std::span<normalize::TextRule const> text_rules = {};
  bool finds_texts = false;  ///< for a view: what is text is kept as text, where the format can find it
};

template <class Format>
concept HasWatch = requires {
  typename Format::Watch;
};

template <class Watch>
class FormatWatch final : public InputWatch {
 public:
  template <class Plan>
  explicit FormatWatch(Plan const& plan) : watch_(plan) {}
  void see(Batch const& rows) override { watch_.see(rows); }
  [[nodiscard]] std::vector<Problem> problem() const override { return watch_.problem(); }

 private:
  Watch watch_;
};

/// All files of one format. What it looks at: the first record, and all records where the scout asks for a survey.
template <class Format>
class FormatPlan final : public InputPlan {
 public:
  /// Throws ConfigurationError or SchemaError for what cannot be planned, SourceError, and DataError of a survey.
  FormatPlan(std::vector<InputFile> const& files, typename Format::Options const& options, PlanRequest const& request) {
    if (request.stream.on_error == FaultPolicy::null)
      throw ConfigurationError(
          "--on-error null: " + std::string(Format::info.title) + " has no cells that could be missing",
          "--on-error skip or quarantine");
    bool is_read_twice = true;
    for (InputFile const& file : files) {
      heads_.emplace_back(file);
      is_read_twice &= is_reopened(file);
    }
    ScoutContext context;
    context.record_max = request.stream.record_max;
    context.is_read_twice = is_read_twice;
    context.needs_width = request.needs_width;
    typename Format::Scout scout(options, context);
    if (!look(scout, request.stream.record_max)) {
      for (Problem const& problem : scout.problem()) {  // there are bytes, but they are no records
        if (has_bytes_) throw SourceError(name_of(files.front()) + ": " + problem.message, problem.hint);
      }
      if (!has_records(scout)) throw_no_records(files);
    }
    throw_problem(scout);
    if (scout.wants_survey()) survey(scout, request.stream);
    plan_ = scout.plan();
    constexpr std::size_t note_bytes_max = 4096;  // keys of the input stand in them
    for (std::string const& note : scout.notes()) notes_.push_back(escape_for_display(note, note_bytes_max));
  }

  [[nodiscard]] FormatInfo const& format() const override { return Format::info; }
  [[nodiscard]] BatchLayout const& layout() const override { return plan_.layout; }
  [[nodiscard]] std::vector<std::string> names([[maybe_unused]] Role role) const override {
    if constexpr (requires { Format::names(plan_, role); }) return Format::names(plan_, role);
    return {};
  }
  [[nodiscard]] bool has_names() const override {
    return requires { Format::names(plan_, Role::feature); };
  }
  [[nodiscard]] std::uint64_t first_line(std::size_t) const override { return 1; }
  [[nodiscard]] std::vector<std::string> const& notes() const override { return notes_; }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> found_options() const override {
    if constexpr (requires { Format::found_options(plan_); }) return Format::found_options(plan_);
    return {};
  }
  [[nodiscard]] bool checks_qid_order() const override {
    if constexpr (requires { plan_.checks_qid_order; }) return plan_.checks_qid_order;
    return false;
  }
  [[nodiscard]] std::vector<Shard> shards() override {
    std::vector<Shard> shards;
    for (InputHead& head : heads_) shards.push_back(head.shard());
    return shards;
  }
  [[nodiscard]] typename Format::Plan const& decode_plan() const { return plan_; }

  [[nodiscard]] std::unique_ptr<Cutter> make_cutter(InstructionSet isa, std::size_t record_max) const override {
    return penstock::make_cutter<Format>(isa, plan_, record_max);
  }
  [[nodiscard]] std::unique_ptr<Lane> make_lane(InstructionSet isa, LaneOptions const& options) const override {
    return penstock::make_lane<Format>(isa, plan_, options);
  }
  [[nodiscard]] std::unique_ptr<PlaceFinder> make_place_finder() const override {
    return std::make_unique<CountingPlaceFinder<typename Format::PlaceCounter>>();
  }
  [[nodiscard]] std::unique_ptr<InputWatch> make_watch() const override {
    if constexpr (HasWatch<Format>) return std::make_unique<FormatWatch<typename Format::Watch>>(plan_);
    return nullptr;
  }
  [[nodiscard]] BatchCapacity record_capacity(std::size_t record_max) const override {
    return Format::record_capacity(plan_, record_max);
  }

  void explain(Fault const& fault, Chunk const& chunk, FaultReport& report) const override {
    std::size_t const begin = std::min<std::size_t>(fault.record_begin, chunk.text.size);
    std::size_t const end = std::min<std::size_t>(fault.record_end, chunk.text.size);
    std::string_view const record(chunk.text.data + begin, end - begin);
    FaultWords words = Format::words_of(fault, plan_, record);
    report.subject = std::move(words.subject);
    report.expected = std::move(words.expected);
    report.found = std::move(words.found);
    report.remedy = std::move(words.remedy);
    if (report.remedy.empty() && fault.code == FaultCode::record_too_long)
      report.remedy = "--max-record-size allows longer records";
    bool const shows_cell = Format::info.is_text && report.found.empty() && !report.cell.empty();
    bool const is_quoted = report.cell.size() > 1 && report.cell.front() == '"' && report.cell.back() == '"';
    std::string const quote = is_quoted ? "" : "\"";
    if (shows_cell) report.found = quote + escape_for_display(report.cell, 40) + quote;
  }

 private:
  /// False: there is no record.
  bool look(typename Format::Scout& scout, std::size_t record_max) {
    auto const cutter = penstock::make_cutter<Format>(InstructionSet::portable, scout.survey_plan(), record_max);
    for (InputHead& head : heads_) {
      if (head.look(*cutter, record_max, [&](Chunk const& chunk) {
            has_bytes_ = has_bytes_ || chunk.text.size > 0;
            return scout.look(chunk);
          }))
        return true;
    }
    return false;
  }

  /// None of the records that are there can serve as the first; what is wrong with them decoding will say.
  static bool has_records(typename Format::Scout const& scout) {
    if constexpr (requires { scout.has_records(); }) return scout.has_records();
    return false;
  }

  [[noreturn]] static void throw_no_records(std::vector<InputFile> const& files) {
    std::string const others = files.size() == 1 ? "" : " (nor in the other " + std::to_string(files.size() - 1) + ")";
    throw DataError(name_of(files.front()) + ": no records" + others);
  }

  static void throw_problem(typename Format::Scout const& scout) {
    for (Problem const& problem : scout.problem()) throw ConfigurationError(problem.message, problem.hint);
  }

  /// Every record once, under the user's fault policy, with nothing made of it.
  void survey(typename Format::Scout& scout, StreamOptions options) {
    plan_ = scout.survey_plan();
    options.skip = 0;
    options.limit.reset();
    options.max_errors.reset();
    options.max_errors_share.reset();
    options.make_encoder = {};
    options.shaping = {};
    options.row_files = nullptr;
    RecordStream stream(*this, options);
    while (Round const* const round = stream.next()) scout.see(round->batch);
    throw_problem(scout);
  }

  std::vector<InputHead> heads_;
  bool has_bytes_ = false;  ///< some input is not empty
  typename Format::Plan plan_;
  std::vector<std::string> notes_;
};

}  // namespace penstock
