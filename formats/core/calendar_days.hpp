/// Days since 1970-01-01 and dates (proleptic Gregorian calendar), one from the other.
#pragma once

#include <cstdint>

#include "formats/core/platform.hpp"

namespace penstock::calendar {

inline constexpr std::int64_t seconds_per_day = 86400;

struct Date {
  std::int64_t year;
  int month;  ///< from 1
  int day;    ///< from 1
};

/// Days since 1970-01-01. Years begin in March here, so that the day that some have more is the last.
PENSTOCK_HD constexpr std::int64_t days_of(Date date) {
  std::int64_t const year = date.year - (date.month <= 2 ? 1 : 0);
  std::int64_t const era = (year >= 0 ? year : year - 399) / 400;
  std::int64_t const year_of_era = year - era * 400;
  std::int64_t const day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

PENSTOCK_HD constexpr Date date_of(std::int64_t days) {
  days += 719468;
  std::int64_t const era = (days >= 0 ? days : days - 146096) / 146097;
  std::int64_t const day_of_era = days - era * 146097;
  std::int64_t const year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  std::int64_t const day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int const month_from_march = static_cast<int>((5 * day_of_year + 2) / 153);
  int const month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month,
          static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1)};
}

PENSTOCK_HD constexpr int days_in_month(std::int64_t year, int month) {
  bool const is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month == 2) return is_leap ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/// Days that have begun since 1970-01-01 00:00:00, which was a Thursday.
PENSTOCK_HD constexpr std::int64_t days_at(std::int64_t seconds) {
  return (seconds >= 0 ? seconds : seconds - (seconds_per_day - 1)) / seconds_per_day;
}

}  // namespace penstock::calendar
