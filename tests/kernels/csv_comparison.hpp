/// The device's CSV decoder beside the CPU's: the same chunk, and everything that comes out of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cuda/exec/decoder.hpp"
#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/formats/csv.hpp"
#include "formats/core/block.hpp"
#include "formats/csv/cut.hpp"
#include "formats/csv/decode.hpp"
#include "formats/csv/plan.hpp"
#include "host/exec/normalizer.hpp"

namespace penstock::testing {

/// What becomes of a column of text.
struct CsvText {
  normalize::TextRule rule;  ///< without its vocabulary, which holds `words`
  std::vector<std::string> words;
};

/// What a decoder is told, by value.
struct CsvRules {
  csv::Dialect dialect;
  std::vector<std::string> nulls = {"", "NA", "null"};
  std::vector<std::pair<std::string, float>> labels;
  csv::NonFinitePolicy non_finite = csv::NonFinitePolicy::fault;
  csv::OverflowPolicy overflow = csv::OverflowPolicy::fault;
  DType features = DType::float32;
  bool repairs_cells = false;
  std::vector<Role> roles;     ///< by column
  std::vector<CsvText> texts;  ///< of columns of text
};

/// A DecodePlan with everything that it points to.
struct CsvTestPlan {
  explicit CsvTestPlan(CsvRules const& from) : rules(from) {
    std::uint32_t features = 0, labels = 0, texts = 0;
    for (Role const role : rules.roles) {
      std::uint32_t place = 0;
      if (role == Role::feature) place = features++;
      if (role == Role::label) place = labels++;
      if (role == Role::category) place = texts++;
      plan.layout.has_weight |= role == Role::weight;
      plan.layout.has_qid |= role == Role::qid;
      columns.push_back({role, place});
    }
    plan.layout.feature_dtype = rules.features;
    plan.layout.features = features;
    plan.layout.labels = labels;
    plan.layout.categories = texts;
    for (CsvText const& text : rules.texts) {
      text_rules.push_back(text.rule);
      tables.emplace_back(text.words);
      text_rules.back().vocabulary = tables.back().view();
    }
    plan.texts.rules = text_rules;
    for (auto const& null : rules.nulls) nulls.push_back({null.data(), null.data() + null.size()});
    for (auto const& [name, value] : rules.labels) names.push_back({{name.data(), name.data() + name.size()}, value});
    by_shard = {columns};
    plan.rules = {rules.dialect, nulls, true, names, rules.non_finite, rules.overflow};
    plan.columns = by_shard;
    plan.repairs_cells = rules.repairs_cells;
  }
  CsvTestPlan(CsvTestPlan const&) = delete;
  CsvTestPlan& operator=(CsvTestPlan const&) = delete;

  CsvRules rules;
  std::vector<csv::Column> columns;
  std::vector<csv::Bytes> nulls;
  std::vector<csv::LabelName> names;
  std::vector<std::span<csv::Column const>> by_shard;
  std::vector<normalize::TextRule> text_rules;
  std::vector<VocabularyTable> tables;
  csv::DecodePlan plan;
};

/// All rounds of a chunk together.
struct CsvOutcome {
  std::vector<std::string> rows;  ///< the bytes of all tensors
  std::vector<Fault> faults;      ///< rows_before counts from the chunk's first row
  RoundCounts counts;
  std::size_t rounds = 0;

