/// Lines of objects to rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/core/lines.hpp"
#include "formats/json/decode.hpp"
#include "formats/objects/guess.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/record.hpp"
#include "formats/objects/survey.hpp"

namespace penstock::objects {

template <class Isa>
class Reader {
 public:
  explicit Reader(Plan const& plan) : plan_(plan), seen_(seen_words(plan.rules.tables)) {}

  void begin(char const* text_end) { guess_.begin_text(text_end); }

  json::Outcome read(char const* at, json::Places const& places) {
    json::Outcome outcome = Record<Guess<Isa>>(plan_.rules, places, guess_, seen_.data()).read(at);
    if (plan_.is_survey && !outcome.is_fault) {
      std::size_t const used = places.used.metadata_bytes;
      SurveyWriter writer(plan_.rules, places.batch.metadata.bytes + used, places.capacity.metadata_bytes - used);
      outcome.taken.metadata_bytes = writer.write(at);
    }
    return outcome;
  }

 private:
  Plan plan_;
  std::vector<std::uint64_t> seen_;
  Guess<Isa> guess_;
};

template <class Isa>
using Decoder = json::LineDecoder<Isa, Reader<Isa>>;

/// Where whole lines end. What is longer than `record_max` is rejected, whatever stands in it.
template <class Isa>
class Cutter final : public LineCutter<Isa> {
 public:
  Cutter(Plan const& /*plan*/, std::size_t record_max) : LineCutter<Isa>(record_max) {}
};

}  // namespace penstock::objects
