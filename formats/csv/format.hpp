/// CSV as one of the formats. Its plan comes from host/pipeline/csv_plan.hpp: headers and column lists need names.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/csv/cut.hpp"
#include "formats/csv/decode.hpp"
#include "formats/csv/encode.hpp"
#include "formats/csv/plan.hpp"

namespace penstock::csv {

inline constexpr std::string_view suffixes[] = {".csv", ".tsv"};

struct Format {
  static constexpr FormatInfo info = {"csv", "CSV", suffixes, true, "line"};
  static constexpr bool has_avx2 = true;
  static constexpr bool has_device = true;
  static constexpr bool has_device_texts = true;
  static constexpr bool counts_missing = true;
  /// Any text may be CSV.
  static constexpr bool bears_mark(std::string_view) { return false; }

  using Plan = DecodePlan;
  template <class Isa>
  using Cutter = RecordCutter<Isa>;
  template <class Isa>
  using Decoder = csv::Decoder<Isa>;
  using PlaceCounter = LineCounter;
  static constexpr BatchCapacity record_capacity(Plan const& plan, std::size_t) {
    return {1, 0, 0, 0, 0, {}, plan.layout.keeps_texts ? plan.layout.categories * rewritten_cell_max : 0};
  }

  /// What a line has a place for.
  static constexpr bool holds(Role role) { return role != Role::base_margin; }
  static std::string header(std::span<std::string const> names) { return header_line(names); }
  struct WriteOptions {};
  static constexpr std::span<FormatOption<WriteOptions> const> write_options = {};
  static std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const&, WriteOptions const&) {
    if (layout.labels_vary)
      return Problem{"rows of CSV have the same number of columns, but the number of labels varies",
                     "libsvm, RecordIO and .npz hold lists of labels"};
    if (auto const problem = RowEncoder::unsupported(layout)) return Problem{*problem};
    return std::nullopt;
  }
  struct Writer : RowEncoder {
    Writer(BatchLayout const& layout, WriteOptions const&) : RowEncoder(layout) {}
  };
};

}  // namespace penstock::csv

template <>
struct penstock::FormatAt<0> {
  using Type = csv::Format;
};
