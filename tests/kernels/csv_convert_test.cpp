// Conversion alone, on masks that the test itself makes: both sizes of tiles, windows, marks, and what must stay
// untouched.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/csv_convert.cuh"
#include "tests/support/simt/simt.hpp"

namespace penstock {
namespace {

using namespace cuda;
using cuda::csv::Target;

#if defined(__SANITIZE_THREAD__)
constexpr std::size_t sample_rows = 200;  // the emulator is some hundred times slower with it
#else
constexpr std::size_t sample_rows = 700;
#endif

/// What tests of kernels do here all the time.
class CsvConvert : public ::testing::Test {
  simt::DeviceAccess const access_;
};

/// The structure of a text for one size of tiles, by a walk that knows quotes and nothing else.
class Structured {
 public:
  Structured(std::string const& text, unsigned tile_bytes)
      : tiles_(static_cast<unsigned>(text.size() / tile_bytes + 1)),
        text_(2 * reach + tiles_ * tile_bytes, "text"),
        masks_(3 * words(tile_bytes), "masks"),
        entries_(tiles_, "entries"),
        tile_bytes_(tile_bytes) {
    std::memset(text_.get(), '9', text_.size_bytes());
    std::memset(masks_.get(), 0, masks_.size_bytes());
    std::memcpy(text_.get() + reach, text.data(), text.size());
    cuda::csv::Entry at;
    bool is_inside = false;
    for (std::uint32_t i = 0; i < text.size(); ++i) {
      if (i % tile_bytes == 0) entries_.get()[i / tile_bytes] = {at.row, at.column, is_inside ? 1u : 0u, 0};
      is_inside ^= text[i] == '"';
      take(text, i, is_inside, at);
    }
    rows_ = at.row;
  }
  [[nodiscard]] cuda::csv::Tiles tiles() const {
    return {text_.get() + reach, masks(), entries_.get(), tiles_, cuda::csv::word_bits_of(tile_bytes_)};
  }
  [[nodiscard]] std::uint32_t rows() const { return rows_; }

 private:
  static constexpr std::size_t reach = 64;
  [[nodiscard]] std::size_t words(unsigned tile_bytes) const { return std::size_t{tiles_} * tile_bytes / 32; }
  [[nodiscard]] cuda::csv::Masks masks() const {
    std::size_t const each = masks_.size() / 3;
    return {masks_.get(), masks_.get() + each, masks_.get() + 2 * each};
  }

  void take(std::string const& text, std::uint32_t i, bool is_inside, cuda::csv::Entry& at) {
    bool const is_line_end = text[i] == '\n', is_separator = is_line_end || text[i] == ',';
    bool const is_flipped = entries_.get()[i / tile_bytes_].is_inside != 0;
    std::uint32_t const bit = 1u << i % 32;
    if (is_line_end) masks().line_ends[i / 32] |= bit;
    if (!is_separator) return;
    // The mask of the way in which the tile is entered has the ends; the other one the separators inside quotes.
    std::uint32_t* const mask = is_inside == is_flipped ? masks().outside : masks().inside;
    mask[i / 32] |= bit;
    if (is_inside) return;
    bool const is_blank = is_line_end && (i == 0 || (text[i - 1] == '\n' && at.column == 0));
    at.column = is_line_end ? 0 : at.column + 1;
    at.row += is_line_end && !is_blank ? 1 : 0;
  }

  unsigned tiles_;
  DeviceArray<char> text_;
  DeviceArray<std::uint32_t> masks_;
  DeviceArray<cuda::csv::Entry> entries_;
  unsigned tile_bytes_;
  std::uint32_t rows_ = 0;
};

/// The rows of a window, with rows around it that nobody may write.
class Converted {
 public:
  static constexpr std::uint32_t untouched = 0xabababab;
  static constexpr std::size_t around = 50;

  Converted(cuda::csv::Tiles const& tiles, std::uint32_t width, cuda::csv::Window window)
      : width_(width),
        window_(window),
        values_((window.rows + 2 * around) * width, "values"),
        targets_(width, "targets"),
        marks_(window.rows / 32 + 1, "marks"),
        field_ends_(window.rows, "field ends"),
        tally_(1, "tally"),
        arrived_(1, "arrivals"),
        report_(1, "report") {
    std::memset(values_.get(), 0xab, values_.size_bytes());
    std::memset(marks_.get(), 0, marks_.size_bytes());
    *tally_.get() = {};
    *arrived_.get() = 0;
    for (std::uint32_t c = 0; c < width; ++c)
      targets_.get()[c] = {reinterpret_cast<std::byte*>(values_.get() + around * width + c), 4 * width,
                           cuda::csv::is_wanted | cuda::csv::is_plain_float | cuda::csv::is_feature |
                               cuda::csv::allows_missing | cuda::csv::empty_is_missing};
    run(tiles);
  }

