/// Texts that say when something was, to seconds since 1970-01-01 00:00:00 UTC; and what the calendar says of those.
///
///     iso       YYYY-MM-DD or YYYY/MM/DD      2024-02-29   2024-02-29T23:59:59.5Z   2024/02/29 23:59+05:30
///     us        M/D/YYYY                      2/29/2024    02/29/2024 7:05
///     european  D.M.YYYY or D/M/YYYY          29.2.2024    29/02/2024 23:59:59
///     epoch     seconds                       1709251199   -1
///     epoch_ms  milliseconds                  1709251199500
///
///     date  [ (blank | T) HH:MM [ :SS [ .f{1,9} ] ] [ Z | +HH:MM | +HHMM | +HH ] ]        (a sign + or -)
///
/// Years have four digits, months and days of `iso` two, those of the others one or two, and so have hours there.
/// Without a zone it is UTC. No second is the 60th: what is left of a leap second is told apart by nothing in the
/// result. Whatever the text, the result is in the years 0001 to 9999 in UTC. Nothing may stand before or behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/core/calendar_days.hpp"
#include "formats/core/platform.hpp"

namespace penstock::normalize {

enum class TimeFormat : std::uint8_t { iso, us, european, epoch, epoch_ms };

/// seconds + nanoseconds / 10^9 since 1970-01-01 00:00:00 UTC; 0 <= nanoseconds < 10^9 also before that.
struct Instant {
  std::int64_t seconds = 0;
  std::int32_t nanoseconds = 0;

  bool operator==(Instant const&) const = default;
};

inline constexpr std::int64_t first_second = calendar::days_of({1, 1, 1}) * calendar::seconds_per_day;
inline constexpr std::int64_t end_second = calendar::days_of({10000, 1, 1}) * calendar::seconds_per_day;

namespace detail {

/// What has not been read yet of a text.
struct TimeText {
  char const* at;
  char const* end;

  PENSTOCK_HD constexpr bool is_empty() const { return at == end; }

  /// Takes `byte`, if it is next.
  PENSTOCK_HD constexpr bool take(char byte) {
    if (at == end || *at != byte) return false;
    ++at;
    return true;
  }

