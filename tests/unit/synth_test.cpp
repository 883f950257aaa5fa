#include "host/app/synth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Keeps everything; fails when it holds more than `capacity` bytes.
class MemorySink : public Sink {
 public:
  explicit MemorySink(std::size_t capacity) : capacity_(capacity) {}
  void write(std::span<std::byte const> bytes) override {
    if (text.size() + bytes.size() > capacity_) throw SinkError("full");
    text.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  }
  void commit() override { ++commits; }
  std::string text;
  int commits = 0;

 private:
  std::size_t capacity_;
};

std::string made(SynthOptions const& options, unsigned threads) {
  MemorySink sink(std::size_t{1} << 28);
  synthesize(options, sink, threads);
  EXPECT_EQ(sink.commits, 0);
  return sink.text;
}

/// FNV-1a, 64 bits.
std::uint64_t digest(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

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

// A changed digest means that everybody's data changes: it must not happen by accident.
TEST(Synth, BytesArePinned) {
  std::string const higgs = made({.kind = "higgs", .seed = 1, .size_bytes_min = 65536}, 1);
  std::string const compact = made({.kind = "compact", .seed = 1, .size_bytes_min = 65536}, 1);
  EXPECT_EQ(digest(std::string_view(higgs).substr(0, 65536)), 0x71a4af24a6e9ab02u);
  EXPECT_EQ(digest(std::string_view(compact).substr(0, 65536)), 0xf5b60174c45ce8edu);
}

TEST(Synth, ThreadsDoNotChangeBytes) {
  for (SynthKind const& kind : synth_kinds()) {
    std::string const name(kind.name);
    SynthOptions const by_rows{.kind = name, .seed = 7, .rows = 5 * kind.block_rows + 17};
    SynthOptions const by_size{.kind = name, .seed = 7, .size_bytes_min = 2'500'000, .header = true};
    for (SynthOptions const& options : {by_rows, by_size}) {
      std::string const alone = made(options, 1);
      for (unsigned threads : {0u, 2u, 3u, 8u}) EXPECT_TRUE(made(options, threads) == alone) << name << threads;
    }
  }
}

TEST(Synth, SeedsAndBlocksDiffer) {
  for (SynthKind const& kind : synth_kinds()) {
    EXPECT_NE(synthesize_block(kind.name, 1, 0), synthesize_block(kind.name, 2, 0));
    EXPECT_NE(synthesize_block(kind.name, 1, 0), synthesize_block(kind.name, 1, 1));
  }
}

TEST(Synth, OutputIsItsBlocks) {
  for (SynthKind const& kind : synth_kinds()) {
    std::string const expected = synthesize_block(kind.name, 3, 0) + synthesize_block(kind.name, 3, 1);
    EXPECT_EQ(std::ranges::count(expected, '\n'), static_cast<std::ptrdiff_t>(2 * kind.block_rows));
    EXPECT_TRUE(made({.kind = std::string(kind.name), .seed = 3, .rows = 2 * kind.block_rows}, 2) == expected);
  }
}

TEST(Synth, RowsAreExact) {
  for (SynthKind const& kind : synth_kinds()) {
    for (std::uint64_t rows : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{kind.block_rows} + 1}) {
      std::string const text = made({.kind = std::string(kind.name), .seed = 5, .rows = rows}, 2);
      EXPECT_EQ(static_cast<std::uint64_t>(std::ranges::count(text, '\n')), rows);
      EXPECT_TRUE(text.ends_with('\n'));
    }
  }
}

TEST(Synth, SizeEndsWithTheFirstRecordThatReachesIt) {
  for (SynthKind const& kind : synth_kinds()) {
    std::string const name(kind.name);
    std::string const block = synthesize_block(kind.name, 5, 0);
    for (std::size_t size : {std::size_t{1}, std::size_t{100'000}, block.size(), block.size() + 1}) {
      std::string const text = made({.kind = name, .seed = 5, .size_bytes_min = size}, 1);
      EXPECT_GE(text.size(), size);
      EXPECT_TRUE(text.ends_with('\n'));
      std::size_t const last_record = text.rfind('\n', text.size() - 2);
      EXPECT_LT(last_record == std::string::npos ? 0 : last_record + 1, size) << "one record less would do";
    }
  }
}

TEST(Synth, HeaderNamesEachColumnAndCountsAsBytes) {
  for (SynthKind const& kind : synth_kinds()) {
    std::string const name(kind.name);
    std::string const text = made({.kind = name, .seed = 1, .rows = 3, .header = true}, 1);
    EXPECT_EQ(text, std::string(kind.header) + made({.kind = name, .seed = 1, .rows = 3}, 1));
    Table const table = fields_of(text);
    ASSERT_EQ(table.size(), 4u);
    EXPECT_EQ(table[0].size(), table[1].size());
    EXPECT_EQ(table[0][0], "label");
    EXPECT_EQ(made({.kind = name, .seed = 1, .size_bytes_min = kind.header.size(), .header = true}, 1), kind.header);
  }
}

TEST(Synth, NoRecordExceedsItsLimit) {
  for (SynthKind const& kind : synth_kinds()) {
    for (std::string const& line : split(synthesize_block(kind.name, 11, 4), '\n')) {
      EXPECT_LT(line.size(), kind.record_bytes_max);
    }
  }
}

TEST(Synth, HiggsFieldsAreFloatsAsPrintfShowsThem) {
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

TEST(Synth, HiggsColumnsLookLikeTheirKind) {
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

TEST(Synth, CompactFieldsAreShortNumbersOrEmpty) {
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

TEST(Synth, UnknownKindNamesTheNearMissAndAllKinds) {
  try {
    made({.kind = "higs", .seed = 1, .rows = 1}, 1);
    FAIL() << "no error";
  } catch (ConfigurationError const& error) {
    EXPECT_NE(std::string(error.what()).find("\"higs\""), std::string::npos) << error.what();
    EXPECT_EQ(error.hint(), "did you mean \"higgs\"? kinds: higgs, compact");
    EXPECT_EQ(error.exit_code(), ExitCode::usage);
  }
  try {
    made({.kind = "parquet", .seed = 1, .rows = 1}, 1);
    FAIL() << "no error";
  } catch (ConfigurationError const& error) {
    EXPECT_EQ(error.hint(), "kinds: higgs, compact");
  }
}

TEST(Synth, NeedsEitherRowsOrSize) {
  EXPECT_THROW(made({.kind = "higgs", .seed = 1}, 1), ConfigurationError);
  EXPECT_THROW(made({.kind = "higgs", .seed = 1, .size_bytes_min = 1, .rows = 1}, 1), ConfigurationError);
}

TEST(Synth, SinkErrorsEndAllThreads) {
  for (unsigned threads : {1u, 4u}) {
    MemorySink sink(3'000'000);
    EXPECT_THROW(synthesize({.kind = "compact", .seed = 1, .rows = 1'000'000'000'000}, sink, threads), SinkError);
    EXPECT_GT(sink.text.size(), 2'000'000u);
  }
}

}  // namespace
}  // namespace penstock::app