  [[nodiscard]] std::uint32_t at(std::size_t row, std::size_t column) const {
    return values_.get()[(around + row) * width_ + column];
  }
  [[nodiscard]] bool is_marked(std::size_t row) const { return (marks_.get()[row / 32] >> row % 32 & 1) != 0; }
  [[nodiscard]] std::uint32_t field_end(std::size_t row) const { return field_ends_.get()[row]; }
  [[nodiscard]] cuda::csv::Report report() const { return report_[0]; }
  [[nodiscard]] bool left_rest_alone() const {
    std::size_t const first = around * width_, size = window_.rows * width_;
    for (std::size_t i = 0; i < values_.size(); ++i)
      if ((i < first || i >= first + size) && values_.get()[i] != untouched) return false;
    return true;
  }
  /// Counts are as they must be before the next pass.
  [[nodiscard]] bool is_ready_again() const {
    auto const& t = *tally_.get();
    return t.missing == 0 && t.inexact == 0 && t.marked == 0 && t.rejected == 0 && t.overlong == 0 &&
           *arrived_.get() == 0;
  }

 private:
  void run(cuda::csv::Tiles const& tiles) {
    cuda::csv::Table const table{{}, cuda::csv::ByteClasses({}), false, {}, {}};
    cuda::csv::ConvertJob job;
    job.tiles = tiles;
    job.window = window_;
    job.targets = targets_.get();
    job.width = width_;
    job.table = &table;
    job.marks = {marks_.get(), field_ends_.get()};
    job.tally = tally_.get();
    job.report = report_.get();
    job.arrived = arrived_.get();
    job.quote = '"';
    Stream stream;
    convert(stream, job, DType::float32, true);
    stream.wait();
  }

  std::uint32_t width_;
  cuda::csv::Window window_;
  DeviceArray<std::uint32_t> values_;
  DeviceArray<Target> targets_;
  DeviceArray<std::uint32_t> marks_, field_ends_;
  DeviceArray<cuda::csv::Tally> tally_;
  DeviceArray<unsigned> arrived_;
  MappedArray<cuda::csv::Report> report_;
};

std::uint32_t bits_of(std::string const& cell) {
  if (cell.empty()) return missing_float32_bits;
  return bit_cast<std::uint32_t>(std::strtof(cell.c_str() + (cell[0] == '"' ? 1 : 0), nullptr));
}

/// Five columns, rows of every length, blank lines; some cells quoted, some empty.
struct Sample {
  explicit Sample(std::size_t rows) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < 5; ++c) {
        std::string cell = std::to_string(r * 31 + c * 1234567 % 1000) + "." + std::string(1 + (r * c) % 14, '7');
        if ((r + c) % 6 == 0) cell = '"' + cell + '"';
        if ((r * c) % 13 == 12) cell.clear();
        cells.push_back(cell);
        text += cell + (c < 4 ? "," : r % 9 == 0 ? "\n\n\n" : "\n");
      }
      missing.push_back(0);
      for (std::size_t c = 0; c < 5; ++c) missing.back() += cells[5 * r + c].empty() ? 1 : 0;
    }
  }
  std::string text;
  std::vector<std::string> cells;
  std::vector<std::uint64_t> missing;  ///< cells of each row
};

void check_window(Sample const& sample, Structured const& structured, cuda::csv::Window window) {
  Converted const found(structured.tiles(), 5, window);
  std::uint64_t missing = 0;
  for (std::size_t r = 0; r < window.rows && window.first + r < sample.missing.size(); ++r) {
    missing += sample.missing[window.first + r];
    for (std::size_t c = 0; c < 5; ++c)
      ASSERT_EQ(found.at(r, c), bits_of(sample.cells[5 * (window.first + r) + c])) << r << " " << c;
  }
  EXPECT_TRUE(found.left_rest_alone());
  EXPECT_EQ(found.report().missing, missing);
  EXPECT_EQ(found.report().marked, 0u);
  EXPECT_TRUE(found.is_ready_again());
}

