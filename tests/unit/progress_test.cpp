#include "host/app/progress.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view erase_line = "\r\x1b[K";
constexpr std::uint64_t max64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t gib = std::uint64_t{1} << 30;

/// A Progress with a clock that stands still until it is moved, and a terminal that keeps what it got.
class ProgressTest : public testing::Test {
 protected:
  Progress make(ProgressOptions const& options) {
    return {options, [this](std::string_view text) { written.emplace_back(text); }, [this] { return time; }};
  }
  static std::string shown(std::string_view line) { return std::string(erase_line) + std::string(line); }

  std::vector<std::string> written;
  Progress::Time time{};
};

TEST_F(ProgressTest, ShowsWhatIsKnown) {
  Progress progress = make({.stored_bytes_total = 20 * gib, .columns_max = 120});
  time += 8s;
  progress.update({.stored_bytes = 5 * gib, .records = 1'234'567, .rejected = 3});
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0], shown("  25.0 %  5.0 GiB  671 MB/s  eta 0:00:24  1,234,567 records  3 rejected"));
}

TEST_F(ProgressTest, UnknownTotalLeavesOutShareAndTimeLeft) {
  Progress progress = make({});
  time += 2s;
  progress.update({.stored_bytes = 2000, .records = 1});
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0], shown("  2.0 KiB  1.00 KB/s  1 records"));
}

TEST_F(ProgressTest, NoTimeLeftBeforeTheFirstByteAndAfterTheLast) {
  Progress progress = make({.stored_bytes_total = 1000});
  time += 1s;
  progress.update({});
  time += 1s;
  progress.update({.stored_bytes = 1000, .records = 9});
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(written[0], shown("  0.0 %  0 B  0 B/s  0 records"));
  EXPECT_EQ(written[1], shown("  100.0 %  1000 B  500 B/s  9 records"));
}

TEST_F(ProgressTest, AtMostFiveLinesASecond) {
  Progress progress = make({});
  for (int i = 0; i < 1000; ++i) {
    time += 1ms;
    progress.update({.stored_bytes = 1});
  }
  EXPECT_EQ(written.size(), 5u);
}

TEST_F(ProgressTest, ShortWorkShowsNothing) {
  {
    Progress progress = make({});
    time += 199ms;
    progress.update({.stored_bytes = 1});
    progress.clear();
  }
  EXPECT_TRUE(written.empty());
}

TEST_F(ProgressTest, ClearErasesOnceAndTheNextUpdateDrawsAgain) {
  {
    Progress progress = make({});
    time += 1s;
    progress.update({.stored_bytes = 1});
    progress.clear();
    progress.clear();
    ASSERT_EQ(written.size(), 2u);
    EXPECT_EQ(written[1], erase_line);
    time += 1s;
    progress.update({.stored_bytes = 1});
    EXPECT_EQ(written.size(), 3u);
  }
  ASSERT_EQ(written.size(), 4u) << "the destructor erases";
  EXPECT_EQ(written[3], erase_line);
}

TEST_F(ProgressTest, DisabledWritesNothing) {
  {
    Progress progress = make({.is_enabled = false, .stored_bytes_total = 10});
    time += 1h;
    progress.update({.stored_bytes = 10});
  }
  EXPECT_TRUE(written.empty());
}

TEST_F(ProgressTest, NarrowTerminalsCutTheLine) {
  Progress progress = make({.columns_max = 12});
  time += 2s;
  progress.update({.stored_bytes = 2000, .records = 1});
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0], shown("  2.0 KiB  "));
}

TEST(ProgressOnStderr, QuietDisables) {
  EXPECT_FALSE(progress_on_stderr(true, std::nullopt).is_enabled);
  EXPECT_EQ(progress_on_stderr(true, 7).stored_bytes_total, 7u);
}

