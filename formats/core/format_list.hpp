/// Walking over the formats that formats/formats.hpp includes.
#pragma once

#include <utility>

#include "formats/core/format.hpp"

namespace penstock {

template <int place>
concept HasFormat = requires {
  typename FormatAt<place>::Type;
};

template <class Format>
concept IsRead = requires {
  typename Format::Plan;
};

template <class Format>
concept IsWritten = requires {
  typename Format::Writer;
};

namespace detail {
template <int place, class Visit>
void visit_format_at(Visit& visit) {
  if constexpr (HasFormat<place>) visit.template operator()<typename FormatAt<place>::Type>();
}
template <class Visit, int... places>
void visit_formats(Visit& visit, std::integer_sequence<int, places...>) {
  (visit_format_at<places>(visit), ...);
}
}  // namespace detail

/// Calls `visit.template operator()<Format>()` for each format, in the order of the list. Include formats/formats.hpp
/// first.
template <class Visit>
void for_each_format(Visit visit) {
  detail::visit_formats(visit, std::make_integer_sequence<int, format_places>{});
}

}  // namespace penstock
