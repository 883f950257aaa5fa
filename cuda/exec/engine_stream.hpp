/// Streams as an engine's options want them.
#pragma once

#include "cuda/exec/engine.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::cuda {

/// For one more stream of the engine, with a line of its own in traces.
inline StreamOptions stream_options(Engine& engine) {
  StreamOptions options;
  options.is_low_priority = engine.options().is_low_priority;
  options.polls = engine.options().polls;
  options.is_timed = engine.options().trace != nullptr;
  options.trace = engine.trace();
  options.track = engine.take_track();
  return options;
}

}  // namespace penstock::cuda
