/// The words of CSV's faults.
#pragma once

#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/fault_report.hpp"
#include "penstock/fault.hpp"

namespace penstock {

/// Adds what a CSV fault's column says: its name, its role, and the options that change it.
void explain_csv_fault(Fault const& fault, CsvPlan const& plan, FaultReport& report);

}  // namespace penstock
