/// libsvm as one of the formats.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/libsvm/cut.hpp"
#include "formats/libsvm/decode.hpp"
#include "formats/libsvm/encode.hpp"
#include "formats/libsvm/options.hpp"
#include "formats/libsvm/plan.hpp"
#include "formats/libsvm/scout.hpp"
#include "formats/libsvm/words.hpp"

namespace penstock::libsvm {

inline constexpr std::string_view suffixes[] = {".libsvm", ".svm", ".svmlight"};

struct Format {
  static constexpr FormatInfo info = {"libsvm", "libsvm", suffixes, true, "line"};
  static constexpr bool has_avx2 = true;
  static constexpr bool has_device = true;
  /// A line of numbers and colons may be something else.
  static constexpr bool bears_mark(std::string_view) { return false; }

  /// A first line of a number and then `index:` or `qid:`. Comments are not looked through.
  static constexpr bool looks_like(std::string_view head) {
    std::size_t const label = head.find_first_not_of("0123456789+-.eE:,");
    if (label == 0 || label == std::string_view::npos || (head[label] != ' ' && head[label] != '\t')) return false;
    std::string_view rest = head.substr(label);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.starts_with("qid:")) return true;
    std::size_t const index = rest.find_first_not_of("0123456789");
    return index != 0 && index != std::string_view::npos && rest[index] == ':';
  }

  using Options = libsvm::Options;
  static constexpr std::span<FormatOption<Options> const> options = libsvm::option_list;
  using Plan = libsvm::Plan;
  using Scout = libsvm::Scout;
  template <class Isa>
  using Cutter = libsvm::Cutter<Isa>;
  template <class Isa>
  using Decoder = libsvm::Decoder<Isa>;
  using PlaceCounter = LineCounter;

  static constexpr BatchCapacity record_capacity(Plan const& plan, std::size_t record_max) {
    std::size_t const labels =
        plan.layout.labels_vary ? record_max + 1 : 0;  // a list of commas is found out at its end
    return {1, pairs_max(record_max, plan.items.syntax), labels, 0, 0};
  }
  static std::vector<std::pair<std::string, std::string>> found_options(Plan const& plan) {
    std::vector<std::pair<std::string, std::string>> found = {{"index-base", std::to_string(plan.items.base)}};
    if (plan.layout.features != 0) found.emplace_back("num-features", std::to_string(plan.layout.features));
    return found;
  }
  static FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
    return libsvm::words_of(fault, plan, record);
  }

  /// What a line has a place for.
  static constexpr bool holds(Role role) { return role != Role::base_margin; }
  static constexpr bool holds_sparse = true;
  static constexpr bool lists_pairs = true;
  using WriteOptions = libsvm::WriteOptions;
  static constexpr std::span<FormatOption<WriteOptions> const> write_options = libsvm::write_option_list;
  static std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const& /*record*/,
                                            WriteOptions const& wanted) {
    return Writer::unsupported(layout, wanted);
  }
  using Writer = libsvm::Writer;
};

}  // namespace penstock::libsvm

template <>
struct penstock::FormatAt<1> {
  using Type = libsvm::Format;
};
