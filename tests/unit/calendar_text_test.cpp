// Texts of times: read back as the same seconds, and no longer than they have to be.

#include "formats/normalize/calendar_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>

namespace penstock {
namespace {

using normalize::instant_text;
using normalize::TimeFormat;

double read(std::string const& text, TimeFormat format) {
  normalize::Instant instant;
  bool const is_read = normalize::read_instant(text.data(), text.data() + text.size(), format, instant);
  return is_read ? normalize::seconds_of(instant) : std::numeric_limits<double>::quiet_NaN();
}

TEST(CalendarText, IsTheShortestOfItsFormat) {
  double const day = 1709164800, late = 1709251199.5;
  EXPECT_EQ(instant_text(day, TimeFormat::iso), "2024-02-29");
  EXPECT_EQ(instant_text(late, TimeFormat::iso), "2024-02-29T23:59:59.5Z");
  EXPECT_EQ(instant_text(day, TimeFormat::us), "2/29/2024");
  EXPECT_EQ(instant_text(late, TimeFormat::us), "2/29/2024 23:59:59.5");
  EXPECT_EQ(instant_text(late, TimeFormat::european), "29.2.2024 23:59:59.5");
  EXPECT_EQ(instant_text(late, TimeFormat::epoch_ms), "1709251199500");
  EXPECT_EQ(instant_text(-1, TimeFormat::epoch), "-1");
  EXPECT_EQ(instant_text(-1 + 0.999, TimeFormat::epoch_ms), "-1");
  EXPECT_EQ(instant_text(-0.25, TimeFormat::iso), "1969-12-31T23:59:59.75Z");
  EXPECT_EQ(instant_text(0.000000001, TimeFormat::iso), "1970-01-01T00:00:00.000000001Z");
}

TEST(CalendarText, IsNotThereWhereNoneIsRead) {
  for (double const seconds : {1e300, -1e300, std::numeric_limits<double>::quiet_NaN(),
                               std::numeric_limits<double>::infinity(), 253402300800.0, -62135596801.0, 1e-20, -1e-20})
    EXPECT_EQ(instant_text(seconds, TimeFormat::iso), std::nullopt) << seconds;
  EXPECT_EQ(instant_text(0.5, TimeFormat::epoch), std::nullopt);
  EXPECT_EQ(instant_text(0.0001, TimeFormat::epoch_ms), std::nullopt);
  EXPECT_EQ(instant_text(253402300799, TimeFormat::iso), "9999-12-31T23:59:59Z");
  EXPECT_EQ(instant_text(-62135596800, TimeFormat::iso), "0001-01-01");
}

TEST(CalendarText, IsReadBackAsTheSameSeconds) {
  std::mt19937_64 random(11);
  std::uniform_int_distribution<std::int64_t> whole(normalize::first_second, normalize::end_second - 1);
  std::uniform_int_distribution<std::int32_t> digits(0, 999'999'999);
  for (int i = 0; i < 20000; ++i) {
    normalize::Instant const instant{i % 2 == 0 ? whole(random) : whole(random) % 3'000'000'000, digits(random)};
    double const seconds = normalize::seconds_of(instant);
    for (TimeFormat const format : {TimeFormat::iso, TimeFormat::us, TimeFormat::european}) {
      auto const text = instant_text(seconds, format);
      if (seconds >= static_cast<double>(normalize::end_second)) continue;  // it was rounded up
      ASSERT_TRUE(text) << seconds;
      ASSERT_EQ(read(*text, format), seconds) << *text;
      ASSERT_LE(text->size(), normalize::instant_text_max);
    }
    auto const full = static_cast<double>(instant.seconds);
    ASSERT_EQ(read(*instant_text(full, TimeFormat::epoch), TimeFormat::epoch), full);
  }
}

}  // namespace
}  // namespace penstock
