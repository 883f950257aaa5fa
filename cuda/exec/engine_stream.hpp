/// Streams as an engine's options want them.
#pragma once

#include "cuda/exec/engine.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::cuda {

/// For one more stream of the engine. `track`: of the host's thread that uses it.
inline StreamOptions stream_options(Engine& engine, unsigned track) {
  StreamOptions options;
  options.is_low_priority = engine.options().is_low_priority;
  options.polls = engine.options().polls;
  options.is_timed = engine.options().trace != nullptr;
  options.trace = engine.trace();
  options.track = track;
  return options;
}

}  // namespace penstock::cuda
