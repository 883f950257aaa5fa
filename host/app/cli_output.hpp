/// Standard output for data and standard error for everything else. Where the thread has a Capture, both are texts of
/// its.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "host/app/options.hpp"
#include "host/app/progress.hpp"
#include "penstock/sink.hpp"

namespace penstock::app {

/// Text for standard output, in pieces of 64 KiB. What is not finished may be lost. Throws SinkError, which is
/// ClosedPipeError when nobody reads any more.
class StandardOutput {
 public:
  StandardOutput();
  void write(std::string_view text);
  void finish();

 private:
  void flush();

  std::unique_ptr<Sink> sink_;  ///< null: of a Capture
  std::string text_;
};

/// Messages on standard error, as far as -q and -v let them through. Each is one or more whole lines without the last
/// line end, and made safe for a terminal.
class Console {
 public:
  explicit Console(Arguments const& arguments);
  void detail(std::string_view text);  ///< with -v
  void say(std::string_view text);     ///< not with -q
  void warn(std::string_view text);    ///< not with -qq; "warning: " is put before it
  [[nodiscard]] bool is_quiet() const { return level_ < 0; }

  /// While a progress line is shown, it is erased before a message. Null: there is none any more.
  void attach(Progress* progress) { progress_ = progress; }

 private:
  void print(std::string_view prefix, std::string_view text);

  int level_;
  Progress* progress_ = nullptr;
};

}  // namespace penstock::app
