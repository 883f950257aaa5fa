#include "host/app/fault_lines.hpp"

#include "host/text/text_format.hpp"

namespace penstock::app {

bool FaultLines::show(FaultReport const& report) {
  if (shown_ == shown_max) return false;
  ++shown_;
  console_.say(summary_of(report) + (report.is_repaired ? "; made missing" : "; rejected"));
  return true;
}

void FaultLines::finish(std::uint64_t faults) const {
  if (faults > shown_) console_.say("... and " + format_count(faults - shown_) + " more");
}

}  // namespace penstock::app
