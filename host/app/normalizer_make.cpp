// From what was fitted to what is applied, and back.

#include <limits>
#include <tuple>
#include <utility>

#include "host/app/normalizer_file.hpp"
#include "host/pipeline/column_list.hpp"

namespace penstock::app {
namespace {

using normalize::Kind;
using normalize::Parameters;
using normalize::Run;

/// Columns that come out, one after the other; neighbours that are alike become one run.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(std::size_t features) { parts_.features = features; }

  void add(Kind kind, bool takes_category, std::uint32_t from, Parameters const& parameters) {
    add_run({kind, takes_category, false, from, columns(), 1});
    parts_.parameters.push_back(parameters);
  }
  void add_one_hot(std::uint32_t category, std::uint32_t count) {
    add_run({Kind::one_hot, true, true, category, columns(), count});
    parts_.parameters.resize(parts_.parameters.size() + count);
  }
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> add_edges(std::vector<double> const& edges) {
    auto const begin = static_cast<std::uint32_t>(parts_.edges.size());
    parts_.edges.insert(parts_.edges.end(), edges.begin(), edges.end());
    return {begin, static_cast<std::uint32_t>(parts_.edges.size())};
  }
  void add_text_rule(normalize::TextRule rule, std::vector<std::string> const& vocabulary) {
    if (rule.reading == normalize::Reading::vocabulary) {
      parts_.tables.push_back(std::make_unique<VocabularyTable>(vocabulary));
      rule.vocabulary = parts_.tables.back()->view();
    }
    parts_.text_rules.push_back(rule);
  }
  [[nodiscard]] std::shared_ptr<Normalizer const> finish() {
    return std::make_shared<Normalizer const>(std::move(parts_));
  }

 private:
  [[nodiscard]] std::uint32_t columns() const { return static_cast<std::uint32_t>(parts_.parameters.size()); }

  void add_run(Run const& run) {
    if (!parts_.runs.empty()) {
      Run& last = parts_.runs.back();
      bool const is_alike = last.kind == run.kind && last.takes_category == run.takes_category && !last.takes_one &&
                            !run.takes_one && last.from + last.count == run.from;
      if (is_alike) {
        ++last.count;
        return;
      }
    }
    parts_.runs.push_back(run);
  }

  Normalizer::Parts parts_;
};

double fill_of(FittedColumn const& column) { return column.fill.value_or(std::numeric_limits<double>::quiet_NaN()); }

void add_number(ProgramBuilder& builder, FittedColumn const& column, std::uint32_t from) {
  Parameters parameters{column.offset, column.scale, fill_of(column), 0, 0};
  Kind kind = Kind::affine;
  switch (column.spec.transform) {
    case Transform::log1p: kind = Kind::log1p; break;
    case Transform::power:
      kind = Kind::power;
      parameters.a = column.spec.exponent;
      break;
    case Transform::clip:
      kind = Kind::clip;
      parameters.a = column.low;
      parameters.b = column.high;
      break;
    case Transform::bucketize:
      kind = Kind::bucket;
      std::tie(parameters.edges_begin, parameters.edges_end) = builder.add_edges(column.edges);
      break;
    default: break;
  }
  builder.add(kind, false, from, parameters);
  if (column.spec.adds_indicator) builder.add(Kind::indicator, false, from, {});
}

/// Of ordinal vocabularies and one-hot columns: one more for what is unknown.
std::size_t codes_of(FittedColumn const& column) {
  return column.vocabulary.size() + (column.spec.unknown == normalize::Unknown::other ? 1 : 0);
}

void add_text(ProgramBuilder& builder, FittedColumn const& column, std::uint32_t category) {
  TransformSpec const& spec = column.spec;
  Parameters const as_it_is{0, 1, std::numeric_limits<double>::quiet_NaN(), 0, 0};
  builder.add_text_rule(text_rule_of(spec), column.vocabulary);
  if (spec.transform == Transform::one_hot) {
    builder.add_one_hot(category, static_cast<std::uint32_t>(codes_of(column)));
  } else if (spec.transform == Transform::time) {
    for (auto const& part : spec.parts) {
      Parameters parameters = as_it_is;
      if (part) parameters.a = static_cast<double>(*part);
      builder.add(part ? Kind::part : Kind::affine, true, category, parameters);
    }
  } else {
    builder.add(Kind::affine, true, category, as_it_is);
  }
}

void add_text_names(FittedColumn const& column, std::vector<std::string>& names) {
  TransformSpec const& spec = column.spec;
  if (spec.transform == Transform::one_hot) {
    for (std::string const& word : column.vocabulary) names.push_back(column.name + "=" + word);
    if (spec.unknown == normalize::Unknown::other) names.push_back(column.name + "=(other)");
  } else if (spec.transform == Transform::time) {
    for (auto const& part : spec.parts)
      names.push_back(column.name + "." + (part ? std::string(normalize::name_of(*part)) : "epoch"));
  } else {
    names.push_back(column.name);
  }
}

/// The kind and parameters that undo a column of numbers; false if nothing does.
bool undo(FittedColumn const& column, Kind& kind, Parameters& parameters) {
  switch (column.spec.transform) {
    case Transform::clip:
    case Transform::bucketize: return false;
    case Transform::log1p: kind = Kind::expm1; return true;
    case Transform::power:
      kind = Kind::power;
      parameters.a = 1 / column.spec.exponent;
      return true;
    default:
      parameters.a = -column.offset * column.scale;
      parameters.b = 1 / column.scale;
      return true;
  }
}

}  // namespace