TEST(TextFormat, Bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(53'145), "51.9 KiB");
  EXPECT_EQ(format_bytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(1023 * 1024 + 900), "1023.9 KiB");
  EXPECT_EQ(format_bytes(12'025'908'429), "11.2 GiB");
  EXPECT_EQ(format_bytes(max64), "16.0 EiB");
}

TEST(TextFormat, Count) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(41'238'901), "41,238,901");
  EXPECT_EQ(format_count(max64), "18,446,744,073,709,551,615");
}

TEST(TextFormat, Rate) {
  EXPECT_EQ(format_rate(0), "0 B/s");
  EXPECT_EQ(format_rate(999.4), "999 B/s");
  EXPECT_EQ(format_rate(999.6), "1.00 KB/s");
  EXPECT_EQ(format_rate(1.32e9), "1.32 GB/s");
  EXPECT_EQ(format_rate(13.24e9), "13.2 GB/s");
  EXPECT_EQ(format_rate(999.7e6), "1.00 GB/s");
  EXPECT_EQ(format_rate(96.4e6), "96.4 MB/s");
  EXPECT_EQ(format_rate(132.4e6), "132 MB/s");
  EXPECT_EQ(format_rate(std::numeric_limits<double>::infinity()), "0 B/s");
  EXPECT_EQ(format_rate(-1), "0 B/s");
}

TEST(TextFormat, DurationAndClock) {
  EXPECT_EQ(format_duration(0), "0 ms");
  EXPECT_EQ(format_duration(0.29), "290 ms");
  EXPECT_EQ(format_duration(0.9999), "1.0 s");
  EXPECT_EQ(format_duration(2.94), "2.9 s");
  EXPECT_EQ(format_duration(59.96), "0:01:00");
  EXPECT_EQ(format_duration(83.2), "0:01:23");
  EXPECT_EQ(format_duration(-3), "0 ms");
  EXPECT_EQ(format_clock(0), "0:00:00");
  EXPECT_EQ(format_clock(3599), "0:59:59");
  EXPECT_EQ(format_clock(360'000), "100:00:00");
}

TEST(TextFormat, Percent) {
  EXPECT_EQ(format_percent(0, 0), "0.0 %");
  EXPECT_EQ(format_percent(0, 5), "0.0 %");
  EXPECT_EQ(format_percent(42, 100), "42.0 %");
  EXPECT_EQ(format_percent(3, 5000), "0.06 %");
  EXPECT_EQ(format_percent(1, 1'000'000), "<0.01 %");
  EXPECT_EQ(format_percent(99'999, 100'000), "99.9 %");
  EXPECT_EQ(format_percent(max64 - 1, max64), "99.9 %");
  EXPECT_EQ(format_percent(7, 7), "100.0 %");
  EXPECT_EQ(format_percent(8, 7), "100.0 %");
}

TEST(TextFormat, ParseSize) {
  EXPECT_EQ(parse_size("64"), 64u);
  EXPECT_EQ(parse_size("64B"), 64u);
  EXPECT_EQ(parse_size("4k"), 4096u);
  EXPECT_EQ(parse_size("256MiB"), 256u << 20);
  EXPECT_EQ(parse_size("256 mib"), 256u << 20);
  EXPECT_EQ(parse_size("1GB"), 1'000'000'000u);
  EXPECT_EQ(parse_size("1G"), gib);
  EXPECT_EQ(parse_size("2T"), 2048 * gib);
  EXPECT_EQ(parse_size("1.5GiB"), gib + gib / 2);
  EXPECT_EQ(parse_size("0.0001K"), 0u);
  EXPECT_EQ(parse_size("1.999KB"), 1999u);
  EXPECT_EQ(parse_size("18446744073709551615"), max64);
}

TEST(TextFormat, ParseSizeRefuses) {
  for (char const* text : {"",
                           " ",
                           "B",
                           "k",
                           "-1",
                           "+1",
                           "1.5",
                           "1.5B",
                           "1.GiB",
                           ".5K",
                           "1..5K",
                           "1 ",
                           "1  K",
                           " 1K",
                           "1Ki",
                           "1KK",
                           "1KiBs",
                           "1E",
                           "0x10",
                           "1e3",
                           "18446744073709551616",
                           "16777216T",
                           "18446744073709551615.5K",
                           "1.1234567890123456789G",
                           "1,5K"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << '"' << text << '"';
  }
}

TEST(TextFormat, EscapeKeepsWhatCanBeShown) {
  EXPECT_EQ(escape_for_display("plain, \"text\" \\ 1", 100), "plain, \"text\" \\ 1");
  EXPECT_EQ(escape_for_display("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 100),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(escape_for_display("a\nb\rc\td", 100), "a\\nb\\rc\\td");
  EXPECT_EQ(escape_for_display("", 100), "");
}

TEST(TextFormat, EscapeShowsBytesThatCannot) {
  EXPECT_EQ(escape_for_display({"\0\x1b[31m\x7f", 7}, 100), "\\x00\\x1b[31m\\x7f");
  EXPECT_EQ(escape_for_display("\xff\x80", 100), "\\xff\\x80");
  EXPECT_EQ(escape_for_display("\xc3", 100), "\\xc3");  // cut short
  EXPECT_EQ(escape_for_display("\xe2\x82"
                               "a",
                               100),
            "\\xe2\\x82a");                                                        // cut short by a letter
  EXPECT_EQ(escape_for_display("\xc0\xaf", 100), "\\xc0\\xaf");                    // not the shortest form
  EXPECT_EQ(escape_for_display("\xe0\x80\xaf", 100), "\\xe0\\x80\\xaf");           // not the shortest form
  EXPECT_EQ(escape_for_display("\xed\xa0\x80", 100), "\\xed\\xa0\\x80");           // a surrogate
  EXPECT_EQ(escape_for_display("\xf4\x90\x80\x80", 100), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(escape_for_display("\xc2\x9b", 100), "\\xc2\\x9b");                    // a control character
  EXPECT_EQ(escape_for_display("\xe2\x80\xae", 100), "\\xe2\\x80\\xae");           // turns text around
}

TEST(TextFormat, EscapeCutsAtColumns) {
  EXPECT_EQ(escape_for_display("abcdef", 6), "abcdef");
  EXPECT_EQ(escape_for_display("abcdefg", 6), "abcde\xe2\x80\xa6");
  EXPECT_EQ(escape_for_display("\xc3\xbc\xc3\xbc\xc3\xbc", 2), "\xc3\xbc\xe2\x80\xa6");
  EXPECT_EQ(escape_for_display("ab\x01", 5), "ab\xe2\x80\xa6");  // an escape is not cut in two
  EXPECT_EQ(escape_for_display("ab", 1), "\xe2\x80\xa6");
  EXPECT_EQ(escape_for_display("ab", 0), "");
}

void expect_excerpt(CaretExcerpt const& excerpt, std::string_view text, std::string_view marker) {
  EXPECT_EQ(excerpt.text, text);
  EXPECT_EQ(excerpt.marker, marker);
}

TEST(CaretLine, MarksTheCell) {
  expect_excerpt(caret_line("1,4O,3", 2, 4), "1,4O,3", "  ^~");
  expect_excerpt(caret_line("abc", 0, 3), "abc", "^~~");
  expect_excerpt(caret_line("a,,b", 2, 2), "a,,b", "  ^");
  expect_excerpt(caret_line("a,", 2, 2), "a,", "  ^");
  expect_excerpt(caret_line("", 0, 0), "", "^");
  expect_excerpt(caret_line("ab", 7, 9), "ab", "  ^");
}

TEST(CaretLine, CountsColumnsNotBytes) {
  expect_excerpt(caret_line("\xc3\xbc,\xe2\x82\xac\xe2\x82\xac,x", 3, 9), "\xc3\xbc,\xe2\x82\xac\xe2\x82\xac,x",
                 "  ^~");
  expect_excerpt(caret_line("\x01,\xff\t,x", 2, 4), "\\x01,\\xff\\t,x", "     ^~~~~~");
  expect_excerpt(caret_line("a\xe2\x82\xac"
                            "b",
                            2, 3),
                 "a\xe2\x82\xac"
                 "b",
                 " ^");  // inside a character
}

TEST(CaretLine, LongLinesShowTheNeighbourhood) {
  std::string const line = std::string(5000, 'l') + ",cell," + std::string(5000, 'r');
  std::string const left = "\xe2\x80\xa6" + std::string(46, 'l') + ",";
  expect_excerpt(caret_line(line, 5001, 5005), left + "cell," + std::string(46, 'r') + "\xe2\x80\xa6",
                 std::string(48, ' ') + "^~~~");
}

TEST(CaretLine, RoomOnOneSideGoesToTheOther) {
  std::string const line = "ab,cell," + std::string(200, 'r');
  expect_excerpt(caret_line(line, 3, 7), "ab,cell," + std::string(90, 'r') + "\xe2\x80\xa6", "   ^~~~");
  std::string const other = std::string(200, 'l') + ",cell";
  expect_excerpt(caret_line(other, 201, 205), "\xe2\x80\xa6" + std::string(93, 'l') + ",cell",
                 std::string(95, ' ') + "^~~~");
}

TEST(CaretLine, WideCellsAreCut) {
  std::string const line = "1," + std::string(3000, 'x') + ",2";
  expect_excerpt(caret_line(line, 2, 3002), "\xe2\x80\xa6" + std::string(98, 'x') + "\xe2\x80\xa6",
                 " ^" + std::string(97, '~'));
}

TEST(CaretLine, NeverWiderThanItsLimit) {
  std::string line;
  for (int i = 0; i < 700; ++i) line += i % 3 == 0 ? "\xf0\x9f\x98\x80" : i % 3 == 1 ? "\x02" : "q";
  for (std::size_t begin = 0; begin <= line.size(); ++begin) {
    CaretExcerpt const excerpt = caret_line(line, begin, std::min(begin + begin % 50, line.size()));
    auto const is_lead = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
    auto const columns = std::ranges::count_if(excerpt.text, is_lead);
    ASSERT_LE(columns, static_cast<std::ptrdiff_t>(caret_columns_max)) << begin;
    ASSERT_LE(excerpt.marker.size(), static_cast<std::size_t>(columns) + 1) << begin;
    ASSERT_EQ(excerpt.text.find("\\xf0"), std::string::npos) << "cut within a character at " << begin;
  }
}

}  // namespace
}  // namespace penstock::app
