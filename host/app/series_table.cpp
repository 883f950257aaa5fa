#include "host/app/series_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <deque>
#include <numeric>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "formats/core/line_ends.hpp"
#include "formats/core/number.hpp"
#include "formats/csv/cell.hpp"
#include "formats/csv/grammar.hpp"
#include "formats/csv/record.hpp"
#include "formats/json/time.hpp"
#include "host/app/options_values.hpp"
#include "host/exec/engine.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "host/pipeline/fault_report.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Months since year 0, and what is left within the month.
struct MonthTime {
  std::int64_t month;
  std::int64_t rest_seconds;
};

MonthTime month_of(std::int64_t time) {
  std::int64_t const days = (time >= 0 ? time : time - (json::seconds_per_day - 1)) / json::seconds_per_day;
  json::Date const date = json::date_of(days);
  return {date.year * 12 + date.month - 1,
          (date.day - 1) * json::seconds_per_day + time - days * json::seconds_per_day};
}

std::string time_text(std::int64_t time) {
  std::string text(json::date_time_bytes, ' ');
  json::write_time(time, text.data());
  return text;
}

/// Columns of the table, by their number in the file.
struct SeriesColumns {
  std::size_t id = 0;
  std::size_t time = 0;
  std::vector<std::size_t> values;  ///< target, then the dynamic features
};

/// The lines of one series, in the order of the table.
struct Series {
  std::string id;
  std::vector<std::int64_t> times;
  std::vector<float> values;  ///< of each line, as SeriesColumns::values has them
};

/// Cells of a record, with quotes.
class Cells {
 public:
  explicit Cells(csv::Dialect const& dialect) : classes_(dialect) {}

  /// Where the record that begins at `at` ends: at its line end.
  std::uint32_t read(char const* text, std::uint32_t at) {
    cells_.clear();
    csv::State state = csv::State::record_start;
    std::uint32_t begin = at;
    for (;; ++at) {
      csv::Step const step = csv::step(state, classes_[text[at]]);
      state = step.next;
      if (!step.ends_field) continue;
      cells_.push_back({text + begin, text + at});
      begin = at + 1;
      if (state == csv::State::record_start) return at;
    }
  }
  [[nodiscard]] std::vector<csv::Bytes> const& all() const { return cells_; }

 private:
  csv::ByteClasses classes_;
  std::vector<csv::Bytes> cells_;
};

/// Goes through the files and puts every line with its series.
class TableReader {
 public:
  TableReader(CsvPlan& plan, SeriesColumns columns, StreamOptions const& options)
      : plan_(plan),
        rules_(plan.decode_plan().rules),
        first_columns_(std::move(columns)),
        options_(options),
        cells_(rules_.dialect),
        places_(plan.make_place_finder()) {}

  void read() {
    std::vector<Shard> const shards = plan_.shards();
    for (std::size_t i = 0; i < shards.size(); ++i) read(shards[i], static_cast<std::uint32_t>(i));
  }

  std::deque<Series> series;
  std::uint64_t lines = 0;

