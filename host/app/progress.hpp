/// One line on the terminal that says how far the work is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::app {

/// How far the work is.
struct ProgressCounts {
  std::uint64_t stored_bytes = 0;  ///< input consumed, in bytes as stored (compressed)
  std::uint64_t records = 0;       ///< accepted so far
  std::uint64_t rejected = 0;
};

struct ProgressOptions {
  bool is_enabled = true;  ///< false: nothing is ever written
  std::optional<std::uint64_t> stored_bytes_total =
      std::nullopt;              ///< of all inputs; unknown: neither percentage nor time left
  std::size_t columns_max = 80;  ///< of the terminal: a longer line is cut, for it could not be erased
};

/// Shows
///
///     42.0 %  8.7 GiB  1.32 GB/s  eta 0:00:12  1,234,567 records  3 rejected
///
/// and keeps it up to date: first after a fifth of a second (work that is done by then shows nothing), then
/// at most five times a second. Bytes are stored bytes; rate and time left are averages since the start.
/// Erase the line with clear() before anything else is written to the same terminal; the next update draws it
/// again. For use by one thread.
class Progress {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Receives what goes to the terminal, control sequences included.
  using Write = std::function<void(std::string_view)>;
  /// What time it is; asked once in the constructor and once an update.
  using Now = std::function<Time()>;

  Progress(ProgressOptions const& options, Write write, Now now);
  /// Erases the line.
  ~Progress() { clear(); }
  Progress(Progress const&) = delete;
  Progress& operator=(Progress const&) = delete;

  /// Says how far the work is; draws the line if it is due.
  void update(ProgressCounts const& counts);
  /// Erases the line, if one is shown.
  void clear();

 private:
  [[nodiscard]] std::string line(ProgressCounts const& counts, double seconds) const;

  ProgressOptions options_;
  Write write_;
  Now now_;
  Time begin_;
  Time due_;
  bool is_shown_ = false;
};

/// Options for standard error: enabled if it is a terminal that can erase a line (TERM is not "dumb"), not captured,
/// and `is_quiet` is false, and as wide as that terminal.
[[nodiscard]] ProgressOptions progress_on_stderr(bool is_quiet, std::optional<std::uint64_t> stored_bytes_total);

/// Writes to standard error at once, or to what the thread has in its place (Capture).
void write_to_stderr(std::string_view text);

}  // namespace penstock::app
