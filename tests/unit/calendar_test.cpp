// Dates and times against std::chrono, and texts that are none.

#include "formats/normalize/calendar.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {
namespace {

using normalize::CalendarPart;
using normalize::Instant;
using normalize::part_of;
using normalize::TimeFormat;
namespace chrono = std::chrono;

/// From a copy of just its bytes, so that a sanitizer sees what is read behind them.
std::optional<Instant> read(std::string_view text, TimeFormat format = TimeFormat::iso) {
  std::vector<char> const bytes(text.begin(), text.end());
  Instant instant;
  bool const is_read = normalize::read_instant(bytes.data(), bytes.data() + bytes.size(), format, instant);
  return is_read ? std::optional(instant) : std::nullopt;
}

chrono::sys_days random_day(std::mt19937_64& random) {
  auto const first = chrono::sys_days(chrono::year(1) / 1 / 1), last = chrono::sys_days(chrono::year(9999) / 12 / 31);
  return first + chrono::days(random() % static_cast<std::uint64_t>((last - first).count() + 1));
}

std::int64_t seconds_at(chrono::sys_days day) { return chrono::sys_seconds(day).time_since_epoch().count(); }

template <class... Parts>
std::string text_of(char const* pattern, Parts... parts) {
  std::array<char, 64> text = {};
  int const bytes = std::snprintf(text.data(), text.size(), pattern, parts...);
  return {text.data(), static_cast<std::size_t>(bytes)};
}

struct Ymd {
  int year, month, day;
};

Ymd fields_of(chrono::sys_days day) {
  chrono::year_month_day const date(day);
  return {int(date.year()), static_cast<int>(unsigned(date.month())), static_cast<int>(unsigned(date.day()))};
}

TEST(Calendar, DatesAgreeWithChrono) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    chrono::sys_days const day = random_day(random);
    auto const [y, m, d] = fields_of(day);
    Instant const wanted = {seconds_at(day), 0};
    ASSERT_EQ(read(text_of("%04d-%02d-%02d", y, m, d)), wanted);
    ASSERT_EQ(read(text_of("%04d/%02d/%02d", y, m, d)), wanted);
    ASSERT_EQ(read(text_of("%d/%d/%04d", m, d, y), TimeFormat::us), wanted);
    ASSERT_EQ(read(text_of("%02d/%02d/%04d", m, d, y), TimeFormat::us), wanted);
    ASSERT_EQ(read(text_of("%d.%d.%04d", d, m, y), TimeFormat::european), wanted);
    ASSERT_EQ(read(text_of("%02d/%02d/%04d", d, m, y), TimeFormat::european), wanted);
  }
}

TEST(Calendar, TimesAgreeWithChrono) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    chrono::sys_days const day = random_day(random);
    auto const [y, m, d] = fields_of(day);
    auto const clock = static_cast<int>(random() % 86400), nanoseconds = static_cast<int>(random() % 1'000'000'000);
    int const hour = clock / 3600, minute = clock / 60 % 60, second = clock % 60;
    std::int64_t const midnight = seconds_at(day);
    std::string const date = text_of("%04d-%02d-%02d", y, m, d);
    std::string const minutes = text_of("%02d:%02d", hour, minute);
    std::string const seconds = minutes + text_of(":%02d", second);
    Instant const at_minute = {midnight + hour * 3600 + minute * 60, 0};
    Instant const at_second = {midnight + clock, 0};
    ASSERT_EQ(read(date + " " + minutes), at_minute);
    ASSERT_EQ(read(date + "T" + seconds), at_second);
    ASSERT_EQ(read(date + "T" + seconds + text_of(".%09dZ", nanoseconds)), (Instant{midnight + clock, nanoseconds}));
    ASSERT_EQ(read(text_of("%d/%d/%04d %d:%02d", m, d, y, hour, minute), TimeFormat::us), at_minute);
    ASSERT_EQ(read(text_of("%d.%d.%04d ", d, m, y) + seconds, TimeFormat::european), at_second);
  }
}