normalize::TextRule text_rule_of(TransformSpec const& spec) {
  normalize::TextRule rule;
  rule.unknown = spec.unknown;
  rule.hash_bits = static_cast<std::uint8_t>(spec.hash_bits);
  rule.time_format = spec.time_format;
  switch (spec.transform) {
    case Transform::hash: rule.reading = normalize::Reading::hash; break;
    case Transform::boolean: rule.reading = normalize::Reading::boolean; break;
    case Transform::time: rule.reading = normalize::Reading::time; break;
    default: break;
  }
  return rule;
}

std::size_t FittedColumn::outputs() const {
  switch (spec.transform) {
    case Transform::one_hot: return codes_of(*this);
    case Transform::time: return spec.parts.size();
    default: return spec.adds_indicator ? 2 : 1;
  }
}

std::vector<std::string> output_names(NormalizerFile const& file) {
  std::vector<std::string> names;
  for (FittedColumn const& column : file.columns) {
    if (column.spec.takes_text()) {
      add_text_names(column, names);
      continue;
    }
    names.push_back(column.name);
    if (column.spec.adds_indicator) names.push_back(column.name + " is missing");
  }
  return names;
}

std::shared_ptr<Normalizer const> make_normalizer(NormalizerFile const& file) {
  std::size_t features = 0;
  for (FittedColumn const& column : file.columns) features += column.spec.takes_text() ? 0 : 1;
  ProgramBuilder builder(features);
  std::uint32_t number = 0, text = 0;
  for (FittedColumn const& column : file.columns) {
    if (column.spec.takes_text())
      add_text(builder, column, text++);
    else
      add_number(builder, column, number++);
  }
  return builder.finish();
}

std::vector<std::string> inverse_names(FittedColumn const& column) {
  std::vector<std::string> names;
  if (column.spec.takes_text())
    add_text_names(column, names);
  else
    names.push_back(column.name);
  return names;
}

Inverse make_inverse(NormalizerFile const& file) {
  std::size_t features = 0;
  for (FittedColumn const& column : file.columns) features += column.outputs();
  ProgramBuilder builder(features);
  Inverse inverse;
  std::uint32_t from = 0;
  Parameters const as_it_is{0, 1, std::numeric_limits<double>::quiet_NaN(), 0, 0};
  for (FittedColumn const& column : file.columns) {
    auto const outputs = static_cast<std::uint32_t>(column.outputs());
    Kind kind = Kind::affine;
    Parameters parameters = as_it_is;
    bool const is_text = column.spec.takes_text();
    if (!is_text) {
      bool const is_undone = undo(column, kind, parameters);
      if (!is_undone) inverse.notes.push_back(shown(column.name) + " stays as it is: " + text_of(column.spec));
      if (column.fill) inverse.notes.push_back(shown(column.name) + ": values that were missing stay filled");
      builder.add(kind, false, from, parameters);
      bool const moves_zero = normalize::value_of(kind, 0, parameters, nullptr, 0.0) != 0;
      if (moves_zero && inverse.moves_zero.empty()) inverse.moves_zero = column.name;
    } else {
      for (std::uint32_t i = 0; i < outputs; ++i) builder.add(Kind::affine, false, from + i, as_it_is);
    }
    from += outputs;
    for (std::string const& name : inverse_names(column)) inverse.names.push_back(name);
  }
  inverse.normalizer = builder.finish();
  return inverse;
}

}  // namespace penstock::app
