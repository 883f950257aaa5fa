/// Everything that a user sees of a stream, kept for comparison.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/record_stream.hpp"
#include "penstock/batch.hpp"
#include "penstock/error.hpp"

namespace penstock::testing {

/// Chooses the instruction set of streams that are made while it lives.
class InstructionSetScope {
 public:
  explicit InstructionSetScope(bool is_portable) {
    if (char const* const before = std::getenv(name)) before_ = before;
    if (is_portable) ::setenv(name, "portable", 1);
  }
  ~InstructionSetScope() {
    if (before_.empty())
      ::unsetenv(name);
    else
      ::setenv(name, before_.c_str(), 1);
  }
  InstructionSetScope(InstructionSetScope const&) = delete;
  InstructionSetScope& operator=(InstructionSetScope const&) = delete;

 private:
  static constexpr char const* name = "PENSTOCK_ISA";
  std::string before_;
};

/// A report as it was told, and the bytes of the record if it was rejected.
struct ToldFault {
  FaultReport report;
  std::string raw;            ///< the pieces, joined
  bool is_whole = false;      ///< the last piece has come, or the record was repaired
  std::size_t rows_told = 0;  ///< rows that next() had returned before
};

struct StreamRecord {
  std::vector<std::string> rows;  ///< of each row the bytes of its values, role after role, see row_bytes()
  std::string encoded;
  std::vector<ToldFault> faults;
  StreamCounts counts;
  bool is_whole = false;  ///< the stream ended by itself, not by an exception
  ExitCode code = ExitCode::ok;
  std::string message, hint;
};

/// What varies from row to row: `{count}` and the bytes, for each tensor that there is.
inline void append_varying(std::string& bytes, Batch const& batch, std::size_t row) {
  auto const append = [&bytes](void const* data, std::size_t size, std::size_t begin, std::size_t count) {
    bytes += "{" + std::to_string(count) + "}";
    if (count != 0) bytes.append(static_cast<char const*>(data) + begin * size, count * size);
  };
  if (batch.csr.indptr != nullptr) {
    Extent const pairs = batch.csr.row(row);
    append(batch.csr.indices, sizeof(std::int64_t), pairs.begin, pairs.size());
    append(batch.csr.values, size_bytes(batch.csr.dtype), pairs.begin, pairs.size());
  }
  if (batch.labels.offsets != nullptr) {
    Extent const labels = batch.labels.row(row);
    append(batch.labels.values, size_bytes(batch.labels.dtype), labels.begin, labels.size());
  }
  for (Ragged const& list : batch.lists) {
    if (list.offsets == nullptr) continue;
    Extent const values = list.row(row);
    append(list.values, size_bytes(list.dtype), values.begin, values.size());
  }
  for (Texts const* const texts : {&batch.uid, &batch.metadata}) {
    if (texts->offsets == nullptr) continue;
    std::string_view const text = texts->row(row);
    append(text.data(), 1, 0, text.size());
  }
}

/// The row's values: dense tensors in the order of roles, then what varies.
inline std::string row_bytes(Batch const& batch, std::size_t row) {
  std::string bytes;
  for (Role const role : tensor_roles) {
    Dense const& tensor = batch.tensor(role);
    if (tensor.columns == 0) continue;
    bytes.append(reinterpret_cast<char const*>(tensor.data) + row * tensor.row_bytes(), tensor.row_bytes());
  }
  append_varying(bytes, batch, row);
  return bytes;
}

/// Notes what a stream tells. A piece that comes out of turn makes the message of the record say so.
class StreamRecorder {
 public:
  StreamRecorder(InputPlan& plan, StreamOptions const& options) : stream_(plan, options) {
    stream_.on_reject = [this](FaultReport const* report, std::string_view raw, bool is_first, bool is_last) {
      take_piece(report, raw, is_first, is_last);
    };
    stream_.on_repair = [this](FaultReport const& report) {
      record_.faults.push_back({report, {}, true, record_.rows.size()});
    };
  }

  /// Called with every round that is taken; may be empty.
  std::function<void(Round const&)> on_round;

  StreamRecord run() {
    try {
      while (Round const* const round = stream_.next()) take_round(*round);
      record_.is_whole = true;
      if (stream_.next() != nullptr) complain("the end did not stay the end");
    } catch (Error const& error) {
      record_.code = error.exit_code();
      record_.message += error.what();
      record_.hint = error.hint();
    }
    record_.counts = stream_.counts();
    return std::move(record_);
  }

 private:
  void take_round(Round const& round) {
    if (round.batch.rows == 0) complain("an empty round");
    if (on_round) on_round(round);
    for (std::size_t row = 0; row < round.batch.rows; ++row) record_.rows.push_back(row_bytes(round.batch, row));
    record_.encoded.append(reinterpret_cast<char const*>(round.encoded.data()), round.encoded.size());
  }

