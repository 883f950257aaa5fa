/// Standard output and standard error, where they are not the process's.
#pragma once

#include <string>

namespace penstock {

/// What a command that runs inside a program would have printed.
struct CapturedText {
  std::string output;    ///< to standard output
  std::string messages;  ///< to standard error
};

/// While it lives, the calling thread's standard output and standard error belong to somebody else: open_sink() refuses
/// them, and what the command line prints goes to `text`. Threads that it starts are not meant to print.
class Capture {
 public:
  explicit Capture(CapturedText& text) noexcept;
  ~Capture();
  Capture(Capture const&) = delete;
  Capture& operator=(Capture const&) = delete;

  /// Of the calling thread; null: its standard streams are the process's.
  [[nodiscard]] static CapturedText* current() noexcept;

 private:
  CapturedText* before_;
};

/// Throws ConfigurationError if `path` is a name of standard output or standard error that the calling thread may not
/// write to.
void check_not_captured(std::string const& path);

}  // namespace penstock