TEST(Calendar, ZonesAreTakenAway) {
  constexpr std::int64_t noon = 1'709'208'000;  // 2024-02-29 12:00:00 UTC
  for (int hours = 0; hours <= 23; ++hours) {
    for (int minutes = 0; minutes <= 59; ++minutes) {
      std::int64_t const ahead = hours * 3600 + minutes * 60;
      for (char const* const pattern : {"%c%02d:%02d", "%c%02d%02d"}) {
        ASSERT_EQ(read("2024-02-29T12:00" + text_of(pattern, '+', hours, minutes)), (Instant{noon - ahead, 0}));
        ASSERT_EQ(read("2024-02-29 12:00:00.25" + text_of(pattern, '-', hours, minutes)),
                  (Instant{noon + ahead, 250'000'000}));
      }
    }
    ASSERT_EQ(read("2024/02/29 12:00" + text_of("-%02d", hours)), (Instant{noon + hours * 3600, 0}));
  }
  EXPECT_EQ(read("29.2.2024T12:00Z", TimeFormat::european), (Instant{noon, 0}));
  EXPECT_EQ(read("2/29/2024 7:00-05", TimeFormat::us), (Instant{noon, 0}));
}

TEST(Calendar, Fractions) {
  std::string const digits = "123456789";
  std::int32_t const wanted[] = {100'000'000, 120'000'000, 123'000'000, 123'400'000, 123'450'000,
                                 123'456'000, 123'456'700, 123'456'780, 123'456'789};
  for (std::size_t n = 1; n <= 9; ++n)
    EXPECT_EQ(read("1969-12-31 23:59:59." + digits.substr(0, n)), (Instant{-1, wanted[n - 1]}));
  EXPECT_EQ(read("1970-01-01 00:00:00.000000001"), (Instant{0, 1}));
  EXPECT_EQ(normalize::seconds_of({-1, 750'000'000}), -0.25);
  EXPECT_EQ(normalize::seconds_of({1'709'208'000, 0}), 1'709'208'000.0);
}

TEST(Calendar, Epochs) {
  auto const seconds = [](std::string_view text) { return read(text, TimeFormat::epoch); };
  auto const milliseconds = [](std::string_view text) { return read(text, TimeFormat::epoch_ms); };
  EXPECT_EQ(seconds("0"), (Instant{0, 0}));
  EXPECT_EQ(seconds("-1"), (Instant{-1, 0}));
  EXPECT_EQ(seconds("+1709208000"), (Instant{1'709'208'000, 0}));
  EXPECT_EQ(seconds("0000000000000000000000001709208000"), (Instant{1'709'208'000, 0}));
  EXPECT_EQ(milliseconds("1709208000123"), (Instant{1'709'208'000, 123'000'000}));
  EXPECT_EQ(milliseconds("-1"), (Instant{-1, 999'000'000}));
  EXPECT_EQ(milliseconds("-1000"), (Instant{-1, 0}));
  EXPECT_EQ(milliseconds("-1001"), (Instant{-2, 999'000'000}));
  // The first and the last second of the years that there are.
  EXPECT_EQ(seconds("-62135596800"), read("0001-01-01"));
  EXPECT_EQ(seconds("253402300799"), read("9999-12-31 23:59:59"));
  EXPECT_EQ(milliseconds("253402300799999"), read("9999-12-31 23:59:59.999"));
  for (char const* const text : {"-62135596801", "253402300800", "999999999999999999", "9999999999999999999",
                                 "18446744073709551616", "-18446744073709551616", "1709208000000000000"}) {
    EXPECT_FALSE(seconds(text)) << text;
  }
  EXPECT_FALSE(milliseconds("-62135596800001"));
  EXPECT_FALSE(milliseconds("253402300800000"));
  for (char const* const text :
       {"", "-", "+", "+-1", "--1", "1.0", "1e9", " 1", "1 ", "0x1", "1_000", "1,000", "2024-02-29", "nan", "-0x1"}) {
    EXPECT_FALSE(seconds(text)) << text;
    EXPECT_FALSE(milliseconds(text)) << text;
  }
}

TEST(Calendar, WhatIsNoTime) {
  for (char const* const text : {
           // dates
           "",
           "2024",
           "2024-",
           "2024-02",
           "2024-02-",
           "2024-2-29",
           "2024-02-2",
           "224-02-29",
           "12024-02-29",
           "2024-002-29",
           "2024-02-029",
           "20240229",
           "2024-02/29",
           "2024/02-29",
           "2024.02.29",
           "2024 02 29",
           "0000-01-01",
           "2024-00-10",
           "2024-13-10",
           "2024-01-00",
           "2024-01-32",
           "2024-04-31",
           "2024-06-31",
           "2024-09-31",
           "2024-11-31",
           "2023-02-29",
           "1900-02-29",
           "2100-02-29",
           "2024-02-30",
           "-2024-02-29",
           "+2024-02-29",
           " 2024-02-29",
           "2024-02-29 ",
           "2024-02-29T",
           "2024-02-29x",
           "2O24-02-29",
           "2024-Feb-29",
           "29.02.2024",
           "02/29/2024",
           "1709208000",
           // times
           "2024-02-29 12",
           "2024-02-29 12:",
           "2024-02-29 12:0",
           "2024-02-29 1:00",
           "2024-02-29 24:00",
           "2024-02-29 12:60",
           "2024-02-29 12:000",
           "2024-02-29 12:00:",
           "2024-02-29 12:00:0",
           "2024-02-29 12:00:60",
           "2024-02-29 23:59:60",
           "2024-02-29 12:00:000",
           "2024-02-29  12:00",
           "2024-02-29t12:00",
           "2024-02-29_12:00",
           "2024-02-29-12:00",
           "2024-02-29 12.00",
           "2024-02-29 12:00:00.",
           "2024-02-29 12:00:00,5",
           "2024-02-29 12:00:00.1234567890",
           "2024-02-29 12:00.5",
           "2024-02-29 -1:00",
           "2024-02-29 12:00 PM",
           "2024-02-29 1200",
           "12:00",
           "T12:00",
           // zones
           "2024-02-29Z",
           "2024-02-29+01:00",
           "2024-02-29 Z",
           "2024-02-29 12:00z",
           "2024-02-29 12:00ZZ",
           "2024-02-29 12:00Z+01",
           "2024-02-29 12:00 Z",
           "2024-02-29 12:00 +01:00",
           "2024-02-29 12:00+",
           "2024-02-29 12:00+1",
           "2024-02-29 12:00+1:00",
           "2024-02-29 12:00+01:",
           "2024-02-29 12:00+01:0",
           "2024-02-29 12:00+010",
           "2024-02-29 12:00+01:000",
           "2024-02-29 12:00+01000",
           "2024-02-29 12:00+24:00",
           "2024-02-29 12:00+01:60",
           "2024-02-29 12:00+0160",
           "2024-02-29 12:00+01:00Z",
           "2024-02-29 12:00UTC",
           "2024-02-29 12:00:00.+01",
           "2024-02-29 12Z",
           "2024-02-29 12+01",
           // not in the years 0001 to 9999 of UTC
           "0001-01-01 00:00+00:01",
           "9999-12-31 23:59-00:01",
       }) {
    EXPECT_FALSE(read(text)) << text;
  }
  EXPECT_FALSE(read(std::string_view("2024-02-29\0", 11)));
  EXPECT_TRUE(read("0001-01-01 00:00-00:01"));
  EXPECT_TRUE(read("9999-12-31 23:59+00:01"));
}

TEST(Calendar, WhatIsNoTimeOfOtherFormats) {
  for (char const* const text : {"",
                                 "2024-02-29",
                                 "13/1/2024",
                                 "0/1/2024",
                                 "1/0/2024",
                                 "2/30/2024",
                                 "1/1/24",
                                 "1/1/02024",
                                 "001/1/2024",
                                 "1/001/2024",
                                 "1.1.2024",
                                 "1-1-2024",
                                 "1/1.2024",
                                 "/1/2024",
                                 "1//2024",
                                 "1/1/",
                                 "1/1/2024 ",
                                 "1/1/2024 1",
                                 "1/1/2024 1:0",
                                 "1/1/2024 24:00",
                                 "1/1/2024 001:00",
                                 "1/1/2024 :00",
                                 "1/1/2024 1:00 AM",
                                 "1/1/0000"}) {
    EXPECT_FALSE(read(text, TimeFormat::us)) << text;
  }
  for (char const* const text :
       {"", "2024-02-29", "1/13/2024", "1.13.2024", "32.1.2024", "0.1.2024", "1.0.2024", "30.2.2024", "1.1.24",
        "1.1/2024", "1/1.2024", "1-1-2024", "1. 1. 2024", "1.1.2024.", "1.1.2024 1", "1.1.0000"}) {
    EXPECT_FALSE(read(text, TimeFormat::european)) << text;
  }
  EXPECT_EQ(read("3/4/2024", TimeFormat::us), read("2024-03-04"));
  EXPECT_EQ(read("3/4/2024", TimeFormat::european), read("2024-04-03"));
}

/// One byte of a good text changed: it is taken exactly if a pattern written down by itself says so, and read to its
/// end.
TEST(Calendar, EveryByteMatters) {
  std::string const text = "2024-10-18T12:14:11.5+01:00";
  std::string const shape = "0000-00-00T00:00:00.0+00:00";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[at] = static_cast<char>(byte);
      char const was = shape[at];
      bool is_good = was == '0' ? byte >= '0' && byte <= '9' : byte == was;
      if (at == 10) is_good = byte == 'T' || byte == ' ';
      if (at == 21) is_good = byte == '+' || byte == '-';
      if (at == 19) is_good = byte == '.';
      int const month = (changed[5] - '0') * 10 + changed[6] - '0', day = (changed[8] - '0') * 10 + changed[9] - '0';
      int const hour = (changed[11] - '0') * 10 + changed[12] - '0';
      int const zone = (changed[22] - '0') * 10 + changed[23] - '0';
      bool const is_in_range = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && zone <= 23 &&
                               changed[14] <= '5' && changed[17] <= '5' && changed[25] <= '5';
      EXPECT_EQ(read(changed).has_value(), is_good && is_in_range) << changed;
    }
  }
  EXPECT_TRUE(read(text));
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    // A date; hours and minutes; seconds; a fraction; hours of a zone.
    bool const is_good = bytes == 10 || bytes == 16 || bytes == 19 || bytes == 21 || bytes == 24;
    EXPECT_EQ(read(text.substr(0, bytes)).has_value(), is_good) << text.substr(0, bytes);
  }
}

TEST(Calendar, PartsAgreeWithChrono) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    chrono::sys_days const day = random_day(random);
    auto const [y, m, d] = fields_of(day);
    auto const clock = static_cast<int>(random() % 86400);
    Instant const instant = {seconds_at(day) + clock, 999'999'999};
    ASSERT_EQ(part_of(instant, CalendarPart::year), y);
    ASSERT_EQ(part_of(instant, CalendarPart::month), m);
    ASSERT_EQ(part_of(instant, CalendarPart::day), d);
    ASSERT_EQ(part_of(instant, CalendarPart::hour), clock / 3600);
    ASSERT_EQ(part_of(instant, CalendarPart::minute), clock / 60 % 60);
    ASSERT_EQ(part_of(instant, CalendarPart::second), clock % 60);
    ASSERT_EQ(part_of(instant, CalendarPart::weekday), static_cast<int>(chrono::weekday(day).iso_encoding()) - 1);
    ASSERT_EQ(part_of(instant, CalendarPart::day_of_year),
              (day - chrono::sys_days(chrono::year(y) / 1 / 1)).count() + 1);
  }
  Instant const leap_day_end = *read("2024-12-31 23:59:59");
  EXPECT_EQ(part_of(leap_day_end, CalendarPart::day_of_year), 366);
  EXPECT_EQ(part_of(leap_day_end, CalendarPart::weekday), 1);
  EXPECT_EQ(part_of({0, 0}, CalendarPart::weekday), 3);
  EXPECT_EQ(part_of({-1, 0}, CalendarPart::second), 59);
  EXPECT_EQ(part_of({-1, 0}, CalendarPart::year), 1969);
}

TEST(Calendar, Names) {
  for (int i = 0; i < 8; ++i) {
    auto const part = static_cast<CalendarPart>(i);
    CalendarPart found = CalendarPart::year;
    EXPECT_TRUE(normalize::find_named(normalize::name_of(part), found));
    EXPECT_EQ(found, part);
  }
  for (int i = 0; i < 5; ++i) {
    auto const format = static_cast<TimeFormat>(i);
    TimeFormat found = TimeFormat::iso;
    EXPECT_TRUE(normalize::find_named(normalize::name_of(format), found));
    EXPECT_EQ(found, format);
  }
  EXPECT_EQ(normalize::name_of(CalendarPart::day_of_year), "day_of_year");
  EXPECT_EQ(normalize::name_of(CalendarPart::weekday), "weekday");
  EXPECT_EQ(normalize::name_of(TimeFormat::epoch_ms), "epoch_ms");
  EXPECT_EQ(normalize::name_of(TimeFormat::us), "us");
  CalendarPart part = CalendarPart::year;
  TimeFormat format = TimeFormat::iso;
  for (char const* const name : {"", "Year", "years", "day_of_yea"}) EXPECT_FALSE(normalize::find_named(name, part));
  for (char const* const name : {"", "ISO", "eu", "epoch_"}) EXPECT_FALSE(normalize::find_named(name, format));
}

/// Also at compile time, as on a device: no library function is needed.
constexpr bool reads_at_compile_time() {
  constexpr std::string_view text = "2024-02-29T12:00:00Z";
  Instant instant;
  return normalize::read_instant(text.data(), text.data() + text.size(), TimeFormat::iso, instant) &&
         instant == Instant{1'709'208'000, 0} && part_of(instant, CalendarPart::day) == 29;
}
static_assert(reads_at_compile_time());

}  // namespace
}  // namespace penstock
