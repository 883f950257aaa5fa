/// What a format's fuzz target has to know beyond formats/core/format.hpp: how CSV is planned, and how what a format's
/// Writer wrote is read back. A format that is read back with the options it was read with needs nothing here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/core/format_list.hpp"
#include "formats/formats.hpp"
#include "formats/normalize/text_rule.hpp"
#include "host/exec/normalizer.hpp"
#include "penstock/batch.hpp"
#include "tests/fuzz/choices.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::fuzz {

// --- options for what was written with default WriteOptions ---------------------------------------------------------

template <class Options>
Options options_for_written(Options const& read, BatchLayout const& /*layout*/) {
  return read;
}

inline libsvm::Options options_for_written(libsvm::Options const& read, BatchLayout const& layout) {
  libsvm::Options options;
  options.index_base = libsvm::IndexBase::one;
  options.num_features = layout.features;
  options.multilabel = layout.labels_vary;
  options.dtype = read.dtype;
  return options;
}

inline recordio::Options options_for_written(recordio::Options const& /*read*/, BatchLayout const& layout) {
  recordio::Options options;
  options.has_label_lists = layout.labels_vary;
  return options;
}

// --- planning -------------------------------------------------------------------------------------------------------

/// A way to plan inputs of a format, chosen by the input; plans may point into it.
template <class F>
class Planner {
 public:
  Planner(Choices& choices, std::size_t record_max)
      : options_(choose_options<typename F::Options>(choices, F::options)) {
    context_.record_max = record_max;
    context_.is_read_twice = !choices.flag();
    context_.needs_width = choices.flag();
  }

  /// Faults that one record can make at most.
  [[nodiscard]] std::size_t fault_room() const { return 1; }

  /// Nothing if there is a problem. Whatever the buffers, a scout says the same.
  std::optional<typename F::Plan> plan(std::vector<std::string> const& shards, testing::RunSizes const& sizes) {
    auto const usual = testing::scout<F, Portable>(options_, context_, shards, testing::RunSizes{});
    auto const other = testing::scout<F, Portable>(options_, context_, shards, sizes);
    testing::promise(words_of(usual.problems) == words_of(other.problems), "a scout's problem depends on buffers");
    testing::promise(usual.notes == other.notes, "a scout's notes depend on buffers");
    return usual.plan;
  }

  std::optional<typename F::Plan> plan_for_written(std::string const& bytes, BatchLayout const& layout) {
    ScoutContext context;
    context.record_max = std::size_t{1} << 20;  // numbers may be longer than they stood there
    context.is_read_twice = true;
    return testing::scout<F, Portable>(options_for_written(options_, layout), context, {bytes}, testing::RunSizes{})
        .plan;
  }

 private:
  static std::string words_of(std::vector<Problem> const& problems) {
    std::string text;
    for (Problem const& problem : problems) text += problem.message + "|" + problem.hint + "\n";
    return text;
  }

  typename F::Options options_;
  ScoutContext context_;
};

/// CSV has no scout: names belong to the host. Dialect, roles and rules are chosen, headers are records.
template <>
class Planner<csv::Format> {
 public:
  Planner(Choices& choices, std::size_t /*record_max*/) {
    static constexpr char delimiters[] = {',', '\t', ';', ' ', '|'};
    static constexpr char quotes[] = {'"', 0, '\''};
    static constexpr DType types[] = {DType::float32, DType::float64, DType::int32, DType::int64};
    csv::CellRules& rules = plan_.rules;
    rules.dialect.delimiter = choices.one_of(delimiters);
    rules.dialect.quote = choices.one_of(quotes);
    rules.dialect.escape = choices.flag() ? '\\' : '\0';
    rules.dialect.comment = choices.flag() ? '#' : '\0';
    rules.dialect.trim = choices.flag();
    rules.dialect.strict_quotes = choices.flag();
    rules.non_finite = static_cast<csv::NonFinitePolicy>(choices.below(3));
    rules.overflow = static_cast<csv::OverflowPolicy>(choices.below(2));
    rules.nulls = nulls_;
    plan_.repairs_cells = choices.flag();
    plan_.layout.feature_dtype = choices.one_of(types);
    choose_columns(choices);
    plan_.columns = shards_;
  }

  [[nodiscard]] std::size_t fault_room() const { return csv::fault_room(plan_, columns_.size()); }

  std::optional<csv::DecodePlan> plan(std::vector<std::string> const&, testing::RunSizes const&) { return plan_; }