 private:
  void read(Shard const& shard, std::uint32_t number) {
    find_columns(number);
    auto const source = shard.open();
    auto const cutter = plan_.make_cutter(best_instruction_set(), options_.record_max);
    cutter->restart();
    std::vector<char> memory(slot_bytes + 2 * text_padding + 1);
    std::vector<Reject> rejects(1);
    std::uint64_t line = plan_.first_line(number);
    Chunk chunk;
    chunk.stamp.shard = number;
    chunk.stamp.offset_bytes = shard.offset_bytes;
    chunk.follows_cr = shard.follows_cr;
    std::size_t filled = 0;
    for (bool is_end = false; !is_end || filled > 0;) {
      std::size_t const room = memory.size() - 2 * text_padding - 1;
      char* const data = memory.data() + text_padding;
      while (!is_end && filled < room) {
        std::size_t const got = source->read(data + filled, room - filled);
        filled += got;
        is_end = got == 0;
      }
      Cut const cut = cutter->cut(data, static_cast<std::uint32_t>(filled), is_end, rejects);
      chunk.text = {data, cut.whole};
      chunk.rejects = std::span<Reject const>(rejects).first(cut.rejects);
      chunk.has_added_line_end = cut.has_added_line_end;
      file_ = shard.name;
      places_->begin(chunk, line);
      read(chunk, cut.rejects > 0 ? rejects.front().begin : cut.whole);
      if (cut.rejects > 0) throw_fault(chunk, rejects.front().fault);
      places_->advance(cut.whole);
      line = places_->unit();
      std::size_t const taken = std::min<std::size_t>(cut.whole, filled);
      if (taken == 0 && is_end) break;
      if (taken == 0) memory.resize(2 * memory.size());
      if (cut.whole > 0) chunk.follows_cr = memory[text_padding + cut.whole - 1] == '\r';
      std::memmove(memory.data() + text_padding, memory.data() + text_padding + taken, filled - taken);
      filled -= taken;
      chunk.stamp.offset_bytes += taken;
      ++chunk.stamp.sequence;
    }
  }

  /// Where the first file's columns are in this one: headers may have them in other places.
  void find_columns(std::uint32_t shard) {
    width_ = plan_.decode_plan().columns[shard].size();
    columns_ = first_columns_;
    if (!plan_.has_header()) return;
    auto const place_of = [&](std::size_t column) {
      std::string const& name = plan_.columns()[column].name;
      std::size_t place = 0;
      while (place < width_ && plan_.column_name(shard, place) != name) ++place;
      return place < width_ ? place : column;
    };
    columns_.id = place_of(columns_.id);
    columns_.time = place_of(columns_.time);
    for (std::size_t& column : columns_.values) column = place_of(column);
  }

  /// Records before `end`.
  void read(Chunk const& chunk, std::uint32_t end_of_text) {
    char const* const text = chunk.text.data;
    std::uint32_t at = chunk.stamp.offset_bytes == 0 ? mark_bytes(chunk) : 0;
    while (at < end_of_text) {
      std::uint32_t const end = cells_.read(text, at);
      std::vector<csv::Bytes> const& cells = cells_.all();
      bool const is_blank = cells.size() == 1 && csv::is_skipped_line(cells[0], rules_.dialect);
      if (!is_blank) take(chunk, at, end);
      at = end + 1;
    }
  }

  void take(Chunk const& chunk, std::uint32_t begin, std::uint32_t end) {
    std::vector<csv::Bytes> const& cells = cells_.all();
    Fault fault;
    fault.record_begin = begin;
    fault.record_end = end;
    auto const fail = [&](FaultCode code, std::size_t column) {
      csv::Bytes const cell =
          column < cells.size() ? cells[column] : csv::Bytes{chunk.text.data + end, chunk.text.data + end};
      fault.code = code;
      fault.column = static_cast<std::uint32_t>(column);
      fault.cell_begin = static_cast<std::uint32_t>(cell.begin - chunk.text.data);
      fault.cell_end = static_cast<std::uint32_t>(cell.end - chunk.text.data);
      throw_fault(chunk, fault);
    };
    if (cells.size() < width_) fail(FaultCode::too_few_fields, cells.size());
    if (cells.size() > width_) fail(FaultCode::too_many_fields, width_);
    std::string_view const time_cell = text_of(cells[columns_.time], 1);
    json::Time const time =
        json::read_time(time_cell.data(), static_cast<int>(std::min<std::size_t>(time_cell.size(), 64)));
    if (!time.is_valid) fail(FaultCode::bad_time, columns_.time);
    Series& into = series_of(text_of(cells[columns_.id], 0));
    for (std::size_t i = 0; i < columns_.values.size(); ++i) {
      std::size_t const column = columns_.values[i];
      csv::Bytes text;
      if (!csv::cell_text(cells[column], rules_.dialect, memory_[0].data(), text))
        fail(FaultCode::not_a_number, column);
      if (csv::is_null(text, rules_)) {
        if (i != 0) fail(FaultCode::missing_value, column);
        into.values.push_back(bit_cast<float>(missing_float32_bits));
        continue;
      }
      auto const number = number::parse<float>(text.begin, text.end);
      if (number.status == number::Status::out_of_range) fail(FaultCode::out_of_range, column);
      if (number.status == number::Status::infinite || number.status == number::Status::nan)
        fail(FaultCode::non_finite, column);
      if (number.status != number::Status::ok) fail(FaultCode::not_a_number, column);
      into.values.push_back(number.value);
    }
    into.times.push_back(time.seconds);
    ++lines;
    check_memory();
  }

