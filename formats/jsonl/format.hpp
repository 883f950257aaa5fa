/// Vectors in JSON lines as one of the formats.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/json/sniff.hpp"
#include "formats/jsonl/decode.hpp"
#include "formats/jsonl/encode.hpp"
#include "formats/jsonl/options.hpp"
#include "formats/jsonl/plan.hpp"
#include "formats/jsonl/scout.hpp"
#include "formats/jsonl/words.hpp"
#include "penstock/batch.hpp"
#include "penstock/fault.hpp"

namespace penstock::jsonl {

inline constexpr std::string_view suffixes[] = {".jsonl", ".json", ".ndjson"};

struct Format {
  static constexpr FormatInfo info = {"jsonl", "JSON lines", suffixes, true, "line"};
  static constexpr bool has_avx2 = true;
  static constexpr bool has_device = true;
  static constexpr bool counts_missing = true;
  static constexpr bool bears_mark(std::string_view head) { return json::sniff(head) == json::Sniffed::vectors; }

  using Options = jsonl::Options;
  static constexpr std::span<FormatOption<Options> const> options = jsonl::option_list;
  using Plan = jsonl::Plan;
  using Scout = jsonl::Scout;
  template <class Isa>
  using Cutter = jsonl::Cutter<Isa>;
  template <class Isa>
  using Decoder = jsonl::Decoder<Isa>;
  using PlaceCounter = LineCounter;

  /// A value and its key take at least two bytes each.
  static constexpr BatchCapacity record_capacity(Plan const& plan, std::size_t record_max) {
    std::size_t const pairs = plan.layout.is_sparse ? record_max / 4 + 1 : 0;
    std::size_t const labels = plan.layout.labels_vary ? record_max / 2 + 1 : 0;
    return {1, pairs, labels, 0, 0, {}};
  }
  static std::vector<std::pair<std::string, std::string>> found_options(Plan const& plan) {
    if (!plan.layout.is_sparse || plan.layout.features == 0) return {};
    return {{"num-features", std::to_string(plan.layout.features)}};
  }
  static FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
    return jsonl::words_of(fault, plan, record);
  }

  static constexpr bool holds(Role role) { return role == Role::feature || role == Role::label; }
  static constexpr bool holds_sparse = true;
  using WriteOptions = jsonl::WriteOptions;
  static constexpr std::span<FormatOption<WriteOptions> const> write_options = jsonl::write_option_list;
  static std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const& /*record*/,
                                            WriteOptions const& /*options*/) {
    return Writer::unsupported(layout);
  }
  using Writer = jsonl::Writer;
};

}  // namespace penstock::jsonl

template <>
struct penstock::FormatAt<4> {
  using Type = jsonl::Format;
};
