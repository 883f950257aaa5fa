/// Synthetic training data: the same bytes for the same kind, seed and length on every machine.
///
/// A kind makes records one after another from a counter-based integer generator. Records are grouped in
/// blocks of a fixed number of rows, and each block has a generator of its own, keyed by (seed, block). So
/// blocks can be made by any number of threads in any order, and the bytes never depend on that.
/// Numbers come from integers and tables; where floating-point arithmetic takes part, every result is exact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/fault.hpp"
#include "penstock/sink.hpp"

namespace penstock::app {

/// 64-bit random integers: a counter stepped by the golden ratio and mixed ("SplitMix64": Steele, Lea and
/// Flood, Fast splittable pseudorandom number generators, 2014). Each value costs two multiplications, and
/// none waits for the one before.
class SynthRandom {
 public:
  SynthRandom(std::uint64_t seed, std::uint64_t block) : counter_(mix(mix(seed) + block)) {}
  std::uint64_t next() { return mix(counter_ += 0x9e3779b97f4a7c15u); }

  /// A bijection of 64 bits whose output bits each depend on all input bits.
  static constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

 private:
  std::uint64_t counter_;
};

/// Writes one record, line end included, to `out` and returns the end. It may scribble over up to
/// `synth_slack_bytes` after that end (whole words are stored and only partly kept).
using SynthRecord = char* (*)(SynthRandom& random, char* out);
inline constexpr std::size_t synth_slack_bytes = 16;

/// A way in which records of a kind can be bad.
struct SynthFault {
  FaultCode code;
  /// Options of the reader without which it is no fault; a share for all kinds of faults then leaves it out.
  std::string_view reader_options;
};

/// Which record a SynthDirtyRecord writes.
struct SynthPlace {
  std::uint64_t record;     ///< its 0-based number in the whole output
  SynthFault const* fault;  ///< what shall be wrong with it, and nothing else; null: nothing
};
/// As SynthRecord. It takes as many numbers from `random` whatever the fault: other records do not depend on it.
using SynthDirtyRecord = char* (*)(SynthRandom& random, SynthPlace place, char* out);

/// One kind of data. A new kind is a function that returns one and an entry in the list behind synth_kinds().
struct SynthKind {
  std::string_view name;
  std::string_view description;  ///< for help
  std::string_view header;       ///< the header record with its line end; empty if the format has none
  std::size_t block_rows;        ///< rows that share a generator: part of what defines the bytes
  std::size_t record_bytes_max;  ///< no record is longer, line end included
  SynthRecord record;            ///< null if records can be bad
  SynthDirtyRecord dirty_record = nullptr;
  std::span<SynthFault const> faults = {};  ///< empty if records cannot be bad
  bool is_binary = false;                   ///< nothing for a terminal
};

/// All kinds, in the order in which help lists them.
[[nodiscard]] std::span<SynthKind const> synth_kinds();

/// The kind of that name. Throws ConfigurationError with the kinds, and a near miss, as its hint.
[[nodiscard]] SynthKind const& synth_kind(std::string_view name);

/// The share of records that shall have a fault. Shares are counted in parts of synth_share_one.
struct SynthShare {
  FaultCode code;
  std::uint32_t share;
};
inline constexpr std::uint32_t synth_share_one = 1'000'000'000;

/// What to make: either `rows` records, or (`size_bytes_min`) whole records until the output, header
/// included, holds at least that many bytes. Exactly one of the two is not 0.
struct SynthOptions {
  std::string kind;
  std::uint64_t seed = 1;
  std::uint64_t size_bytes_min = 0;
  std::uint64_t rows = 0;            ///< records, the header not counted
  bool header = false;               ///< begin with a record of column names
  std::vector<SynthShare> bad = {};  ///< each code once; which records they are: host/app/synth_faults.hpp
};

/// What was made.
struct SynthSummary {
  std::uint64_t records = 0;       ///< the header not counted
  std::vector<std::uint64_t> bad;  ///< records with each of SynthKind::faults
};

/// Writes the data to `sink`, in order, and leaves commit() to the caller. `threads` make blocks while the
/// calling thread writes (0: one per processor; 1: the calling thread makes them too). Memory: two blocks
/// a thread, a few MiB in all, and more where many records are too long. Throws ConfigurationError for options that
/// make no sense, InterruptedError between two blocks once a signal arrived, and whatever the sink throws.
SynthSummary synthesize(SynthOptions const& options, Sink& sink, unsigned threads);

/// One whole block (block_rows records, no header) of an endless output of the options' kind, seed and bad records; its
/// length and header do not count. Throws ConfigurationError as synthesize().
[[nodiscard]] std::string synthesize_block(SynthOptions const& options, std::uint64_t block);
[[nodiscard]] std::string synthesize_block(std::string_view kind, std::uint64_t seed, std::uint64_t block);

}  // namespace penstock::app
