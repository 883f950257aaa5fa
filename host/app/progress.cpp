#include "host/app/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "host/io/standard_streams.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

/// Fast enough to look alive, slow enough to be read.
constexpr std::chrono::milliseconds interval{200};

/// Back to the first column, and erase to the end of the line (ECMA-48, EL).
constexpr std::string_view erase = "\r\x1b[K";

/// Seconds until the rest is done at the average rate so far; nothing before any rate is known.
std::optional<std::uint64_t> seconds_left(std::uint64_t done, std::uint64_t total, double seconds) {
  if (done == 0 || done >= total) return std::nullopt;
  double const left = static_cast<double>(total - done) * (seconds / static_cast<double>(done));
  constexpr double shown_max = 1e6 * 3600;  // hours beyond six digits say nothing
  if (left > shown_max) return std::nullopt;
  return static_cast<std::uint64_t>(left + 0.5);
}

}  // namespace

Progress::Progress(ProgressOptions const& options, Write write, Now now)
    : options_(options), write_(std::move(write)), now_(std::move(now)), begin_(now_()), due_(begin_ + interval) {}

void Progress::update(ProgressCounts const& counts) {
  if (!options_.is_enabled) return;
  Time const time = now_();
  if (time < due_) return;
  due_ = time + interval;
  std::string text(erase);
  text += line(counts, std::chrono::duration<double>(time - begin_).count());
  write_(text);
  is_shown_ = true;
}

void Progress::clear() {
  if (!is_shown_) return;
  is_shown_ = false;
  write_(erase);
}

std::string Progress::line(ProgressCounts const& counts, double seconds) const {
  std::string text;
  auto const add = [&text](std::string_view part) { text.append("  ").append(part); };
  auto const total = options_.stored_bytes_total;
  if (total) add(format_percent(counts.stored_bytes, *total));
  add(format_bytes(counts.stored_bytes));
  add(format_rate(static_cast<double>(counts.stored_bytes) / seconds));
  auto const left = total ? seconds_left(counts.stored_bytes, *total, seconds) : std::nullopt;
  if (left) add("eta " + format_clock(*left));
  add(format_count(counts.records) + " records");
  if (counts.rejected != 0) add(format_count(counts.rejected) + " rejected");
  // One column stays free: some terminals wrap as soon as the last one is written.
  if (text.size() >= options_.columns_max) text.resize(std::max<std::size_t>(options_.columns_max, 1) - 1);
  return text;
}

ProgressOptions progress_on_stderr(bool is_quiet, std::optional<std::uint64_t> stored_bytes_total) {
  ProgressOptions options;
  char const* const term = std::getenv("TERM");
  bool const can_erase = term != nullptr && std::string_view(term) != "dumb";
  options.is_enabled = !is_quiet && can_erase && Capture::current() == nullptr && isatty(STDERR_FILENO) == 1;
  options.stored_bytes_total = stored_bytes_total;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) options.columns_max = size.ws_col;
  return options;
}

void write_to_stderr(std::string_view text) {
  if (CapturedText* const captured = Capture::current()) {
    captured->messages += text;
    return;
  }
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace penstock::app
