/// Object2Vec's JSON lines as one of the formats. Read only.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/json/sniff.hpp"
#include "formats/object2vec/decode.hpp"
#include "formats/object2vec/options.hpp"
#include "formats/object2vec/plan.hpp"
#include "formats/object2vec/scout.hpp"
#include "formats/object2vec/words.hpp"
#include "penstock/batch.hpp"
#include "penstock/fault.hpp"

namespace penstock::object2vec {

inline constexpr std::string_view suffixes[] = {".object2vec.jsonl"};

struct Format {
  static constexpr FormatInfo info = {"object2vec", "Object2Vec JSON lines", suffixes, true, "line"};
  static constexpr bool has_device = true;
  static constexpr bool counts_missing = true;
  static constexpr bool bears_mark(std::string_view head) { return json::sniff(head) == json::Sniffed::object2vec; }

  using Options = object2vec::Options;
  static constexpr std::span<FormatOption<Options> const> options = object2vec::option_list;
  using Plan = object2vec::Plan;
  using Scout = object2vec::Scout;
  template <class Isa>
  using Cutter = object2vec::Cutter<Isa>;
  template <class Isa>
  using Decoder = object2vec::Decoder<Isa>;
  using PlaceCounter = LineCounter;

  /// The shortest token is a digit and a comma.
  static constexpr BatchCapacity record_capacity(Plan const& /*plan*/, std::size_t record_max) {
    return {1, 0, 0, 0, 0, {record_max / 2 + 1, record_max / 2 + 1}};
  }
  static FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
    return object2vec::words_of(fault, plan, record);
  }
};

}  // namespace penstock::object2vec

template <>
struct penstock::FormatAt<5> {
  using Type = object2vec::Format;
};
