/// Where a loader stands, as a line of JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/loader/epoch_order.hpp"
#include "host/loader/opened_input.hpp"
#include "host/pipeline/record_stream.hpp"

namespace penstock {

struct LoaderState {
  OrderOptions order;
  std::uint64_t epoch = 0;
  std::uint64_t position = 0;  ///< of the next step's first record in the epoch
  std::uint64_t step = 0;      ///< batches of a rank before it
  std::optional<StreamPlace> place;
  std::string options_digest;
  std::uint64_t files = 0, file_bytes = 0;
  std::string files_digest;     ///< of their names and sizes, in order
  std::string modified_digest;  ///< of when they were modified
};

/// With the files' digests.
[[nodiscard]] LoaderState state_of(OpenedInput const& input);
[[nodiscard]] std::string to_json(LoaderState const& state);
/// Throws ConfigurationError for text that is no state.
[[nodiscard]] LoaderState parse_state(std::string_view text);
/// Throws ConfigurationError if order or options differ, SourceError if files do. `now` is of the input at hand.
void check_state(LoaderState const& state, LoaderState const& now, bool allows_modified);

}  // namespace penstock