TEST_F(CsvConvert, WindowsOfRowsInTilesOfBothSizes) {
  Sample const sample(sample_rows);
  for (unsigned const tile_bytes : {cuda::csv::small_tile_bytes, cuda::csv::large_tile_bytes}) {
    Structured const structured(sample.text, tile_bytes);
    ASSERT_EQ(structured.rows(), sample_rows);
    for (cuda::csv::Window const window :
         {cuda::csv::Window{0, sample_rows}, {0, 1}, {1, 31}, {123, 456}, {sample_rows - 1, 1}, {0, 5000}})
      check_window(sample, structured, window);
  }
}

/// A row that lies in two tiles is the first of the window, or the last.
TEST_F(CsvConvert, WindowsThatBeginAndEndAtTileBorders) {
  Sample const sample(sample_rows);
  Structured const structured(sample.text, cuda::csv::small_tile_bytes);
  for (unsigned t = 1; t < structured.tiles().count; ++t) {
    std::uint32_t const row = structured.tiles().entries[t].row;
    for (cuda::csv::Window const window : {cuda::csv::Window{row, 3}, {row + 1, 2}, {row - 3, 3}, {row - 3, 4}})
      check_window(sample, structured, window);
  }
}

TEST_F(CsvConvert, EveryScheduleGivesTheSame) {
  Sample const sample(150);
  Structured const structured(sample.text, cuda::csv::small_tile_bytes);
  Converted const expected(structured.tiles(), 5, {0, 150});
  for (std::string const schedule : {"reverse", "random:1", "random:2", "random:3"}) {
    simt::set_schedule(schedule);
    Converted const found(structured.tiles(), 5, {0, 150});
    for (std::size_t r = 0; r < 150; ++r)
      for (std::size_t c = 0; c < 5; ++c) ASSERT_EQ(found.at(r, c), expected.at(r, c)) << schedule;
    EXPECT_EQ(found.report().missing, expected.report().missing);
  }
  simt::set_schedule("forward");
}

TEST_F(CsvConvert, RowsThatNeedCareAreMarkedOnce) {
  std::string text;
  std::vector<bool> is_odd;
  std::vector<std::uint32_t> begins;
  static constexpr char const* rows[] = {"1,2", "1,\"2\"", ",NA",   "x,2",         "1,y",
                                         "1",   "1,2,3",   "x,y,z", "1,\"2\"\"\"", "\"3,4\",5"};
  for (std::size_t i = 0; i < 600; ++i) {
    std::size_t const which = i % 3 == 0 ? i % 10 : i % 2;
    begins.push_back(static_cast<std::uint32_t>(text.size()));
    text += std::string(rows[which]) + "\n";
    is_odd.push_back(which > 1);
  }
  begins.push_back(static_cast<std::uint32_t>(text.size()));
  Structured const structured(text, cuda::csv::small_tile_bytes);
  Converted const found(structured.tiles(), 2, {0, 600});
  std::uint32_t marked = 0;
  for (std::size_t r = 0; r < 600; ++r) {
    ASSERT_EQ(found.is_marked(r), is_odd[r]) << r;
    if (!is_odd[r]) continue;
    ++marked;
    ASSERT_GE(found.field_end(r), begins[r]) << r;
    ASSERT_LT(found.field_end(r), begins[r + 1]) << r;
  }
  EXPECT_EQ(found.report().marked, marked);
  EXPECT_TRUE(found.left_rest_alone());
}

/// A field that begins tiles before it ends, outside quotes and inside.
TEST_F(CsvConvert, FieldsThatBeginInEarlierTiles) {
  for (std::size_t const size : {4000, 4096, 9000}) {
    std::string const long_number = "0." + std::string(size, '5'), quoted = '"' + std::string(size, '\n') + "\",";
    std::string const text =
        "1,2\n" + long_number + ",3\n4," + long_number + "\n" + quoted + "7\n8," + quoted + "\n9,10\n";
    Structured const structured(text, cuda::csv::small_tile_bytes);
    ASSERT_EQ(structured.rows(), 6u);
    Converted const found(structured.tiles(), 2, {0, 6});
    EXPECT_EQ(found.at(1, 1), bits_of("3"));
    EXPECT_EQ(found.at(2, 0), bits_of("4"));
    EXPECT_EQ(found.at(3, 1), bits_of("7"));
    EXPECT_EQ(found.at(5, 1), bits_of("10"));
    for (std::size_t r : {1, 2, 3, 4}) EXPECT_TRUE(found.is_marked(r)) << r;  // too many digits, no numbers
    EXPECT_FALSE(found.is_marked(0) || found.is_marked(5));
  }
}

}  // namespace
}  // namespace penstock
