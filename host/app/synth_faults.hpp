/// Which records of a dirty kind are bad, and how.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "host/app/synth.hpp"

namespace penstock::app {

/// What --bad says: a share of all records ("1%" or "0.01", nine decimals at most) that is spread evenly over the
/// faults that every reader finds, or a list of faults with their shares: "not_a_number=1%,too_few_fields=0.005".
/// Throws ConfigurationError for anything else, and for a kind whose records cannot be bad.
[[nodiscard]] std::vector<SynthShare> parse_bad_records(SynthKind const& kind, std::string_view text);

/// Draws a fault for every record: a function of seed and record number alone, in which each fault has its share. The
/// first record is always good: readers learn their columns from it.
class SynthFaults {
 public:
  static constexpr std::size_t faults_max = 16;  ///< of a kind

  /// Throws ConfigurationError for shares that do not fit the kind or each other.
  SynthFaults(SynthKind const& kind, std::span<SynthShare const> shares, std::uint64_t seed);

  /// What shall be wrong with the record of that 0-based number; null: nothing.
  [[nodiscard]] SynthFault const* of(std::uint64_t record) const {
    std::uint64_t const drawn = SynthRandom::mix(key_ + record) >> 32;
    Limits const& limits = record % lone_quote_records == lone_quote_records - 1 ? lone_limits_ : limits_;
    if (drawn >= limits[faults_.size()] || record == 0) return nullptr;
    std::size_t i = 0;
    while (drawn >= limits[i + 1]) ++i;
    return &faults_[i];
  }

 private:
  /// A quote that is not closed reaches to the next quote, or as far as a record may be long. So that it costs its line
  /// alone, only the last of so many records has it: their about 7 KiB are more than `--max-record-size 1KiB`.
  static constexpr std::uint32_t lone_quote_records = 128;

  /// Fault i is drawn by numbers of 32 bits from element i up to element i + 1.
  using Limits = std::array<std::uint64_t, faults_max + 1>;

  [[nodiscard]] Limits make_limits(std::span<SynthShare const> shares, std::uint64_t quote_factor) const;

  std::span<SynthFault const> faults_;
  std::uint64_t key_;
  Limits limits_{};
  Limits lone_limits_{};  ///< of the records that may have a quote that is not closed
};

}  // namespace penstock::app
