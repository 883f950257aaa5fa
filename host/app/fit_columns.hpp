/// What a fit gathers about columns of text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/normalize/text_rule.hpp"
#include "host/app/category_counts.hpp"
#include "penstock/batch.hpp"
#include "penstock/error.hpp"

namespace penstock::app {

/// What is gathered of a column of text.
struct TextColumn {
  bool wants_counts = false;
  /// Given: texts that it cannot read are counted.
  std::optional<normalize::TextRule> rule;
};

/// Texts of the columns whose vocabularies are wanted, and whether the others can be read.
class TextColumnCounts {
 public:
  TextColumnCounts(std::vector<TextColumn> columns, std::size_t memory_bytes) : memory_bytes_(memory_bytes) {
    for (TextColumn& column : columns) columns_.push_back({std::move(column), {}, 0, 0, {}});
  }

  /// Throws DeviceError if the texts take more than the memory.
  void add(TextCells const& texts) {
    for (std::size_t column = 0; column < texts.columns; ++column) {
      for (std::size_t row = 0; row < texts.rows; ++row) {
        if (texts.is_missing(row, column))
          ++columns_[column].missing;
        else
          columns_[column].add(texts.at(row, column));
      }
    }
    std::size_t bytes = 0;
    for (Column const& each : columns_) bytes += each.counts.memory_bytes();
    if (bytes > memory_bytes_)
      throw DeviceError("the different texts of the columns to be normalised take more than half of --memory",
                        "a larger --memory, or hash(BITS), which keeps none");
  }
  [[nodiscard]] CategoryCounts const& counts(std::size_t column) const { return columns_[column].counts; }
  [[nodiscard]] std::uint64_t missing(std::size_t column) const { return columns_[column].missing; }
  /// Texts that the column's rule cannot read, and the first of them.
  [[nodiscard]] std::uint64_t unread(std::size_t column) const { return columns_[column].unread; }
  [[nodiscard]] std::string const& first_unread(std::size_t column) const { return columns_[column].first_unread; }

 private:
  struct Column {
    TextColumn wanted;
    CategoryCounts counts;
    std::uint64_t missing;
    std::uint64_t unread;
    std::string first_unread;

    void add(std::string_view text) {
      if (wanted.wants_counts) counts.add(text);
      if (!wanted.rule) return;
      auto const value = normalize::read_text(*wanted.rule, text.data(), text.size());
      if (value.kind == normalize::TextValue::fault && unread++ == 0) first_unread = text;
    }
  };

  std::vector<Column> columns_;
  std::size_t memory_bytes_;
};

}  // namespace penstock::app
