/// Statistics of everything that an input's rows have: dense tensors, sparse features, lists and how long they are, and
/// how columns vary together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/statistics/co_moments.hpp"
#include "formats/statistics/sparse_columns.hpp"
#include "host/app/batch_reader.hpp"
#include "host/app/column_statistics.hpp"
#include "host/app/task_team.hpp"
#include "host/app/text_statistics.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

/// A column of the report.
struct NamedColumn {
  std::string role;  ///< features, label, ...; of how long rows are, such as features.length
  std::string name;  ///< the column's own, or a place such as features[3]
  ColumnStatistics statistics;
  bool is_sparse = false;  ///< of what is stored, without details
};

/// Rows of several dense tensors side by side as float64, for their correlations.
class CorrelationStatistics {
 public:
  /// `columns` in all.
  CorrelationStatistics(std::vector<Role> roles, std::size_t columns);

  void add(Batch const& batch);
  [[nodiscard]] statistics::CoMoments const& finish();

 private:
  std::vector<Role> roles_;
  std::vector<double> tile_;
  std::size_t carried_ = 0;  ///< rows
  statistics::CoMoments moments_;
};

/// What shall be found out.
struct StatisticsQuestion {
  ColumnDetails details;
  std::optional<std::string> only;  ///< this column alone
  bool wants_correlations = false;  ///< of features and labels, which are dense and not too many
  unsigned threads = 0;             ///< that share the work; 0: one for each core
};

/// The tensors of an input, as its rows come in.
class InputStatistics {
 public:
  /// Throws ConfigurationError if `only` can be no column, or for correlations that there are not.
  InputStatistics(BatchReader const& reader, StatisticsQuestion const& question);

  void add(Batch const& batch);
  /// When there are no more rows. Once. Throws ConfigurationError if `only` is no column.
  [[nodiscard]] std::vector<NamedColumn> finish();
  /// After finish(): in the order of its features and labels. Null if they were not wanted.
  [[nodiscard]] statistics::CoMoments const* correlations() const { return co_moments_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// What is left out, in a line each.
  [[nodiscard]] std::vector<std::string> const& notes() const { return notes_; }

 private:
  /// Where the values of a tensor are in a batch.
  enum class Source : std::uint8_t { dense, list_values, list_lengths, label_values, label_lengths, row_lengths };
  struct Tensor {
    std::string role;
    std::vector<std::string> names;  ///< of what finish() returns
    Source source;
    Role dense_role;   ///< of Source::dense
    std::size_t list;  ///< which list
    TensorStatistics statistics;
  };

  /// A column of text.
  struct TextColumn {
    std::string name;
    std::size_t column;
    TextStatistics statistics;
  };

  void add_tensors(BatchReader const& reader);
  void add_texts(BatchReader const& reader);
  void add_lists(BatchLayout const& layout);
  void add_column(Source source, std::string const& name, DType dtype, std::size_t list);
  [[nodiscard]] bool is_wanted(std::string const& name) const;
  void check_only(BatchLayout const& layout) const;
  void plan_correlations(BatchLayout const& layout);
  void add_lengths(Tensor& tensor, std::int64_t const* offsets, std::int64_t parts);
  void add_sparse(Csr const& csr);
  void finish_sparse(std::vector<NamedColumn>& columns);

  StatisticsQuestion question_;
  TaskTeam team_;
  std::vector<Tensor> tensors_;
  std::vector<TextColumn> texts_;
  std::vector<std::string> known_names_;
  std::optional<statistics::SparseColumns> sparse_;
  std::unique_ptr<CorrelationStatistics> correlations_;
  statistics::CoMoments const* co_moments_ = nullptr;
  std::array<std::int64_t, lists_max> list_parts_ = {};
  std::vector<std::int64_t> lengths_;  ///< of a batch
  std::vector<std::string> notes_;
  std::uint64_t rows_ = 0;
};

}  // namespace penstock::app
