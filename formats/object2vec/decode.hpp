/// Lines of Object2Vec to rows.
#pragma once

#include <cstddef>

#include "formats/core/lines.hpp"
#include "formats/json/decode.hpp"
#include "formats/object2vec/plan.hpp"
#include "formats/object2vec/record.hpp"

namespace penstock::object2vec {

class Reader {
 public:
  explicit Reader(Plan const& plan) : plan_(plan) {}

  void begin(char const* /*text_end*/) {}
  json::Outcome read(char const* at, json::Places const& places) { return Record(plan_, places).read(at); }

 private:
  Plan plan_;
};

template <class Isa>
using Decoder = json::LineDecoder<Isa, Reader>;

/// Where whole lines end. What is longer than `record_max` is rejected, whatever stands in it.
template <class Isa>
class Cutter final : public LineCutter<Isa> {
 public:
  Cutter(Plan const& /*plan*/, std::size_t record_max) : LineCutter<Isa>(record_max) {}
};

}  // namespace penstock::object2vec