  std::string_view text_of(csv::Bytes cell, std::size_t memory) {
    csv::Bytes text;
    if (!csv::cell_text(cell, rules_.dialect, memory_[memory].data(), text)) text = cell;
    return {text.begin, text.size()};
  }

  Series& series_of(std::string_view id) {
    auto const [place, is_new] = by_id_.try_emplace(std::string(id), series.size());
    if (is_new) {
      series.emplace_back().id = id;
      name_bytes_ += 2 * id.size();
    }
    return series[place->second];
  }

  void check_memory() const {
    constexpr std::size_t bytes_per_series = 512;  // its lists, its name twice, its place in the map
    std::size_t const line_bytes = sizeof(std::int64_t) + columns_.values.size() * sizeof(float);
    std::size_t const bytes = lines * line_bytes + series.size() * bytes_per_series + name_bytes_;
    if (bytes <= options_.memory_bytes) return;
    throw DeviceError("the table's time series do not fit into --memory " + format_bytes(options_.memory_bytes),
                      "a larger --memory");
  }

  [[noreturn]] void throw_fault(Chunk const& chunk, Fault const& fault) const {
    FaultReport report = report_fault(fault, chunk, plan_, *places_, options_.record_max);
    report.file = file_;
    report.record = lines + 1;
    throw DataError(describe(report));
  }

  static constexpr std::size_t slot_bytes = std::size_t{1} << 20;
  CsvPlan& plan_;
  csv::CellRules const& rules_;
  SeriesColumns first_columns_;
  SeriesColumns columns_;  ///< in the file that is read
  std::size_t width_ = 0;  ///< its columns
  StreamOptions const& options_;
  Cells cells_;
  std::unique_ptr<PlaceFinder> places_;
  std::string file_;
  std::size_t name_bytes_ = 0;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::array<std::array<char, csv::rewritten_cell_max>, 2> memory_;
};

/// Series on their grids, one batch each.
class SeriesReader final : public BatchReader {
 public:
  SeriesReader(std::deque<Series> series, std::size_t features, Frequency frequency, bool fills_gaps,
               std::size_t memory_bytes)
      : series_(std::move(series)),
        columns_(features + 1),
        frequency_(std::move(frequency)),
        fills_gaps_(fills_gaps),
        memory_bytes_(memory_bytes) {
    layout_.has_start = true;
    layout_.lists[0] = {ListRole::target};
    if (features != 0) layout_.lists[1] = {ListRole::dynamic_feat, DType::float32, features};
  }

  [[nodiscard]] BatchLayout const& layout() const override { return layout_; }

  bool next(Batch& batch) override {
    if (series_.empty()) return false;
    fill(series_.front());
    series_.pop_front();
    batch = buffer_.view(1);
    return true;
  }

  [[nodiscard]] std::vector<std::string> notes() const override {
    return {"time series: " + format_count(series_.size()) + ", a value every " + frequency_.text};
  }

 private:
  static constexpr std::size_t no_line = ~std::size_t{0};

