#include "host/app/input_statistics.hpp"

#include <algorithm>
#include <utility>

#include "host/text/suggest.hpp"
#include "host/text/text_format.hpp"
#include "penstock/dtype.hpp"
#include "penstock/error.hpp"

namespace penstock::app {

using statistics::tile_rows;

namespace {

constexpr Role tensor_roles_shown[] = {Role::feature, Role::label, Role::weight, Role::base_margin, Role::cat};

std::string place(std::string_view role, std::size_t column) {
  return std::string(role) + "[" + std::to_string(column) + "]";
}

/// What the columns of a dense tensor are called.
std::vector<std::string> names_of(BatchReader const& reader, Role role) {
  std::size_t const columns = reader.layout().columns(role);
  std::vector<std::string> names = reader.names(role);
  names.resize(columns);
  for (std::size_t i = 0; i < columns; ++i)
    if (names[i].empty())
      names[i] = columns > 1 || role == Role::feature ? place(name_of(role), i) : std::string(name_of(role));
  return names;
}

template <class T>
void copy_as_double(Dense const& from, Extent rows, double* to, std::size_t stride) {
  T const* at = from.as<T>() + rows.begin * from.columns;
  for (std::size_t i = 0; i < rows.size(); ++i, to += stride)
    for (std::size_t c = 0; c < from.columns; ++c) to[c] = static_cast<double>(*at++);
}

void copy_as_double(Dense const& from, Extent rows, double* to, std::size_t stride) {
  switch (from.dtype) {
    case DType::float64: return copy_as_double<double>(from, rows, to, stride);
    case DType::int32: return copy_as_double<std::int32_t>(from, rows, to, stride);
    case DType::int64: return copy_as_double<std::int64_t>(from, rows, to, stride);
    default: return copy_as_double<float>(from, rows, to, stride);
  }
}

/// The values of all rows of a ragged tensor, as a column.
Dense values_of(Ragged const& list) {
  Dense values{list.values, list.dtype, 0, 1};
  if (list.rows == 0) return values;
  std::size_t const begin = list.row(0).begin;
  values.data += begin * size_bytes(list.dtype);
  values.rows = list.row(list.rows - 1).end - begin;
  return values;
}

}  // namespace

// --- correlations ----------------------------------------------------------------------------------------------------

CorrelationStatistics::CorrelationStatistics(std::vector<Role> roles, std::size_t columns)
    : roles_(std::move(roles)), tile_(tile_rows * columns), moments_(columns) {}

void CorrelationStatistics::add(Batch const& batch) {
  std::size_t const columns = moments_.columns();
  for (std::size_t begin = 0; begin < batch.rows;) {
    std::size_t const taken = std::min(batch.rows - begin, tile_rows - carried_);
    double* to = tile_.data() + carried_ * columns;
    for (Role const role : roles_) {
      copy_as_double(batch.tensor(role), {begin, begin + taken}, to, columns);
      to += batch.tensor(role).columns;
    }
    begin += taken;
    carried_ += taken;
    if (carried_ != tile_rows) continue;
    moments_.add_tile(tile_.data(), tile_rows);
    carried_ = 0;
  }
}

statistics::CoMoments const& CorrelationStatistics::finish() {
  if (carried_ != 0) moments_.add_tile(tile_.data(), carried_);
  carried_ = 0;
  return moments_;
}

// --- an input --------------------------------------------------------------------------------------------------------

InputStatistics::InputStatistics(BatchReader const& reader, StatisticsQuestion const& question)
    : question_(question), team_(question.threads) {
  BatchLayout const& layout = reader.layout();
  add_tensors(reader);
  if (layout.keeps_texts) add_texts(reader);
  if (layout.is_sparse) add_column(Source::row_lengths, "features.length", DType::int64, 0);
  if (layout.labels_vary) {
    add_column(Source::label_values, "label", layout.label_dtype, 0);
    add_column(Source::label_lengths, "label.length", DType::int64, 0);
  }
  add_lists(layout);
  check_only(layout);
  for (Tensor& tensor : tensors_) tensor.statistics.share_work(team_);
  if (layout.is_sparse && (!question_.only || question_.only->starts_with("features["))) sparse_.emplace();
  if (question_.wants_correlations) plan_correlations(layout);
}

bool InputStatistics::is_wanted(std::string const& name) const { return !question_.only || *question_.only == name; }

void InputStatistics::add_tensors(BatchReader const& reader) {
  BatchLayout const& layout = reader.layout();
  for (Role const role : tensor_roles_shown) {
    std::size_t const columns = layout.columns(role);
    if (columns == 0) continue;
    std::vector<std::string> names = names_of(reader, role);
    known_names_.insert(known_names_.end(), names.begin(), names.end());
    ColumnDetails details = question_.details;
    std::optional<std::size_t> only;
    if (question_.only) {
      auto const found = std::find(names.begin(), names.end(), *question_.only);
      if (found == names.end()) continue;
      only = static_cast<std::size_t>(found - names.begin());
      names = {*question_.only};
    } else if (columns > detailed_columns_max && (details.quantiles || details.values)) {
      details = {};
      notes_.push_back("quantiles and distinct values of more than " + format_count(detailed_columns_max) +
                       " columns are left out: --column NAME has those of one");
    }
    std::string const role_name(name_of(role));
    tensors_.push_back({role_name, std::move(names), Source::dense, role, 0,
                        TensorStatistics(layout.dtype(role), columns, details, only)});
  }
}

void InputStatistics::add_texts(BatchReader const& reader) {
  std::vector<std::string> names = reader.names(Role::category);
  std::size_t const columns = reader.layout().categories;
  names.resize(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    if (names[i].empty()) names[i] = place(name_of(Role::category), i);
    known_names_.push_back(names[i]);
    if (is_wanted(names[i])) texts_.push_back({names[i], i, TextStatistics(counted_values_max(columns))});
  }
}

void InputStatistics::add_column(Source source, std::string const& name, DType dtype, std::size_t list) {
  known_names_.push_back(name);
  if (!is_wanted(name)) return;
  tensors_.push_back({name, {name}, source, Role::ignore, list, TensorStatistics(dtype, 1, question_.details)});
}

void InputStatistics::add_lists(BatchLayout const& layout) {
  for (std::size_t i = 0; i < lists_max; ++i) {
    ListLayout const& list = layout.lists[i];
    if (list.role == ListRole::none) continue;
    std::string const name(name_of(list.role));
    add_column(Source::list_values, name, list.dtype, i);
    add_column(Source::list_lengths, name + ".length", DType::int64, i);
    list_parts_[i] = static_cast<std::int64_t>(list.parts);
  }
}

/// What can be no column is said before anything is read.
void InputStatistics::check_only(BatchLayout const& layout) const {
  if (!question_.only || !tensors_.empty() || !texts_.empty()) return;
  if (layout.is_sparse && question_.only->starts_with("features[")) return;
  std::optional<std::string> const near = nearest(*question_.only, known_names_);
  throw ConfigurationError(
      "--column '" + escape_for_display(*question_.only, 40) + "' is no column with statistics",
      near ? "Did you mean " + escape_for_display(*near, 40) + "?" : "penstock stats without --column lists them.");
}

void InputStatistics::plan_correlations(BatchLayout const& layout) {
  if (layout.columns(Role::feature) == 0)
    throw ConfigurationError("--correlations: there are no dense features",
                             "convert --features dense makes sparse ones dense.");
  std::vector<Role> roles = {Role::feature};
  if (layout.labels != 0) roles.push_back(Role::label);
  std::size_t const columns = layout.columns(Role::feature) + layout.labels;
  if (columns > statistics::correlated_columns_max)
    throw ConfigurationError("--correlations: " + format_count(columns) + " columns are too many: at most " +
                                 format_count(statistics::correlated_columns_max),
                             "--columns chooses features.");
  correlations_ = std::make_unique<CorrelationStatistics>(std::move(roles), columns);
}

void InputStatistics::add(Batch const& batch) {
  rows_ += batch.rows;
  if (batch.rows == 0) return;
  lengths_.resize(batch.rows);
  for (Tensor& tensor : tensors_) {
    switch (tensor.source) {
      case Source::dense: tensor.statistics.add(batch.tensor(tensor.dense_role)); break;
      case Source::list_values: tensor.statistics.add(values_of(batch.lists[tensor.list])); break;
      case Source::label_values: tensor.statistics.add(values_of(batch.labels)); break;
      case Source::list_lengths: add_lengths(tensor, batch.lists[tensor.list].offsets, list_parts_[tensor.list]); break;
      case Source::label_lengths: add_lengths(tensor, batch.labels.offsets, 1); break;
      case Source::row_lengths: add_lengths(tensor, batch.csr.indptr, 1); break;
    }
  }
  for (TextColumn& text : texts_) text.statistics.add(batch.texts, text.column);
  if (sparse_) add_sparse(batch.csr);
  if (correlations_) correlations_->add(batch);
}

void InputStatistics::add_lengths(Tensor& tensor, std::int64_t const* offsets, std::int64_t parts) {
  for (std::size_t i = 0; i < lengths_.size(); ++i) lengths_[i] = (offsets[i + 1] - offsets[i]) / parts;
  tensor.statistics.add({reinterpret_cast<std::byte*>(lengths_.data()), DType::int64, lengths_.size(), 1});
}

void InputStatistics::add_sparse(Csr const& csr) {
  Extent const pairs = csr.pairs();
  auto const add = [&]<class T>(T const* values) {
    sparse_->add(csr.indices + pairs.begin, values + pairs.begin, pairs.size());
  };
  switch (csr.dtype) {
    case DType::float64: return add(csr.values_as<double>());
    case DType::int32: return add(csr.values_as<std::int32_t>());
    case DType::int64: return add(csr.values_as<std::int64_t>());
    default: return add(csr.values_as<float>());
  }
}

std::vector<NamedColumn> InputStatistics::finish() {
  std::vector<NamedColumn> columns;
  if (sparse_) finish_sparse(columns);
  for (Tensor& tensor : tensors_) {
    std::size_t const count = tensor.statistics.finish().size();
    for (std::size_t i = 0; i < count; ++i)
      columns.push_back({tensor.role, tensor.names[i], tensor.statistics.column(i)});
  }
  for (TextColumn const& text : texts_)
    columns.push_back({"text", text.name, text.statistics.finish(question_.details.values)});
  if (correlations_) co_moments_ = &correlations_->finish();
  if (question_.only && columns.empty())
    throw ConfigurationError("--column '" + escape_for_display(*question_.only, 40) + "' has no stored value",
                             "penstock stats without --column lists those that have.");
  return columns;
}

/// Columns in which something is stored.
void InputStatistics::finish_sparse(std::vector<NamedColumn>& columns) {
  if (sparse_->pairs_beyond() != 0)
    notes_.push_back(format_count(sparse_->pairs_beyond()) + " values in columns from " +
                     format_count(statistics::sparse_columns_max) + " on are left out");
  for (std::size_t i = 0; i < sparse_->columns().size(); ++i) {
    statistics::Summary const& summary = sparse_->columns()[i];
    if (summary.moments.count + summary.missing + summary.infinite == 0) continue;
    std::string name = place(name_of(Role::feature), i);
    if (is_wanted(name)) columns.push_back({"features", std::move(name), {summary, {}, {}}, true});
  }
}

}  // namespace penstock::app
