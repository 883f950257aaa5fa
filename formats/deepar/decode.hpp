/// Lines of DeepAR to rows.
#pragma once

#include <cstddef>

#include "formats/core/lines.hpp"
#include "formats/deepar/plan.hpp"
#include "formats/deepar/record.hpp"
#include "formats/json/decode.hpp"
#include "formats/json/plain_numbers.hpp"

namespace penstock::deepar {

template <class Isa>
class Reader {
 public:
  explicit Reader(Plan const& plan) : plan_(plan) {}

  void begin(char const* text_end) { numbers_.begin(text_end); }
  json::Outcome read(char const* at, json::Places const& places) {
    return Record<json::PlainNumbers<Isa>>(plan_, places, numbers_).read(at);
  }

 private:
  Plan plan_;
  json::PlainNumbers<Isa> numbers_;
};

template <class Isa>
using Decoder = json::LineDecoder<Isa, Reader<Isa>>;

/// Where whole lines end. What is longer than `record_max` is rejected, whatever stands in it.
template <class Isa>
class Cutter final : public LineCutter<Isa> {
 public:
  Cutter(Plan const& /*plan*/, std::size_t record_max) : LineCutter<Isa>(record_max) {}
};

}  // namespace penstock::deepar