  void add_faults(FaultLog const& log) {
    for (Fault fault : log.faults()) {
      fault.rows_before += static_cast<std::uint32_t>(rows.size());
      faults.push_back(fault);
    }
  }
  void add_rows(Batch const& batch) {
    for (std::size_t row = 0; row < batch.rows; ++row) {
      std::string bytes;
      for (Role const role : tensor_roles) {
        Dense const& tensor = batch.tensor(role);
        if (tensor.columns == 0) continue;
        bytes.append(reinterpret_cast<char const*>(tensor.data) + row * tensor.row_bytes(), tensor.row_bytes());
      }
      rows.push_back(bytes);
    }
  }
};

/// What differs, or "".
inline std::string difference(CsvOutcome const& expected, CsvOutcome const& found) {
  auto const shown = [](Fault const& f) {
    return "code " + std::to_string(static_cast<int>(f.code)) + (f.is_repaired ? " repaired" : "") + " record " +
           std::to_string(f.record_begin) + ".." + std::to_string(f.record_end) + " cell " +
           std::to_string(f.cell_begin) + ".." + std::to_string(f.cell_end) + " column " + std::to_string(f.column) +
           " rows before " + std::to_string(f.rows_before);
  };
  for (std::size_t i = 0; i < std::min(expected.faults.size(), found.faults.size()); ++i)
    if (shown(expected.faults[i]) != shown(found.faults[i]))
      return "fault " + std::to_string(i) + ": " + shown(expected.faults[i]) + "\nbut found " + shown(found.faults[i]);
  if (expected.faults.size() != found.faults.size())
    return std::to_string(expected.faults.size()) + " faults, but found " + std::to_string(found.faults.size());
  if (expected.rows.size() != found.rows.size())
    return std::to_string(expected.rows.size()) + " rows, but found " + std::to_string(found.rows.size());
  for (std::size_t i = 0; i < expected.rows.size(); ++i)
    if (expected.rows[i] != found.rows[i]) return "row " + std::to_string(i);
  auto const counts = [](RoundCounts const& c) {
    return std::to_string(c.missing_cells) + " missing, " + std::to_string(c.inexact_integers) + " inexact, " +
           std::to_string(c.lines) + " lines";
  };
  if (counts(expected.counts) != counts(found.counts))
    return counts(expected.counts) + ", but found " + counts(found.counts);
  return "";
}

inline CsvOutcome decode_on_cpu(csv::DecodePlan const& plan, Chunk const& chunk) {
  csv::Decoder<Portable> decoder(plan);
  BatchBuffer const memory(plan.layout, 1000);
  std::vector<Fault> log(1000 + csv::fault_room(plan, plan.columns[0].size()));
  CsvOutcome outcome;
  decoder.begin(chunk);
  for (bool is_done = false; !is_done;) {
    FaultLog faults(log);
    Decoded const decoded = decoder.next(memory.view(1000), memory.capacity(), faults, outcome.counts);
    is_done = decoded.ends_chunk;
    outcome.add_faults(faults);
    outcome.add_rows(memory.view(decoded.rows));
  }
  return outcome;
}

/// Rows of the device, in memory that the host can read.
class RowsOnHost {
 public:
  RowsOnHost(cuda::Stream& stream, Batch rows) : rows_(rows) {
    for (Role const role : tensor_roles) {
      Dense& tensor = rows_.tensor(role);
      std::size_t const bytes = rows.rows * tensor.row_bytes();
      memory_.emplace_back(bytes, "rows on the host");
      stream.copy(memory_.back().get(), tensor.data, bytes, "copy out");
      tensor.data = memory_.back().get();
    }
    stream.wait();
  }
  [[nodiscard]] Batch const& view() const { return rows_; }

 private:
  Batch rows_;
  std::vector<cuda::MappedArray<std::byte>> memory_;
};

/// A decoder on a device, for any number of chunks.
class CsvDevice {
 public:
  CsvDevice(csv::DecodePlan const& plan, std::size_t text_bytes, std::size_t rows_max, std::size_t faults_max)
      : limits_{text_bytes, {rows_max, 0, 0, 0, 0}, faults_max},
        text_(text_bytes + 2 * text_padding, "text"),
        decoder_(cuda::make_csv_decoder(plan, limits_, stream_)) {}

  /// Nothing: the chunk is for the CPU.
  std::optional<CsvOutcome> decode(Chunk chunk) {
    std::memcpy(text_.get() + text_padding, chunk.text.data, std::min(chunk.text.size, limits_.text_bytes));
    chunk.text.data = text_.get() + text_padding;
    if (!decoder_->begin(chunk)) return std::nullopt;
    CsvOutcome outcome;
    std::vector<Fault> log(limits_.faults);
    for (Decoded decoded; !decoded.ends_chunk; ++outcome.rounds) {
      FaultLog faults(log);
      Batch rows;
      if (!decoder_->next(rows, faults, outcome.counts, decoded)) {
        bool const is_untouched = outcome.rounds == 0 && outcome.counts.lines == 0 && faults.size() == 0;
        if (!is_untouched) throw std::logic_error("a device gives up behind its first round, or half done");
        return std::nullopt;
      }
      outcome.add_faults(faults);
      outcome.add_rows(RowsOnHost(stream_, rows).view());
      if (decoded.rows != rows.rows || rows.rows > limits_.rows.rows) outcome.rows.push_back("too many rows");
    }
    return outcome;
  }
  [[nodiscard]] cuda::ChunkDecoder const& decoder() const { return *decoder_; }

 private:
  cuda::DecoderLimits limits_;
  cuda::Stream stream_;
  cuda::MappedArray<char> text_;
  std::unique_ptr<cuda::ChunkDecoder> decoder_;
};

/// The records of a text that end, in memory with room around it, as a chunk without rejects.
class WholeRecords {
 public:
  WholeRecords(csv::Dialect const& dialect, std::string_view text) : memory_(text_padding, '#') {
    memory_ += text;
    memory_.append(2 * text_padding, '#');
    csv::RecordCutter<Portable> cutter(dialect, text.size() + 64);
    cutter.restart();
    std::vector<Reject> rejects(1);
    char* const data = memory_.data() + text_padding;
    Cut const cut = cutter.cut(data, static_cast<std::uint32_t>(text.size()), true, rejects);
    chunk_.text = {data, cut.rejects > 0 ? rejects[0].begin : cut.whole};
  }
  [[nodiscard]] Chunk chunk() const { return chunk_; }
  [[nodiscard]] std::string text() const { return {chunk_.text.begin(), chunk_.text.end()}; }

 private:
  std::string memory_;
  Chunk chunk_;
};

}  // namespace penstock::testing
