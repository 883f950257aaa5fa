/// JSON lines whose keys become columns, as one of the formats.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/json/sniff.hpp"
#include "formats/objects/decode.hpp"
#include "formats/objects/options.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/scout.hpp"
#include "formats/objects/tables.hpp"
#include "formats/objects/words.hpp"
#include "penstock/batch.hpp"
#include "penstock/fault.hpp"

namespace penstock::objects {

inline constexpr std::string_view suffixes[] = {".objects.jsonl"};

struct Format {
  static constexpr FormatInfo info = {"objects", "JSON objects", suffixes, true, "line"};
  static constexpr bool has_avx2 = true;
  static constexpr bool has_device = true;
  static constexpr bool counts_missing = true;
  static constexpr bool bears_mark(std::string_view head) { return json::sniff(head) == json::Sniffed::objects; }

  using Options = objects::Options;
  static constexpr std::span<FormatOption<Options> const> options = objects::option_list;
  using Plan = objects::Plan;
  using Scout = objects::Scout;
  template <class Isa>
  using Cutter = objects::Cutter<Isa>;
  template <class Isa>
  using Decoder = objects::Decoder<Isa>;
  using PlaceCounter = LineCounter;

  static BatchCapacity record_capacity(Plan const& plan, std::size_t record_max) {
    std::size_t const text_bytes = plan.layout.keeps_texts ? plan.layout.categories * text_bytes_max : 0;
    return {1, 0, 0, 0, plan.is_survey ? record_max : 0, {}, text_bytes};
  }
  /// The columns of an input that was surveyed, texts among them.
  static std::vector<std::pair<std::string, std::string>> found_options(Plan const& plan) {
    if (!plan.was_surveyed) return {};
    std::string list;
    for (Role const role : {Role::feature, Role::category})
      for (std::string const& name : objects::names_of(plan, role)) list += (list.empty() ? "" : ",") + name;
    return {{"columns", list}};
  }
  static std::vector<std::string> names(Plan const& plan, Role role) { return objects::names_of(plan, role); }
  static FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
    return objects::words_of(fault, plan, record);
  }
};

}  // namespace penstock::objects

template <>
struct penstock::FormatAt<6> {
  using Type = objects::Format;
};