  void take_piece(FaultReport const* report, std::string_view raw, bool is_first, bool is_last) {
    if (is_first != (report != nullptr)) complain("a report on other than the first piece");
    if (is_first == is_inside_) complain("a piece out of turn");
    if (report != nullptr) record_.faults.push_back({*report, {}, false, record_.rows.size()});
    if (record_.faults.empty()) return;
    record_.faults.back().raw += raw;
    record_.faults.back().is_whole = is_last;
    is_inside_ = !is_last;
  }

  void complain(std::string const& what) { record_.message += "[" + what + "] "; }

  RecordStream stream_;
  StreamRecord record_;
  bool is_inside_ = false;  ///< of a record that comes in pieces
};

inline StreamRecord record_stream(InputPlan& plan, StreamOptions const& options) {
  return StreamRecorder(plan, options).run();
}

// --- words for people, and for comparing ------------------------------------------------------------------------

inline std::string shown_bytes(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (char const c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (byte >= 32 && byte < 127)
      out += c;
    else
      (out += "\\x") += {digits[byte >> 4], digits[byte & 15]};
  }
  return out + "\"";
}

/// Where a fault is: what follows from the bytes alone.
inline std::string shown_place(FaultReport const& r) {
  std::string out(name_of(r.code));
  auto const add = [&](char const* name, auto value) { out += std::string(" ") + name + " " + std::to_string(value); };
  out += (r.is_repaired ? " repaired " : " rejected ") + r.file;
  add("shard", r.shard), add("record", r.record), add("line", r.line), add("line_column", r.line_column);
  add("offset", r.offset_bytes), add("record_offset", r.record_offset_bytes), add("column", r.column);
  add("caret", r.caret_begin), add("to", r.caret_end);
  out += " " + std::string(name_of(r.role));
  return out + " name " + shown_bytes(r.column_name) + " cell " + shown_bytes(r.cell) + " text " +
         shown_bytes(r.line_text);
}

inline std::string shown_raw(ToldFault const& fault) {
  return " raw " + shown_bytes(fault.raw) + (fault.is_whole ? "" : " (not to its end)");
}

/// Every member of the report, and the words that are made of them.
inline std::string shown(ToldFault const& fault) {
  FaultReport const& r = fault.report;
  return shown_place(r) + " first " + shown_bytes(r.first_record_remedy) + "\n" + describe(r) + "\n" + policy_hint(r) +
         shown_raw(fault);
}

/// Every member that does not depend on when a stream was left.
inline std::string shown(StreamCounts const& c, bool is_whole) {
  std::string out = std::to_string(c.records) + " records, " + std::to_string(c.rejected) + " rejected, " +
                    std::to_string(c.repaired_cells) + " repaired, " + std::to_string(c.missing_cells) + " missing";
  if (!is_whole) return out;
  return out + ", " + std::to_string(c.inexact_integers) + " inexact, " + std::to_string(c.text_bytes) + " bytes";
}

/// The first difference in words; empty if there is none. `is_whole`: both streams were meant to read all of the input.
inline std::string difference(StreamRecord const& expected, StreamRecord const& found, bool is_whole) {
  auto const differ = [](std::string const& what, std::string const& a, std::string const& b) {
    return what + "\n  expected " + a + "\n  found    " + b;
  };
  for (std::size_t i = 0; i < std::min(expected.faults.size(), found.faults.size()); ++i) {
    std::string const a = shown(expected.faults[i]), b = shown(found.faults[i]);
    if (a != b) return differ("fault " + std::to_string(i), a, b);
  }
  auto const number = [](auto const& list) { return std::to_string(list.size()); };
  if (expected.faults.size() != found.faults.size())
    return differ("faults", number(expected.faults), number(found.faults));
  for (std::size_t i = 0; i < std::min(expected.rows.size(), found.rows.size()); ++i) {
    if (expected.rows[i] == found.rows[i]) continue;
    return differ("row " + std::to_string(i), shown_bytes(expected.rows[i]), shown_bytes(found.rows[i]));
  }
  if (expected.rows.size() != found.rows.size()) return differ("rows", number(expected.rows), number(found.rows));
  std::string const a = shown(expected.counts, is_whole), b = shown(found.counts, is_whole);
  if (a != b) return differ("counts", a, b);
  if (expected.encoded != found.encoded)
    return differ("encoded bytes", number(expected.encoded), number(found.encoded));
  if (expected.code != found.code || expected.hint != found.hint || expected.message != found.message) {
    return differ("error", expected.message + " | " + expected.hint, found.message + " | " + found.hint);
  }
  return expected.is_whole == found.is_whole ? "" : "one ended by itself, the other did not";
}

}  // namespace penstock::testing
