/// Lines of vectors to rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/core/lines.hpp"
#include "formats/json/decode.hpp"
#include "formats/json/plain_numbers.hpp"
#include "formats/jsonl/plan.hpp"
#include "formats/jsonl/record.hpp"
#include "penstock/dtype.hpp"

namespace penstock::jsonl {

template <class Isa>
class Reader {
 public:
  explicit Reader(Plan const& plan) : plan_(plan) {}

  void begin(char const* text_end) { numbers_.begin(text_end); }
  json::Outcome read(char const* at, json::Places const& places) {
    switch (plan_.layout.feature_dtype) {
      case DType::float32: return read_as<float>(at, places);
      case DType::float64: return read_as<double>(at, places);
      case DType::int32: return read_as<std::int32_t>(at, places);
      case DType::int64: return read_as<std::int64_t>(at, places);
    }
    return {};
  }

 private:
  template <class T>
  json::Outcome read_as(char const* at, json::Places const& places) {
    return Record<T, json::PlainNumbers<Isa>>(plan_, places, numbers_).read(at);
  }

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

}  // namespace penstock::jsonl
