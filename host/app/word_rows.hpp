/// Lines of CSV in which numbers are words again: what `denormalize` writes of columns of text and of classes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/app/command_schema_options.hpp"
#include "host/app/normalizer_file.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/batch.hpp"
#include "penstock/executor.hpp"

namespace penstock::app {

/// A column of the output, made of `count` features from `from` on. A missing code is a missing word.
struct WordColumn {
  enum class Code : std::uint8_t {
    number,   ///< the feature as it is
    place,    ///< the word's place in `words`, from 0
    one_hot,  ///< 1 in the word's place, else 0; all 0: missing
    time,     ///< seconds since 1970
  };
  std::string name;
  Code code = Code::number;
  std::uint32_t from = 0;
  std::uint32_t count = 1;
  std::vector<std::string> words = {};  ///< as they stand in a line, with their quotes
  bool has_other = false;               ///< one place more, of words that are in no vocabulary: they are missing
  normalize::TimeFormat time_format = normalize::TimeFormat::iso;

  /// Places there are.
  [[nodiscard]] std::size_t places() const { return words.size() + (has_other ? 1 : 0); }
};

/// Whether texts that the column took can be told from its features. Of times in float64 alone, for float32 does not
/// tell seconds apart.
[[nodiscard]] bool has_words_back(FittedColumn const& column, DType dtype);

class WordRows {
 public:
  /// The columns of `file` in their order, behind its inverse, and the classes of `schema`, with which it was fitted.
  WordRows(NormalizerFile const& file, LoadedSchema const& schema);

  /// Whether there is any word at all.
  [[nodiscard]] bool is_any() const;
  /// Whether there are texts of times, which features of float64 alone hold.
  [[nodiscard]] bool has_times() const;
  /// Of the columns of features that are written.
  [[nodiscard]] std::vector<std::string> names() const;
  /// As the training data called it; empty if they had no header.
  [[nodiscard]] std::string const& label_name() const { return label_name_; }
  /// What there is to know, one line each.
  [[nodiscard]] std::vector<std::string> notes() const;
  /// The first of `rows` with a number that stands for no word; nothing if there is none. Rows are those that the
  /// normaliser's inverse has made.
  [[nodiscard]] std::optional<RowProblem> problem(Batch const& rows) const;

 private:
  friend class WordEncoder;
  using Classes = std::vector<std::pair<double, std::string>>;

  void take_classes(LoadedSchema const& schema);
  [[nodiscard]] std::optional<RowProblem> problem_of(Batch const& rows, std::size_t row) const;

  std::vector<WordColumn> columns_;
  Classes classes_;  ///< by number, as they stand in a line; none: labels stay numbers
  bool has_ambiguous_classes_ = false;
  std::string label_name_;
};

/// Writes rows without a WordRows::problem(); where there is one a cell is empty.
class WordEncoder final : public Encoder {
 public:
  /// `layout`: which labels, weights and query ids are written, and of which type the features are.
  WordEncoder(std::shared_ptr<WordRows const> words, BatchLayout const& layout);

  [[nodiscard]] std::size_t bytes_max(BatchCapacity const& capacity) const override {
    return capacity.rows * row_bytes_max_;
  }
  std::size_t encode(Batch const& rows, std::byte* into) override;

 private:
  char* put_row(char* into, Batch const& rows, std::size_t row);
  char* put_role(char* into, Batch const& rows, Role role, std::size_t row) const;

  std::shared_ptr<WordRows const> words_;
  BatchLayout layout_;
  bool has_one_column_;
  std::size_t row_bytes_max_ = 0;
  std::string time_;  ///< the text of the cell that is being written
};

}  // namespace penstock::app
