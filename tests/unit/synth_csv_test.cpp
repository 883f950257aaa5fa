/// The shapes of synthetic CSV, and that the reader takes it.
#include "host/app/synth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "host/pipeline/record_stream.hpp"
#include "penstock/error.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock::app {
namespace {

/// Parts between separators; a separator at the end opens an empty last part.
std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

using Table = std::vector<std::vector<std::string>>;

/// Fields of records that each end with a line feed.
Table fields_of(std::string const& text) {
  EXPECT_TRUE(text.ends_with('\n'));
  Table table;
  for (std::string const& line : split(std::string_view(text).substr(0, text.size() - 1), '\n')) {
    table.push_back(split(line, ','));
  }
  return table;
}

template <class Number>
Number parsed(std::string const& field) {
  Number value{};
  auto const [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  EXPECT_TRUE(error == std::errc{} && end == field.data() + field.size()) << '"' << field << '"';
  return value;
}

std::string printed(char const* format, double value) {
  std::array<char, 64> text{};
  int const size = std::snprintf(text.data(), text.size(), format, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

TEST(SynthCsv, HiggsFieldsAreFloatsAsPrintfShowsThem) {
  Table const table = fields_of(synthesize_block("higgs", 1, 0));
  std::size_t negative = 0;
  for (auto const& record : table) {
    ASSERT_EQ(record.size(), 29u);
    EXPECT_TRUE(record[0] == "0.000000000000000000e+00" || record[0] == "1.000000000000000000e+00");
    for (std::string const& field : record) {
      auto const value = parsed<float>(field);
      negative += value < 0;
      EXPECT_EQ(printed("%.18e", static_cast<double>(value)), field);
    }
  }
  EXPECT_GT(negative, table.size() * 4);
}

TEST(SynthCsv, HiggsColumnsLookLikeTheirKind) {
  Table const table = fields_of(synthesize_block("higgs", 2, 0) + synthesize_block("higgs", 2, 1));
  std::vector<std::vector<double>> columns(29);
  for (auto const& record : table) {
    for (std::size_t i = 0; i < record.size(); ++i) columns[i].push_back(parsed<double>(record[i]));
  }
  auto const mean_of = [](auto const& values, auto transform) {
    double sum = 0;
    for (double v : values) sum += transform(v);
    return sum / static_cast<double>(values.size());
  };
  auto const same = [](double v) { return v; };
  auto const square = [](double v) { return v * v; };
  EXPECT_NEAR(mean_of(columns[0], same), 0.5, 0.05);   // labels
  EXPECT_NEAR(mean_of(columns[1], same), 1.25, 0.05);  // a momentum
  EXPECT_GT(std::ranges::min(columns[1]), 0.24);
  EXPECT_NEAR(mean_of(columns[2], same), 0, 0.1);  // a bell
  EXPECT_NEAR(mean_of(columns[2], square), 1, 0.1);
  EXPECT_LT(std::ranges::max(columns[3]), 1.75);  // an angle
  EXPECT_GT(std::ranges::max(columns[3]), 1.7);
  for (std::size_t tag : {9u, 13u, 17u, 21u}) {
    EXPECT_EQ(std::set<double>(columns[tag].begin(), columns[tag].end()).size(), 3u) << tag;
  }
}

TEST(SynthCsv, CompactFieldsAreShortNumbersOrEmpty) {
  Table const table = fields_of(synthesize_block("compact", 1, 0));
  std::array<std::size_t, 7> integers_of_digits{};
  std::array<std::size_t, 7> decimals_of_digits{};
  std::size_t empty = 0, below_thousand = 0, decimals = 0, negative_integers = 0, negative_decimals = 0;
  for (auto const& record : table) {
    ASSERT_EQ(record.size(), 40u);
    EXPECT_TRUE(record[0] == "0" || record[0] == "1") << record[0];
    for (std::size_t column = 1; column < record.size(); ++column) {
      std::string const& field = record[column];
      bool const is_negative = field.starts_with('-');
      if (field.empty()) {
        ++empty;
      } else if (column % 5 < 2) {
        auto const value = parsed<std::int64_t>(field);
        EXPECT_EQ(std::to_string(value), field);
        negative_integers += is_negative;
        ++integers_of_digits.at(field.size() - is_negative);
      } else {
        auto const value = parsed<double>(field);
        EXPECT_EQ(printed("%.6g", value), field);
        std::size_t const first = field.find_first_of("123456789");
        ++decimals_of_digits.at(field.size() - first - (field.find('.') > first ? 1 : 0));
        negative_decimals += is_negative;
        below_thousand += std::abs(value) < 1000;
        ++decimals;
      }
    }
  }
  auto const share = [](std::size_t part, std::size_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  EXPECT_NEAR(share(empty, table.size() * 39), 0.03, 0.004);
  EXPECT_NEAR(share(negative_decimals, decimals), 0.5, 0.02);
  EXPECT_GT(share(below_thousand, decimals), 0.9);
  EXPECT_GT(negative_integers, table.size() / 8);
  for (std::size_t digits = 1; digits <= 6; ++digits) {
    EXPECT_GT(integers_of_digits[digits], table.size()) << digits;
    EXPECT_GT(decimals_of_digits[digits], table.size() / 16) << digits;
  }
}

struct Read {
  StreamCounts counts;
  std::string complaint;
};

/// What the reader says to a text whose columns `ignore` hold words.
Read read(std::string const& text, std::string const& ignore, std::size_t columns) {
  testing::ScratchFolder const folder;
  CsvOptions options;
  options.label = "label";
  options.ignore = ignore;
  auto const plan = testing::plan_files({folder.put("in.csv", text)}, options);
  EXPECT_EQ(plan->columns().size(), columns);
  EXPECT_TRUE(plan->has_header());
  RecordStream stream(*plan, StreamOptions{});
  std::string complaint;
  try {
    while (stream.next() != nullptr) continue;
  } catch (Error const& error) {
    complaint = error.what();
  }
  return {stream.counts(), complaint};
}

std::string with_header(std::string_view kind) {
  return std::string(synth_kind(kind).header) + synthesize_block(kind, 1, 0);
}

TEST(SynthCsv, ReaderTakesQuotedRecordsWithoutFaults) {
  Read const found = read(with_header("quoted"), "title,comment", 12);
  EXPECT_EQ(found.complaint, "");
  EXPECT_EQ(found.counts.records, synth_kind("quoted").block_rows);
  EXPECT_EQ(found.counts.rejected, 0u);
  double const cells = 7 * static_cast<double>(found.counts.records);
  EXPECT_NEAR(static_cast<double>(found.counts.missing_cells) / cells, 0.03, 0.005);
}

TEST(SynthCsv, QuotedTextsHoldCommasLineEndsAndQuotes) {
  std::string const text = synthesize_block("quoted", 1, 0);
  std::size_t const rows = synth_kind("quoted").block_rows;
  std::size_t commas = 0, line_feeds = 0, carriage_returns = 0, doubled = 0, quotes = 0;
  bool is_inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      ++quotes;
      doubled += is_inside && text[i + 1] == '"' ? 1 : 0;
      is_inside = !is_inside;
    } else if (is_inside) {
      commas += text[i] == ',';
      line_feeds += text[i] == '\n';
      carriage_returns += text[i] == '\r';
    }
  }
  EXPECT_FALSE(is_inside);
  EXPECT_EQ(quotes - 2 * doubled, rows * 8) << "two texts and two numbers";
  EXPECT_GT(commas, rows * 2);
  EXPECT_GT(line_feeds, rows * 3 / 4);
  EXPECT_GT(carriage_returns, rows / 4);
  EXPECT_GT(doubled, rows);
  EXPECT_NEAR(static_cast<double>(text.size()) / static_cast<double>(rows), 150, 15);
}

TEST(SynthCsv, ReaderTakesWideRecordsWithoutFaults) {
  Read const found = read(with_header("wide"), "", 785);
  EXPECT_EQ(found.complaint, "");
  EXPECT_EQ(found.counts.records, synth_kind("wide").block_rows);
  EXPECT_EQ(found.counts.rejected + found.counts.missing_cells, 0u);
}

TEST(SynthCsv, WideFieldsAreBytesAndMostlyZero) {
  Table const table = fields_of(synthesize_block("wide", 1, 0));
  std::array<std::size_t, 256> pixels{};
  std::set<std::string> labels;
  std::size_t bytes = 0;
  for (auto const& record : table) {
    ASSERT_EQ(record.size(), 785u);
    labels.insert(record[0]);
    for (std::size_t i = 1; i < record.size(); ++i) {
      auto const pixel = parsed<std::uint8_t>(record[i]);
      EXPECT_EQ(std::to_string(pixel), record[i]);
      ++pixels[pixel];
      bytes += record[i].size() + 1;
    }
  }
  double const count = 784 * static_cast<double>(table.size());
  EXPECT_NEAR(static_cast<double>(pixels[0]) / count, 0.81, 0.005);
  EXPECT_EQ(labels.size(), 10u);
  EXPECT_GT(pixels[255], pixels[100]);
  EXPECT_GE(std::ranges::count_if(pixels, [](std::size_t n) { return n > 0; }), 140);
  EXPECT_NEAR(static_cast<double>(bytes) / static_cast<double>(table.size()), 1830, 40);  // MNIST as CSV: 1.83 KB
}

}  // namespace
}  // namespace penstock::app
