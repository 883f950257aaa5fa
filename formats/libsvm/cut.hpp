/// Where the whole lines of a buffer end.
#pragma once

#include <cstddef>

#include "formats/core/lines.hpp"
#include "formats/libsvm/plan.hpp"

namespace penstock::libsvm {

template <class Isa>
class Cutter final : public LineCutter<Isa> {
 public:
  /// `record_max`: the most bytes of a line, 1 or more.
  Cutter(Plan const& /*plan*/, std::size_t record_max) : LineCutter<Isa>(record_max) {}
};

}  // namespace penstock::libsvm
