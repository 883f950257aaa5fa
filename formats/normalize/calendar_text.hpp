/// Instants as texts that calendar.hpp reads back.
///
///     iso       2024-02-29   2024-02-29T23:59:59.5Z
///     us        2/29/2024    2/29/2024 23:59:59.5
///     european  29.2.2024    29.2.2024 23:59:59.5
///     epoch     1709251199
///     epoch_ms  1709251199500
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "formats/core/calendar_days.hpp"
#include "formats/normalize/calendar.hpp"

namespace penstock::normalize {

namespace detail {

/// The instant with the fewest digits behind the point, at most nine, whose seconds_of() is `seconds`.
inline std::optional<Instant> instant_of(double seconds, int& digits) {
  bool const is_date = seconds >= static_cast<double>(first_second) && seconds < static_cast<double>(end_second);
  if (!is_date) return std::nullopt;
  double const whole = std::floor(seconds);
  std::int64_t unit = 1'000'000'000;  // nanoseconds that the last digit counts
  for (digits = 0; digits <= 9; ++digits, unit /= 10) {
    std::int64_t const nanoseconds = std::llround((seconds - whole) * 1e9 / static_cast<double>(unit)) * unit;
    Instant const instant{static_cast<std::int64_t>(whole) + nanoseconds / 1'000'000'000,
                          static_cast<std::int32_t>(nanoseconds % 1'000'000'000)};
    if (seconds_of(instant) == seconds && instant.seconds < end_second) return instant;
  }
  return std::nullopt;
}

template <class... Values>
std::string printed(char const* format, Values... values) {
  char text[64];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

inline std::string date_text(calendar::Date const& date, TimeFormat format) {
  int const year = static_cast<int>(date.year);
  if (format == TimeFormat::us) return printed("%d/%d/%04d", date.month, date.day, year);
  if (format == TimeFormat::european) return printed("%d.%d.%04d", date.day, date.month, year);
  return printed("%04d-%02d-%02d", year, date.month, date.day);
}

/// `.5` of half a second and one digit; nothing of none.
inline std::string fraction_text(Instant instant, int digits) {
  if (digits == 0) return "";
  std::string const all = printed("%09d", static_cast<int>(instant.nanoseconds));
  return "." + all.substr(0, static_cast<std::size_t>(digits));
}

}  // namespace detail

/// The shortest text of `format`, in UTC, that is read as `seconds` since 1970. Nothing if there is none: beyond the
/// years 1 to 9999, and of a fraction that the format does not write.
[[nodiscard]] inline std::optional<std::string> instant_text(double seconds, TimeFormat format) {
  int digits = 0;
  std::optional<Instant> const instant = detail::instant_of(seconds, digits);
  if (!instant) return std::nullopt;
  bool const is_epoch = format == TimeFormat::epoch || format == TimeFormat::epoch_ms;
  if (is_epoch && digits > (format == TimeFormat::epoch ? 0 : 3)) return std::nullopt;
  if (format == TimeFormat::epoch) return std::to_string(instant->seconds);
  if (format == TimeFormat::epoch_ms) return std::to_string(instant->seconds * 1000 + instant->nanoseconds / 1'000'000);
  std::int64_t const days = calendar::days_at(instant->seconds);
  auto const clock = static_cast<int>(instant->seconds - days * calendar::seconds_per_day);
  std::string const date = detail::date_text(calendar::date_of(days), format);
  if (clock == 0 && digits == 0) return date;
  std::string const time = detail::printed("%02d:%02d:%02d", clock / 3600, clock / 60 % 60, clock % 60) +
                           detail::fraction_text(*instant, digits);
  return format == TimeFormat::iso ? date + "T" + time + "Z" : date + " " + time;
}

/// No text is longer.
inline constexpr std::size_t instant_text_max = sizeof("2024-02-29T23:59:59.123456789Z") - 1;

}  // namespace penstock::normalize
