/// What a fit gathers about columns from the rows of a pass, in the rows' order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "formats/normalize/text_rule.hpp"
#include "formats/statistics/quantiles.hpp"
#include "formats/statistics/tile.hpp"
#include "host/app/category_counts.hpp"
#include "host/app/normalize_spec.hpp"
#include "host/app/tile_rows.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/tile_summary.hpp"
#include "penstock/batch.hpp"
#include "penstock/error.hpp"

namespace penstock::app {

using statistics::BasicQuantiles;

/// Of the dense features, of which only some have quantiles that anybody asks for.
class NumberColumns {
 public:
  NumberColumns(DType dtype, std::vector<TransformSpec> const& specs, bool is_exact)
      : dtype_(dtype), tiles_(dtype, specs.size()), tile_(specs.size()), summaries_(specs.size()) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (!specs[i].needs_quantiles()) continue;
      quantiles_.push_back({i, is_exact});
    }
  }

  void add(Dense const& features) {
    tiles_.add(features, [this](std::byte const* values, std::size_t rows) { add_tile(values, rows); });
  }
  void finish() {
    tiles_.finish([this](std::byte const* values, std::size_t rows) { add_tile(values, rows); });
    for (Ordered& each : quantiles_) each.visit([](auto& quantiles) { quantiles.finish(); });
  }
  [[nodiscard]] statistics::Summary const& summary(std::size_t column) const { return summaries_[column]; }
  [[nodiscard]] double quantile(std::size_t column, double share) {
    auto const found = std::ranges::find(quantiles_, column, &Ordered::column);
    double value = 0;
    found->visit([&](auto& quantiles) { value = quantiles.quantile(share); });
    return value;
  }
  [[nodiscard]] bool is_exact() const {
    return std::ranges::all_of(quantiles_, [](Ordered const& each) {
      return each.narrow != nullptr ? each.narrow->is_exact() : each.wide->is_exact();
    });
  }

 private:
  /// Of a column; float32 columns keep their values as such.
  struct Ordered {
    Ordered(std::size_t of, bool is_exact) : column(of), exact(is_exact) {}
    std::size_t column;
    bool exact;
    std::unique_ptr<BasicQuantiles<float>> narrow;
    std::unique_ptr<BasicQuantiles<double>> wide;

    template <class T, class U>
    void add(U const* values, std::size_t rows, std::size_t stride) {
      auto& quantiles = pick<T>();
      if (quantiles == nullptr)
        quantiles = std::make_unique<BasicQuantiles<T>>(exact ? statistics::exact_values_all
                                                              : statistics::exact_values_default);
      quantiles->add_tile(values + column, rows, stride);
    }
    template <class T>
    auto& pick() {
      if constexpr (std::is_same_v<T, float>)
        return narrow;
      else
        return wide;
    }
    template <class Use>
    void visit(Use use) {
      if (narrow != nullptr) return use(*narrow);
      if (wide == nullptr) wide = std::make_unique<BasicQuantiles<double>>();
      use(*wide);
    }
  };

  void add_tile(std::byte const* values, std::size_t rows) {
    switch (dtype_) {
      case DType::float64: return add_values<double>(reinterpret_cast<double const*>(values), rows);
      case DType::int32: return add_values<double>(reinterpret_cast<std::int32_t const*>(values), rows);
      case DType::int64: return add_values<double>(reinterpret_cast<std::int64_t const*>(values), rows);
      case DType::float32: return add_values<float>(reinterpret_cast<float const*>(values), rows);
    }
  }
  template <class T, class U>
  void add_values(U const* values, std::size_t rows) {
    std::size_t const columns = summaries_.size();
    if constexpr (std::is_same_v<U, float>)
      summarize_tile(isa_, values, rows, columns, columns, tile_.data());
    else
      statistics::summarize_tile(values, rows, columns, columns, tile_.data());
    for (std::size_t i = 0; i < columns; ++i) summaries_[i] = statistics::merged(summaries_[i], tile_[i]);
    for (Ordered& each : quantiles_) each.add<T>(values, rows, columns);
  }

  DType dtype_;
  InstructionSet isa_ = best_instruction_set();
  TileRows tiles_;
  std::vector<statistics::Summary> tile_, summaries_;
  std::vector<Ordered> quantiles_;
};

/// Of sparse features what max-abs needs, which no order of rows changes: the least and the greatest value of each.
class SparseColumns {
 public:
  void add(Csr const& csr) {
    if (csr.dtype == DType::float64) return add_pairs<double>(csr);
    if (csr.dtype == DType::float32) return add_pairs<float>(csr);
    if (csr.dtype == DType::int32) return add_pairs<std::int32_t>(csr);
    add_pairs<std::int64_t>(csr);
  }
  /// `columns` are all that there are.
  [[nodiscard]] statistics::Summary summary(std::size_t column) const {
    statistics::Summary summary;
    if (column >= columns_.size()) return summary;
    Range const& range = columns_[column];
    summary.moments.count = range.count;
    summary.least = range.least;
    summary.greatest = range.greatest;
    return summary;
  }

 private:
  struct Range {
    std::uint64_t count = 0;
    double least = 0, greatest = 0;
  };
  template <class T>
  void add_pairs(Csr const& csr) {
    Extent const pairs = csr.pairs();
    for (std::size_t k = pairs.begin; k < pairs.end; ++k) {
      auto const column = static_cast<std::size_t>(csr.indices[k]);
      double const x = static_cast<double>(csr.values_as<T>()[k]) + 0.0;
      if (x - x != 0) continue;  // missing or infinite
      if (column >= columns_.size()) columns_.resize(column + 1);
      Range& range = columns_[column];
      range.least = range.count == 0 ? x : std::min(range.least, x);
      range.greatest = range.count == 0 ? x : std::max(range.greatest, x);
      ++range.count;
    }
  }
  std::vector<Range> columns_;
};

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