  /// The line of each step from the first time to the last, or no_line.
  std::vector<std::size_t> steps_of(Series const& series, std::int64_t start) const {
    std::int64_t const last = *std::max_element(series.times.begin(), series.times.end());
    std::int64_t const most = frequency_.seconds != 0
                                  ? (last - start) / frequency_.seconds
                                  : (month_of(last).month - month_of(start).month) / frequency_.months;
    if (static_cast<std::size_t>(most) > memory_bytes_ / (columns_ * sizeof(float) + sizeof(std::size_t)))
      throw DataError(name_of(series) + ": " + time_text(start) + " to " + time_text(last) + " is " +
                          format_count(static_cast<std::uint64_t>(most) + 1) + " steps of " + frequency_.text +
                          ", more than fit into --memory",
                      "mend the time that is far from the others, or another --freq");
    std::vector<std::size_t> steps(static_cast<std::size_t>(most) + 1, no_line);
    for (std::size_t i = 0; i < series.times.size(); ++i) {
      std::int64_t const step = step_of(start, series.times[i], frequency_);
      if (step < 0)
        throw DataError(name_of(series) + ": " + time_text(series.times[i]) + " is no step of " + frequency_.text +
                            " after " + time_text(start) + ", with which it begins",
                        "--freq with the step between its times");
      std::size_t& place = steps[static_cast<std::size_t>(step)];
      if (place != no_line) throw DataError(name_of(series) + ": " + time_text(series.times[i]) + " stands twice");
      place = i;
    }
    return steps;
  }

  void fill(Series const& series) {
    std::int64_t const start = *std::min_element(series.times.begin(), series.times.end());
    auto const steps = steps_of(series, start);
    std::size_t const count = steps.size();
    buffer_ = BatchBuffer(layout_, BatchCapacity{1, 0, 0, 0, 0, {count, count * (columns_ - 1)}});
    Batch const row = buffer_.view(1);
    *row.start.as<std::int64_t>() = start;
    float* const target = row.lists[0].as<float>();
    float* const features = row.lists[1].as<float>();
    for (std::size_t step = 0; step < count; ++step) {
      if (steps[step] == no_line) refuse_gap(series, step);
      float const* const values = steps[step] != no_line ? series.values.data() + steps[step] * columns_ : nullptr;
      target[step] = values != nullptr ? values[0] : bit_cast<float>(missing_float32_bits);
      for (std::size_t i = 1; i < columns_; ++i) features[(i - 1) * count + step] = values[i];
    }
    row.lists[0].offsets[1] = static_cast<std::int64_t>(count);
    if (row.lists[1].offsets != nullptr) row.lists[1].offsets[1] = static_cast<std::int64_t>(count * (columns_ - 1));
  }

  void refuse_gap(Series const& series, std::size_t step) const {
    if (fills_gaps_ && columns_ == 1) return;
    throw DataError(
        name_of(series) + ": there is no line for step " + format_count(step + 1) + " of " + frequency_.text,
        fills_gaps_ ? "features have no missing values: leave out --dynamic-feat, or add the lines"
                    : "--gaps missing makes it a missing value");
  }

  static std::string name_of(Series const& series) { return "series \"" + escape_for_display(series.id, 40) + "\""; }

  std::deque<Series> series_;
  std::size_t columns_;  ///< of values
  Frequency frequency_;
  bool fills_gaps_;
  std::size_t memory_bytes_;
  BatchLayout layout_;
  BatchBuffer buffer_;
};

std::string needed(Arguments const& arguments, std::string_view option, std::string_view what) {
  if (auto const value = arguments.value(option)) return *value;
  throw ConfigurationError("time series of a table need --" + std::string(option) + ", " + std::string(what),
                           "--series-id COLUMN --time COLUMN --target COLUMN --freq H");
}

/// Options of records that become rows one by one.
constexpr std::string_view refused_options[] = {
    "limit",      "skip",     "schema", "unlabeled", "weight-file", "group-file", "base-margin-file",
    "companions", "label",    "weight", "qid",       "columns",     "ignore",     "label-map",
    "dtype",      "features", "absent", "inf",       "overflow"};

