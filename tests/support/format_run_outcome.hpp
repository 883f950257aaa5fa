/// What a run of a format's cutter and decoder brings forth, in a form that compares and prints.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "penstock/batch.hpp"
#include "penstock/executor.hpp"
#include "penstock/fault.hpp"

namespace penstock::testing {

/// What must not show in what comes out.
struct RunSizes {
  std::size_t buffer_bytes = 4096;  ///< 1 or more; a record that needs more gets it
  std::size_t rejects_max = 8;      ///< 1 or more, a cut
  BatchCapacity capacity = {16,  256,        32, 256,
                            256, {256, 256}, 0};  ///< a round's; a record that needs more gets it, alone
  std::size_t faults_max = 4;                     ///< 1 or more, a round
  char poison = '\x5a';                           ///< stands in padding, and in memory that was not written yet
};

inline std::string name_of(RunSizes const& s) {
  std::ostringstream text;
  text << "buffers of " << s.buffer_bytes << ", " << s.rejects_max << " rejects, rounds of " << s.capacity.rows
       << " rows, " << s.capacity.pairs << " pairs, " << s.capacity.labels << " labels, " << s.capacity.uid_bytes
       << " and " << s.capacity.metadata_bytes << " bytes, " << s.capacity.list_values[0] << " and "
       << s.capacity.list_values[1] << " list values, " << s.faults_max << " faults, poison "
       << static_cast<int>(s.poison);
  return text.str();
}

/// One accepted record. Values are bits, zero-extended.
struct RunRow {
  std::vector<std::uint64_t> features;
  std::vector<std::int64_t> indices;
  std::vector<std::uint64_t> values;
  std::vector<std::uint64_t> labels;  ///< of the dense or the ragged label
  std::optional<std::uint64_t> weight;
  std::optional<std::uint64_t> qid;
  std::optional<std::uint64_t> base_margin;
  std::string uid;
  std::string metadata;
  std::optional<std::uint64_t> start;
  std::vector<std::uint64_t> cat;
  std::vector<std::uint64_t> categories;
  std::vector<std::optional<std::string>> texts;  ///< of the columns of text that are kept; nothing: missing
  std::array<std::vector<std::uint64_t>, lists_max> lists;
  bool operator==(RunRow const&) const = default;
};

/// One fault; offsets count bytes of the shard.
struct RunFault {
  FaultCode code = FaultCode::not_a_number;
  bool is_repaired = false;
  std::uint32_t shard = 0;
  std::uint64_t record_begin = 0;
  std::uint64_t cell_begin = 0;
  std::uint64_t cell_end = 0;
  std::uint32_t column = 0;
  std::uint64_t rows_before = 0;  ///< of the whole run
  std::string record;             ///< the record's bytes, or the rejected ones, from all chunks
  bool operator==(RunFault const&) const = default;
};

struct FormatRun {
  BatchLayout layout;
  std::vector<RunRow> rows;
  std::vector<RunFault> faults;
  RoundCounts counts;

  bool operator==(FormatRun const& other) const {
    auto const sums = [](RoundCounts const& c) {
      return std::tuple(c.missing_cells, c.inexact_integers, c.lines, c.other_entries);
    };
    return layout == other.layout && rows == other.rows && faults == other.faults && sums(counts) == sums(other.counts);
  }
};

// --- words ---------------------------------------------------------------------------------------------------------

template <class T>
void put_list(std::ostream& out, std::string_view name, std::vector<T> const& list) {
  if (list.empty()) return;
  out << " " << name;
  std::size_t const shown = std::min<std::size_t>(list.size(), 64);
  for (std::size_t i = 0; i < shown; ++i) {
    if constexpr (std::is_signed_v<T>)
      out << " " << list[i];
    else
      out << " " << std::hex << list[i] << std::dec;
  }
  if (shown < list.size()) out << " ... (" << list.size() << ")";
}

inline std::string words(RunRow const& row) {
  std::ostringstream out;
  out << "row";
  put_list(out, "features", row.features);
  put_list(out, "indices", row.indices);
  put_list(out, "values", row.values);
  put_list(out, "labels", row.labels);
  auto const put = [&](std::string_view name, std::optional<std::uint64_t> value) {
    if (value) out << " " << name << " " << std::hex << *value << std::dec;
  };
  put("weight", row.weight);
  put("qid", row.qid);
  put("base_margin", row.base_margin);
  put("start", row.start);
  put_list(out, "cat", row.cat);
  put_list(out, "categories", row.categories);
  for (auto const& text : row.texts) out << (text ? " text \"" + *text + "\"" : " no text");
  for (auto const& list : row.lists) put_list(out, "list", list);
  if (!row.uid.empty()) out << " uid \"" << row.uid << "\"";
  if (!row.metadata.empty()) out << " metadata \"" << row.metadata << "\"";
  return out.str();
}

inline std::string printable(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (char const c : bytes.substr(0, 200)) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte >= 32 && byte < 127)
      text += c;
    else
      text += std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
  }
  return bytes.size() <= 200 ? text : text + "... (" + std::to_string(bytes.size()) + " bytes)";
}

inline std::string words(RunFault const& f) {
  std::ostringstream out;
  out << (f.is_repaired ? "repair" : "fault") << " code " << static_cast<int>(f.code) << " record at " << f.record_begin
      << " cell " << f.cell_begin << ".." << f.cell_end << " column " << f.column << " after " << f.rows_before
      << " rows, shard " << f.shard << ": \"" << printable(f.record) << "\"";
  return out.str();
}

inline std::string words(RoundCounts const& c) {
  std::ostringstream out;
  out << "missing " << c.missing_cells << " inexact " << c.inexact_integers << " lines " << c.lines << " other entries "
      << c.other_entries;
  return out.str();
}

template <class T>
std::string list_difference(std::string_view what, std::vector<T> const& expected, std::vector<T> const& found) {
  for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
    bool const is_same = i < expected.size() && i < found.size() && expected[i] == found[i];
    if (is_same) continue;
    return std::string(what) + " " + std::to_string(i) + ":\n  expected " +
           (i < expected.size() ? words(expected[i]) : "none") + "\n  found    " +
           (i < found.size() ? words(found[i]) : "none") + "\n";
  }
  return {};
}

/// The first differences in words; empty if there is none: EXPECT_EQ(difference(a, b), "").
inline std::string difference(FormatRun const& expected, FormatRun const& found) {
  if (expected == found) return {};
  std::string text = list_difference("row", expected.rows, found.rows);
  text += list_difference("fault", expected.faults, found.faults);
  std::string const counts = words(expected.counts), found_counts = words(found.counts);
  if (counts != found_counts) text += "counts:\n  expected " + counts + "\n  found    " + found_counts + "\n";
  return text.empty() ? "the layouts differ\n" : text;
}

inline void PrintTo(FormatRun const& run, std::ostream* out) {
  *out << run.rows.size() << " rows, " << run.faults.size() << " faults, " << words(run.counts);
  for (std::size_t i = 0; i < std::min<std::size_t>(run.rows.size(), 20); ++i) *out << "\n" << words(run.rows[i]);
  for (std::size_t i = 0; i < std::min<std::size_t>(run.faults.size(), 20); ++i) *out << "\n" << words(run.faults[i]);
}

}  // namespace penstock::testing
