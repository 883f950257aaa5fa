/// From input files and the user's options to everything that the CSV decoder has to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv/plan.hpp"
#include "host/io/inputs.hpp"
#include "host/pipeline/input_plan.hpp"
#include "host/pipeline/pipeline.hpp"
#include "penstock/batch.hpp"
#include "penstock/fault.hpp"

namespace penstock {

enum class HeaderMode : std::uint8_t { automatic, yes, no };

/// What CsvOptions::record_max may be: a cache line at least, and so little that offsets in a chunk fit 32 bits.
inline constexpr std::size_t record_bytes_min = 64;
inline constexpr std::size_t record_bytes_max = std::size_t{1} << 30;

/// The text options as the user gave them. Column lists are CSV-quoted lists of names, 0-based indices
/// (`#0` forces an index) and inclusive ranges `a:c`, `3:7`.
struct CsvOptions {
  std::optional<char> delimiter = {};  ///< not given: sniffed among , TAB ; |
  char quote = '"';
  char escape = 0;
  char comment = 0;
  bool trim = false;
  bool strict_quotes = false;
  HeaderMode header = HeaderMode::automatic;
  std::vector<std::string> nulls = {"", "nan", "NA", "null"};
  std::string columns = {};                       ///< the features, in this order; empty: every column without a role
  std::string_view columns_option = "--columns";  ///< what errors call the option that `columns` comes from
  std::string label = {}, weight = {}, qid = {}, ignore = {};
  std::string label_map = {};  ///< `setosa=0,versicolor=1`
  std::string texts = {};      ///< columns of text, in this order: for a normaliser
  /// What is done with each of them; empty: their texts are kept. Outlives the plan.
  std::span<normalize::TextRule const> text_rules = {};
  bool cuts_texts = false;  ///< kept texts of more than 4,096 bytes are cut there; else they are faults
  DType dtype = DType::float32;
  csv::NonFinitePolicy non_finite = csv::NonFinitePolicy::fault;
  csv::OverflowPolicy overflow = csv::OverflowPolicy::fault;
  FaultPolicy on_error = FaultPolicy::fail;
  std::size_t record_max = std::size_t{16} << 20;
};

/// A column of the input as the first file shows it.
struct CsvColumn {
  std::string name;  ///< from the header, else the 0-based index in digits
  Role role = Role::ignore;
};

class CsvPlan : public InputPlan {
 public:
  [[nodiscard]] virtual csv::Dialect const& dialect() const = 0;
  [[nodiscard]] virtual bool has_header() const = 0;
  /// The first file's columns in its order. Made by the first call, for it takes some 40 bytes a column.
  [[nodiscard]] virtual std::vector<CsvColumn> const& columns() const = 0;
  /// The header's name of a shard's column; empty without a header or beyond the last column.
  [[nodiscard]] virtual std::string column_name(std::size_t shard, std::size_t column) const = 0;
  [[nodiscard]] virtual csv::DecodePlan const& decode_plan() const = 0;

  [[nodiscard]] FormatInfo const& format() const final;
  [[nodiscard]] bool decodes_alike(std::size_t shard, std::size_t other) const final;
  [[nodiscard]] bool has_names() const final { return has_header(); }
  [[nodiscard]] std::unique_ptr<Cutter> make_cutter(InstructionSet isa, std::size_t record_max) const final;
  [[nodiscard]] std::unique_ptr<Cutter> make_device_cutter(Device& device, CutterOptions const& options) const final;
  [[nodiscard]] std::unique_ptr<Lane> make_lane(InstructionSet isa, LaneOptions const& options) const final;
  [[nodiscard]] std::unique_ptr<PlaceFinder> make_place_finder() const final;
  [[nodiscard]] BatchCapacity record_capacity(std::size_t record_max) const final;
  [[nodiscard]] std::size_t fault_room() const final;
  [[nodiscard]] std::size_t decoder_bytes() const final;
  void explain(Fault const& fault, Chunk const& chunk, FaultReport& report) const final;

 private:
  /// Of the widest shard.
  [[nodiscard]] std::size_t widest_shard() const;
};

/// Looks at the first 64 KiB of (decompressed) bytes of each file, behind blank lines and comments: dialect, header,
/// columns, roles. It looks further where two records do not end there. No file stays open, and no bytes of it are
/// kept, unless it can be read only once. Memory beyond the file's first records: some 16 bytes a column without a
/// header. Throws ConfigurationError, SchemaError or SourceError with hints.
std::unique_ptr<CsvPlan> plan_csv(std::vector<InputFile> const& files, CsvOptions const& options);

}  // namespace penstock