/// Columns by their names or numbers in the first file.
SeriesColumns columns_of(CsvPlan const& plan, Arguments const& arguments, std::string const& file) {
  std::vector<std::string> names;
  for (CsvColumn const& column : plan.columns()) names.push_back(column.name);
  ColumnNames const known(std::move(names), plan.has_header(), file);
  auto const one = [&](std::string_view option, std::string_view what) {
    auto const columns = known.resolve(needed(arguments, option, what), "--" + std::string(option));
    if (columns.size() == 1) return columns[0];
    throw_bad_value(option, *arguments.value(option), "expected one column");
  };
  SeriesColumns columns;
  columns.id = one("series-id", "the column that tells series apart");
  columns.time = one("time", "the column of times");
  columns.values = {one("target", "the column of values")};
  if (auto const list = arguments.value("dynamic-feat")) {
    for (std::size_t const column : known.resolve(*list, "--dynamic-feat")) columns.values.push_back(column);
  }
  return columns;
}

}  // namespace

Frequency read_frequency(std::string_view text) {
  Frequency frequency;
  frequency.text = text;
  std::int64_t count = 1;
  auto const digits = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view const unit = text.substr(static_cast<std::size_t>(digits.ptr - text.data()));
  constexpr std::int64_t count_max = 1000000;
  constexpr std::pair<std::string_view, std::int64_t> units[] = {
      {"min", 60}, {"H", 3600}, {"D", json::seconds_per_day}, {"W", 7 * json::seconds_per_day}};
  if (digits.ec == std::errc::result_out_of_range || count < 1 || count > count_max || text.starts_with('-'))
    throw_bad_value("freq", std::string(text), "expected a number from 1 to 1000000 before the unit");
  if (unit == "M") frequency.months = count;
  for (auto const& [name, seconds] : units) {
    if (unit == name) frequency.seconds = count * seconds;
  }
  if (frequency.months == 0 && frequency.seconds == 0)
    throw_bad_value("freq", std::string(text), "expected M, W, D, H or min, with a number before it if it is not one");
  return frequency;
}

std::int64_t step_of(std::int64_t start, std::int64_t time, Frequency const& frequency) {
  if (time < start) return -1;
  if (frequency.seconds != 0) return (time - start) % frequency.seconds == 0 ? (time - start) / frequency.seconds : -1;
  MonthTime const from = month_of(start);
  MonthTime const to = month_of(time);
  bool const is_step = from.rest_seconds == to.rest_seconds && (to.month - from.month) % frequency.months == 0;
  return is_step ? (to.month - from.month) / frequency.months : -1;
}

std::unique_ptr<BatchReader> open_series(std::vector<InputFile> const& files, Arguments const& arguments,
                                         StreamOptions const& stream) {
  Frequency frequency = read_frequency(needed(arguments, "freq", "the step between times"));
  for (std::string_view const option : refused_options) {
    if (arguments.has(option) || arguments.value(option))
      throw ConfigurationError("--" + std::string(option) + " does not go with time series of a table",
                               "convert the table first, then what came out");
  }
  if (stream.on_error != FaultPolicy::fail)
    throw ConfigurationError("--on-error: a line that is left out of a time series would be a gap",
                             "mend the table, or leave the option out");
  constexpr std::pair<std::string_view, bool> gaps[] = {{"missing", true}, {"error", false}};
  bool const fills_gaps = choice_of(arguments, "gaps", gaps).value_or(true);
  CsvOptions options = csv_options(arguments);
  options.columns = needed(arguments, "target", "the column of values");
  options.columns_option = "--target";
  auto const plan = plan_csv(files, options);
  SeriesColumns const columns = columns_of(*plan, arguments, files.front().path);
  std::size_t const features = columns.values.size() - 1;
  TableReader table(*plan, columns, stream);
  table.read();
  if (table.series.empty()) throw DataError(files.front().path + ": no records");
  return std::make_unique<SeriesReader>(std::move(table.series), features, std::move(frequency), fills_gaps,
                                        stream.memory_bytes);
}

}  // namespace penstock::app
