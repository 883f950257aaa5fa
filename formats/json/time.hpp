/// Dates and times without a time zone as seconds since 1970-01-01 00:00:00, and back (proleptic Gregorian calendar).
#pragma once

#include <cstdint>

#include "formats/core/calendar_days.hpp"
#include "formats/core/platform.hpp"

namespace penstock::json {

using calendar::Date;
using calendar::date_of;
using calendar::days_in_month;
using calendar::days_of;
using calendar::seconds_per_day;

inline constexpr int date_bytes = 10;       ///< 2009-11-01
inline constexpr int date_time_bytes = 19;  ///< 2009-11-01 00:00:00

struct Time {
  std::int64_t seconds;
  bool is_valid;
};

/// A date, or a date, a blank and a time; years 0001 to 9999.
PENSTOCK_HD constexpr Time read_time(char const* text, int bytes) {
  constexpr char shape[] = "0000-00-00 00:00:00";
  if (bytes != date_bytes && bytes != date_time_bytes) return {0, false};
  for (int i = 0; i < bytes; ++i) {
    bool const is_digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == '0' ? !is_digit : text[i] != shape[i]) return {0, false};
  }
  auto const two = [text](int at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  Date const date = {two(0) * 100 + two(2), two(5), two(8)};
  if (date.year == 0 || date.month < 1 || date.month > 12 || date.day < 1) return {0, false};
  if (date.day > days_in_month(date.year, date.month)) return {0, false};
  std::int64_t const midnight = days_of(date) * seconds_per_day;
  if (bytes == date_bytes) return {midnight, true};
  int const hour = two(11);
  int const minute = two(14);
  int const second = two(17);
  if (hour > 23 || minute > 59 || second > 59) return {0, false};
  return {midnight + hour * 3600 + minute * 60 + second, true};
}

/// Whether write_time() can write it: years 0001 to 9999.
PENSTOCK_HD constexpr bool has_time_text(std::int64_t seconds) {
  return seconds >= days_of({1, 1, 1}) * seconds_per_day && seconds < days_of({10000, 1, 1}) * seconds_per_day;
}

/// Writes date_time_bytes to `into`.
PENSTOCK_HD constexpr void write_time(std::int64_t seconds, char* into) {
  std::int64_t const days = calendar::days_at(seconds);
  int const rest = static_cast<int>(seconds - days * seconds_per_day);
  Date const date = date_of(days);
  auto const two = [into](int at, int value) {
    into[at] = static_cast<char>('0' + value / 10);
    into[at + 1] = static_cast<char>('0' + value % 10);
  };
  two(0, static_cast<int>(date.year / 100));
  two(2, static_cast<int>(date.year % 100));
  into[4] = into[7] = '-';
  two(5, date.month);
  two(8, date.day);
  into[10] = ' ';
  two(11, rest / 3600);
  two(14, rest / 60 % 60);
  two(17, rest % 60);
  into[13] = into[16] = ':';
}

}  // namespace penstock::json
