/// What a format is to everyone else: the words that the host, tests, benchmarks and bindings use for all formats
/// alike. docs/adding-a-format.md walks through one.
///
/// A format is a struct `Format` in its folder's format.hpp, which names
///
///   static constexpr FormatInfo info;             name, title, suffixes
///   static bool bears_mark(std::string_view head) whether these first bytes (mark_bytes_max or all there are) begin
///   such an
///                                                 input without doubt
///   static bool looks_like(std::string_view head) optional: whether an input that nothing else names is most likely
///   such
/// and, if it can be read,
///
///   struct Options;                               what the user can say; its defaults are the format's defaults
///   static constexpr FormatOption<Options> options[];
///   struct Plan;                                  everything a decoder needs, decided once for the whole input, with
///                                                 BatchLayout layout; a plain value. With `bool checks_qid_order` the
///                                                 stream rejects records whose query id is below that of the last good
///                                                 one
///   class Scout;                                  makes the plan: see ScoutExample below
///   template <class Isa> class Cutter;            a penstock::Cutter made of (Plan, record_max)
///   template <class Isa> class Decoder;           made of (Plan): begin(Chunk) and next(...), see DecoderExample;
///                                                 writes Batch::record_begins where they are asked for
///   class PlaceCounter;                           physical units (lines, frames) of a chunk, for messages; text
///   formats
///                                                 take penstock::LineCounter
///   static BatchCapacity record_capacity(Plan const&, std::size_t record_max)
///                                                 the most that one record can become; rows == 1
///   static FaultWords words_of(Fault const&, Plan const&, std::string_view record)
///                                                 `record` is the record's bytes, or what there is of them
///   static std::vector<std::pair<std::string, std::string>> found_options(Plan const&)
///                                                 optional: what the scout found out, as options: who reads a part of
///                                                 the input has to give them
///   static constexpr bool counts_missing          optional: the decoder counts RoundCounts::missing_cells itself
///   static constexpr bool has_avx2                optional: see host/exec/lanes.hpp
/// and, if it can be written,
///
///   struct WriteOptions;  static constexpr FormatOption<WriteOptions> write_options[];
///   static std::optional<Problem> unsupported(BatchLayout const&, BatchCapacity const& record, WriteOptions const&)
///                                                 why rows of this layout, none larger than `record`, cannot be
///                                                 written
///   static constexpr bool holds(Role)             optional: roles besides features and labels that rows have a place
///   for static constexpr bool holds_sparse, holds_texts   optional: CSR features; uid and metadata static constexpr
///   bool lists_pairs             optional: rows are lists of pairs, so that the number of features need
///                                                 not be known, and dense rows list every cell
///   static std::string header(names)              optional: the line of column names that an output may begin with
///   class Writer;                                 a penstock::Encoder made of (BatchLayout, WriteOptions)
///
/// and makes itself known with `template <> struct penstock::FormatAt<N> { using Type = Format; };`, where N is its
/// place in lists and taken by no other. formats/formats.hpp includes its format.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "penstock/batch.hpp"
#include "penstock/chunk.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock {

/// Bytes of an input's head that a format may ask for to recognise itself.
inline constexpr std::size_t mark_bytes_max = 1024;

struct FormatInfo {
  std::string_view name;                       ///< of --from and --to: lower case
  std::string_view title;                      ///< for people
  std::span<std::string_view const> suffixes;  ///< of file names, with the dot; the first is the usual one
  bool is_text = true;                         ///< records end with line ends; else bytes are shown in hex
  std::string_view unit = "line";              ///< what messages count
};

/// An option that a format adds to the command line: `--name argument`.
template <class Options>
struct FormatOption {
  std::string_view name;
  std::string_view argument;  ///< what help calls the value: `auto|0|1`; empty for a flag, which is set with "true"
  std::string_view help;
  bool (*set)(Options& options, std::string_view value);  ///< false: the value is none of those in `argument`
};

/// Why something cannot be done, and what the user can do about it.
struct Problem {
  std::string message;
  std::string hint = {};
};

/// A fault in words; all of them parts of sentences without a full stop.
struct FaultWords {
  std::string subject;   ///< which part of the record: `pair 3 (index 17)`, `label`, `features`; may be empty
  std::string expected;  ///< replaces the general words of the code (`expected a number`) if not empty
  std::string found;     ///< what stands there, if the cell's own bytes do not say it best; may be empty
  std::string remedy;    ///< the options that change it; may be empty
};

/// What a scout is told about the run.
struct ScoutContext {
  std::size_t record_max = 0;  ///< bytes
  bool is_read_twice = false;  ///< the whole input can be looked at before it is decoded
  bool needs_width = false;    ///< the output has a shape: the number of features must be known
};

/// Scouts look at an input before it is decoded. The host calls, in this order:
///   Scout(Options, ScoutContext)
///   look(Chunk) with the input's first chunks until it returns true: the first record was seen, whatever its worth;
///   problem(): an input that cannot be planned ends here;
///   and if wants_survey(): survey_plan(), whose rows, decoded under the user's fault policy, all go to see(Batch);
///   problem() again, then plan(), notes().
struct ScoutExample {
  struct Plan;
  bool look(Chunk const& chunk);
  [[nodiscard]] std::vector<Problem> problem() const;  ///< empty, or one
  [[nodiscard]] bool wants_survey() const;
  [[nodiscard]] Plan survey_plan() const;
  void see(Batch const& rows);
  [[nodiscard]] Plan plan() const;
  /// Optional. Though look() found no first record, there are records, and plan() is one by which their faults are
  /// told.
  [[nodiscard]] bool has_records() const;
  [[nodiscard]] std::vector<std::string> notes() const;  ///< what was assumed, for people: "index base: 1 (found out)"
};

/// A format whose records say something together that none says alone names a Watch, which is shown all rows, in order,
/// of an input that is read whole.
struct WatchExample {
  explicit WatchExample(ScoutExample::Plan const& plan);
  void see(Batch const& rows);
  [[nodiscard]] std::vector<Problem> problem() const;  ///< empty, or one, when all was shown
};

/// Decoders turn chunks into rows, in rounds. They take their memory when they are made.
struct DecoderExample {
  void begin(Chunk const& chunk);
  /// Fills `batch` from its first row on and never beyond `capacity`; csr.indptr[0] and the first offsets are 0. Ends
  /// early where the faults' room (one is there at the start) is used up. A record with a fault leaves no trace in the
  /// batch. What comes out of all rounds together does not depend on the capacity.
  Decoded next(Batch const& batch, BatchCapacity const& capacity, FaultLog& faults, RoundCounts& counts);
};

/// The format at a place of the list; places without one are incomplete types.
template <int place>
struct FormatAt;
inline constexpr int format_places = 32;

}  // namespace penstock