  /// Lines are written with commas, in an order of roles of their own, and hold infinities where they were let in.
  std::optional<csv::DecodePlan> plan_for_written(std::string const& /*bytes*/, BatchLayout const& layout) {
    csv::DecodePlan plan = plan_;
    plan.rules.dialect = {};
    plan.rules.labels = {};
    plan.rules.non_finite = csv::NonFinitePolicy::pass;
    plan.repairs_cells = false;
    plan.texts = {};
    plan.layout.categories = 0;  // no output has a place for columns of text
    plan.layout.keeps_texts = false;
    written_columns_.clear();
    for (Role const role : csv::column_order) {
      for (std::size_t i = 0; i < layout.columns(role); ++i)
        written_columns_.push_back({role, static_cast<std::uint32_t>(i)});
    }
    written_shard_[0] = written_columns_;
    plan.columns = written_shard_;
    return plan;
  }

 private:
  /// Up to eight columns; three by default. A byte of roles is enough: each pair of columns shares two bits.
  void choose_columns(Choices& choices) {
    static constexpr Role roles[] = {Role::feature, Role::label, Role::weight, Role::qid, Role::ignore, Role::category};
    std::size_t const columns = 1 + (2 + choices.below(8)) % 8;
    BatchLayout& layout = plan_.layout;
    for (std::size_t i = 0; i < columns; ++i) {
      Role role = i < 4 ? choices.one_of(roles) : Role::feature;
      bool const is_taken = (role == Role::weight && layout.has_weight) || (role == Role::qid && layout.has_qid) ||
                            (role == Role::category && layout.categories == texts_max);
      if (is_taken) role = Role::feature;
      std::uint32_t place = 0;
      if (role == Role::feature) place = static_cast<std::uint32_t>(layout.features++);
      if (role == Role::label) place = static_cast<std::uint32_t>(layout.labels++);
      if (role == Role::category) place = static_cast<std::uint32_t>(layout.categories++);
      if (role == Role::weight) layout.has_weight = true;
      if (role == Role::qid) layout.has_qid = true;
      columns_.push_back({role, place});
    }
    if (layout.labels == 1 && choices.flag()) plan_.rules.labels = labels_;
    choose_texts(choices);
    shards_ = {columns_, columns_};
  }

  /// Columns of text are read with rules, or kept, whole or cut.
  void choose_texts(Choices& choices) {
    if (plan_.layout.categories == 0) return;
    enum Way : std::size_t { read, keep, cut, ways };
    std::size_t const way = choices.below(ways);
    plan_.layout.keeps_texts = way != read;
    plan_.texts.cuts = way == cut;
    if (way != read) return;
    for (std::size_t i = 0; i < plan_.layout.categories; ++i) text_rules_.push_back(text_rule(choices.below(256)));
    plan_.texts.rules = text_rules_;
  }

  /// Every reading with everything that it can be told; `choice` is below 256.
  [[nodiscard]] normalize::TextRule text_rule(std::size_t choice) const {
    static constexpr std::uint8_t bits[] = {10, 1, 24};
    normalize::TextRule rule;
    rule.reading = static_cast<normalize::Reading>(choice % 4);
    rule.unknown = static_cast<normalize::Unknown>(choice / 4 % 3);
    rule.hash_bits = bits[choice / 4 % 3];
    rule.time_format = static_cast<normalize::TimeFormat>(choice / 4 % 5);
    if (rule.reading == normalize::Reading::vocabulary) rule.vocabulary = vocabulary_.view();
    return rule;
  }

  static csv::Bytes bytes_of(std::string_view text) { return {text.data(), text.data() + text.size()}; }

  static constexpr std::size_t texts_max = 3;  ///< each takes a byte of the choices

  VocabularyTable vocabulary_{{"x", "1", "", "a b", "a,\"b", "true", "Somewhere", std::string(4096, 'w')}};
  std::vector<normalize::TextRule> text_rules_;
  std::vector<csv::Bytes> nulls_ = {bytes_of(""), bytes_of("NA"), bytes_of("null")};
  std::vector<csv::LabelName> labels_ = {{bytes_of("x"), 1}, {bytes_of("a b"), 2}, {bytes_of("1"), 7}};
  std::vector<csv::Column> columns_;
  std::vector<csv::Column> written_columns_;
  std::vector<std::span<csv::Column const>> shards_;
  std::vector<std::span<csv::Column const>> written_shard_ = std::vector<std::span<csv::Column const>>(1);
  csv::DecodePlan plan_;
};

}  // namespace penstock::fuzz
