/// Where a record's values go, and what became of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/json/grammar.hpp"
#include "penstock/batch.hpp"
#include "penstock/fault.hpp"

namespace penstock::json {

/// Memory for one more record: everything behind the first `used` of the batch, up to its capacity. Values that do not
/// fit are read and counted all the same.
struct Places {
  Batch batch;
  BatchCapacity used;  ///< `rows` is the record's row
  BatchCapacity capacity;
};

/// What a record has become.
struct Outcome {
  bool is_fault = false;
  /// Values found no place and were not looked at: a fault behind them may not be the first, so the record is to be
  /// read again with the room that `taken` says.
  bool lacks_room = false;
  FaultCode code = FaultCode::malformed_json;
  std::uint32_t detail = 0;  ///< goes to Fault::column: an Error, a Wanted, or what the format says
  char const* cell_begin = nullptr;
  char const* cell_end = nullptr;
  char const* end = nullptr;                  ///< the line's end, unless it is at fault
  BatchCapacity taken = {1, 0, 0, 0, 0, {}};  ///< of all that varies in number
  std::uint32_t missing = 0;
  std::uint32_t inexact_integers = 0;

  /// False, for the caller to return.
  PENSTOCK_HD bool fail(FaultCode why, char const* begin, char const* finish, std::uint32_t more) {
    is_fault = true;
    code = why;
    detail = more;
    cell_begin = begin;
    cell_end = finish;
    return false;
  }
  /// The text is no JSON.
  PENSTOCK_HD bool fail(Found place) {
    bool const is_deep = place.error == Error::too_deep;
    bool const has_byte = !ends_line(*place.at);
    return fail(is_deep ? FaultCode::nested_too_deep : FaultCode::malformed_json, place.at,
                place.at + (has_byte ? 1 : 0), static_cast<std::uint32_t>(place.error));
  }
};

}  // namespace penstock::json
