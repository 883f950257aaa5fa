/// What a loader says about itself.
#pragma once

#include <string>

#include "penstock/loader.hpp"

namespace penstock {

/// Prometheus' text exposition format 0.0.4.
[[nodiscard]] std::string prometheus_text(LoaderMetrics const& metrics);
/// One line: rates, the time waited, a verdict.
[[nodiscard]] std::string summary_line(LoaderMetrics const& metrics);

}  // namespace penstock