  /// Takes all digits that follow, up to `most` of them; false if there are fewer than `least`.
  PENSTOCK_HD constexpr bool take_digits(int least, int most, std::int64_t& value) {
    int count = 0;
    for (value = 0; count < most && at != end && *at >= '0' && *at <= '9'; ++count, ++at)
      value = value * 10 + (*at - '0');
    return count >= least;
  }
};

/// In the order of the format. Years of more than four digits are seen by what follows, which is a digit then.
PENSTOCK_HD constexpr bool take_date(TimeText& text, TimeFormat format, std::int64_t& days) {
  std::int64_t first = 0, second = 0, third = 0;
  bool const is_iso = format == TimeFormat::iso;
  if (!(is_iso ? text.take_digits(4, 4, first) : text.take_digits(1, 2, first))) return false;
  char const other = is_iso ? '-' : format == TimeFormat::european ? '.' : '/';
  char separator = '/';
  if (!text.take(separator)) {
    separator = other;
    if (!text.take(separator)) return false;
  }
  if (!text.take_digits(is_iso ? 2 : 1, 2, second) || !text.take(separator)) return false;
  if (!(is_iso ? text.take_digits(2, 2, third) : text.take_digits(4, 4, third))) return false;
  std::int64_t const year = is_iso ? first : third;
  std::int64_t const month = format == TimeFormat::us ? first : second;
  std::int64_t const day = is_iso ? third : format == TimeFormat::us ? second : first;
  if (year == 0 || month < 1 || month > 12 || day < 1) return false;
  if (day > calendar::days_in_month(year, static_cast<int>(month))) return false;
  days = calendar::days_of({year, static_cast<int>(month), static_cast<int>(day)});
  return true;
}

/// Of a day, from its first second on.
PENSTOCK_HD constexpr bool take_clock(TimeText& text, int hour_digits, Instant& clock) {
  std::int64_t hour = 0, minute = 0, second = 0, fraction = 0;
  if (!text.take_digits(hour_digits, 2, hour) || !text.take(':') || !text.take_digits(2, 2, minute)) return false;
  if (text.take(':')) {
    if (!text.take_digits(2, 2, second)) return false;
    if (text.take('.')) {
      char const* const point = text.at;
      if (!text.take_digits(1, 9, fraction)) return false;
      for (std::ptrdiff_t digits = text.at - point; digits < 9; ++digits) fraction *= 10;
    }
  }
  clock = {hour * 3600 + minute * 60 + second, static_cast<std::int32_t>(fraction)};
  return hour <= 23 && minute <= 59 && second <= 59;
}

/// What a zone is ahead of UTC, in seconds; 0 where there is none.
PENSTOCK_HD constexpr bool take_zone(TimeText& text, std::int64_t& ahead) {
  if (text.is_empty() || text.take('Z')) return true;
  bool const is_behind = text.take('-');
  if (!is_behind && !text.take('+')) return false;
  std::int64_t hours = 0, minutes = 0;
  if (!text.take_digits(2, 2, hours)) return false;
  bool const has_minutes = text.take(':') || !text.is_empty();
  if (has_minutes && !text.take_digits(2, 2, minutes)) return false;
  ahead = (hours * 60 + minutes) * (is_behind ? -60 : 60);
  return hours <= 23 && minutes <= 59;
}

PENSTOCK_HD constexpr bool take_date_time(TimeText& text, TimeFormat format, Instant& instant) {
  std::int64_t days = 0, ahead = 0;
  if (!take_date(text, format, days)) return false;
  Instant clock;
  if (text.take(' ') || text.take('T')) {
    if (!take_clock(text, format == TimeFormat::iso ? 2 : 1, clock) || !take_zone(text, ahead)) return false;
  }
  instant = {days * calendar::seconds_per_day + clock.seconds - ahead, clock.nanoseconds};
  return true;
}

PENSTOCK_HD constexpr bool take_epoch(TimeText& text, bool is_milliseconds, Instant& instant) {
  bool const is_negative = text.take('-');
  if (!is_negative) text.take('+');
  while (text.end - text.at > 1 && *text.at == '0') ++text.at;
  std::int64_t count = 0;
  if (!text.take_digits(1, 18, count)) return false;
  if (is_negative) count = -count;
  instant = {count, 0};
  if (!is_milliseconds) return true;
  std::int64_t const rest = (count % 1000 + 1000) % 1000;
  instant = {(count - rest) / 1000, static_cast<std::int32_t>(rest * 1'000'000)};
  return true;
}

}  // namespace detail

/// False: no such text, and `instant` says nothing.
PENSTOCK_HD constexpr bool read_instant(char const* begin, char const* end, TimeFormat format, Instant& instant) {
  detail::TimeText text = {begin, end};
  bool const is_epoch = format == TimeFormat::epoch || format == TimeFormat::epoch_ms;
  bool const is_read = is_epoch ? detail::take_epoch(text, format == TimeFormat::epoch_ms, instant)
                                : detail::take_date_time(text, format, instant);
  return is_read && text.is_empty() && instant.seconds >= first_second && instant.seconds < end_second;
}

/// In seconds. Exact without a fraction; with one it is rounded, then the sum is.
PENSTOCK_HD constexpr double seconds_of(Instant instant) {
  return static_cast<double>(instant.seconds) + instant.nanoseconds / 1e9;
}

/// What a feature can be of an instant.
enum class CalendarPart : std::uint8_t {
  year,
  month,        ///< 1 to 12
  day,          ///< of the month: 1 to 31
  hour,         ///< 0 to 23
  minute,       ///< 0 to 59
  second,       ///< 0 to 59
  weekday,      ///< Monday 0, Sunday 6
  day_of_year,  ///< 1 to 366
};

/// In UTC.
PENSTOCK_HD constexpr int part_of(Instant instant, CalendarPart part) {
  std::int64_t const days = calendar::days_at(instant.seconds);
  auto const clock = static_cast<int>(instant.seconds - days * calendar::seconds_per_day);
  switch (part) {
    case CalendarPart::hour: return clock / 3600;
    case CalendarPart::minute: return clock / 60 % 60;
    case CalendarPart::second: return clock % 60;
    case CalendarPart::weekday: return static_cast<int>(((days + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
    default: break;
  }
  calendar::Date const date = calendar::date_of(days);
  switch (part) {
    case CalendarPart::year: return static_cast<int>(date.year);
    case CalendarPart::month: return date.month;
    case CalendarPart::day: return date.day;
    default: return static_cast<int>(days - calendar::days_of({date.year, 1, 1})) + 1;
  }
}

/// In the order of the enumerations.
inline constexpr std::string_view time_format_names[] = {"iso", "us", "european", "epoch", "epoch_ms"};
inline constexpr std::string_view calendar_part_names[] = {"year",   "month",  "day",     "hour",
                                                           "minute", "second", "weekday", "day_of_year"};

constexpr std::string_view name_of(TimeFormat format) { return time_format_names[static_cast<std::size_t>(format)]; }
constexpr std::string_view name_of(CalendarPart part) { return calendar_part_names[static_cast<std::size_t>(part)]; }

namespace detail {

template <class T, std::size_t n>
constexpr bool find_named(std::string_view const (&names)[n], std::string_view name, T& value) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] != name) continue;
    value = static_cast<T>(i);
    return true;
  }
  return false;
}

}  // namespace detail

/// False: nothing has that name.
constexpr bool find_named(std::string_view name, TimeFormat& format) {
  return detail::find_named(time_format_names, name, format);
}
constexpr bool find_named(std::string_view name, CalendarPart& part) {
  return detail::find_named(calendar_part_names, name, part);
}

}  // namespace penstock::normalize
