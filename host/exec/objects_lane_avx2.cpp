// The decoder of objects compiled for AVX2. Everything that does not name the tag is included before the region, so
// that no shared inline function is compiled for AVX2.
#if defined(__x86_64__)

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/core/number.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"
#include "formats/json/lines.hpp"
#include "formats/json/number.hpp"
#include "formats/json/number_list.hpp"
#include "formats/json/options.hpp"
#include "formats/json/places.hpp"
#include "formats/json/plain_check.hpp"
#include "formats/json/sniff.hpp"
#include "formats/json/words.hpp"
#include "formats/normalize/text_rule.hpp"
#include "formats/objects/no_guess.hpp"
#include "formats/objects/options.hpp"
#include "formats/objects/paths.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/scout.hpp"
#include "formats/objects/short_number.hpp"
#include "formats/objects/survey.hpp"
#include "formats/objects/survey_tree.hpp"
#include "formats/objects/tables.hpp"
#include "formats/objects/texts.hpp"
#include "formats/objects/values.hpp"
#include "formats/objects/words.hpp"
#include "host/exec/avx2.hpp"
#include "host/exec/host_round.hpp"
#include "host/exec/lane_options.hpp"
#include "penstock/error.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#endif

#include "formats/objects/format.hpp"
#include "host/exec/format_lane.hpp"

namespace penstock {

template class FormatLane<Avx2, objects::Format>;
template class objects::Cutter<Avx2>;

}  // namespace penstock

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#include "host/exec/lanes.hpp"

namespace penstock {

template <>
std::unique_ptr<Lane> make_lane_avx2<objects::Format>(objects::Plan const& plan, LaneOptions const& options) {
  return std::make_unique<FormatLane<Avx2, objects::Format>>(plan, options);
}

template <>
std::unique_ptr<Cutter> make_cutter_avx2<objects::Format>(objects::Plan const& plan, std::size_t record_max) {
  return std::make_unique<objects::Cutter<Avx2>>(plan, record_max);
}

}  // namespace penstock

#endif
