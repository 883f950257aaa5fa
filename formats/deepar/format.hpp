/// DeepAR's JSON lines as one of the formats.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/deepar/decode.hpp"
#include "formats/deepar/encode.hpp"
#include "formats/deepar/options.hpp"
#include "formats/deepar/plan.hpp"
#include "formats/deepar/scout.hpp"
#include "formats/deepar/watch.hpp"
#include "formats/deepar/words.hpp"
#include "formats/json/sniff.hpp"
#include "penstock/batch.hpp"
#include "penstock/fault.hpp"

namespace penstock::deepar {

inline constexpr std::string_view suffixes[] = {".deepar.json", ".deepar.jsonl"};

struct Format {
  static constexpr FormatInfo info = {"deepar", "DeepAR JSON lines", suffixes, true, "line"};
  static constexpr bool has_avx2 = true;
  static constexpr bool has_device = true;
  static constexpr bool counts_missing = true;
  static constexpr bool bears_mark(std::string_view head) { return json::sniff(head) == json::Sniffed::deepar; }

  using Options = deepar::Options;
  static constexpr std::span<FormatOption<Options> const> options = deepar::option_list;
  using Plan = deepar::Plan;
  using Scout = deepar::Scout;
  using Watch = deepar::Watch;
  template <class Isa>
  using Cutter = deepar::Cutter<Isa>;
  template <class Isa>
  using Decoder = deepar::Decoder<Isa>;
  using PlaceCounter = LineCounter;

  /// The shortest value is a digit and a comma.
  static constexpr BatchCapacity record_capacity(Plan const& plan, std::size_t record_max) {
    BatchCapacity capacity = {1, 0, 0, 0, 0, {}};
    for (std::size_t i = 0; i < lists_max; ++i) {
      if (plan.layout.lists[i].role != ListRole::none) capacity.list_values[i] = record_max / 2 + 1;
    }
    return capacity;
  }
  static FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
    return deepar::words_of(fault, plan, record);
  }

  static constexpr bool holds(Role role) { return role == Role::start || role == Role::cat; }
  static constexpr bool holds_lists = true;
  using WriteOptions = deepar::WriteOptions;
  static constexpr std::span<FormatOption<WriteOptions> const> write_options = deepar::write_option_list;
  static std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const& /*record*/,
                                            WriteOptions const& /*options*/) {
    return Writer::unsupported(layout);
  }
  using Writer = deepar::Writer;
};

}  // namespace penstock::deepar

template <>
struct penstock::FormatAt<3> {
  using Type = deepar::Format;
};
