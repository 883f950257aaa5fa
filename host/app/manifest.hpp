/// `_NAME.manifest.json` beside an output: what it was made of and how, for whoever has to make the same features
/// again.
#pragma once

#include "host/app/command_convert_report.hpp"
#include "host/app/command_convert_target.hpp"
#include "host/app/normalization.hpp"
#include "host/app/options.hpp"

namespace penstock::app {

struct Manifest {
  Arguments const& arguments;
  Conversion const& conversion;
  Outcome const& outcome;
  Normalization const& normalization;
};

/// Throws SinkError if there is such a file and it may not be replaced.
void check_manifest(Target const& target);
/// One line of JSON: the inputs, the output's format, rows and features by name, the normaliser's digest and file, the
/// schema's digest, and the options that were given. Nothing for an output without a file of its own.
void write_manifest(Manifest const& manifest);

}  // namespace penstock::app
