#include "host/io/standard_streams.hpp"

#include <optional>
#include <utility>

#include <unistd.h>

#include "host/io/sink.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

thread_local CapturedText* current_text = nullptr;

}  // namespace

Capture::Capture(CapturedText& text) noexcept : before_(std::exchange(current_text, &text)) {}

Capture::~Capture() { current_text = before_; }

CapturedText* Capture::current() noexcept { return current_text; }

void check_not_captured(std::string const& path) {
  if (current_text == nullptr) return;
  int const descriptor = path == "-" ? STDOUT_FILENO : descriptor_named(path).value_or(-1);
  if (descriptor != STDOUT_FILENO && descriptor != STDERR_FILENO) return;
  throw ConfigurationError(path + ": a command inside a program does not write to the program's standard " +
                               (descriptor == STDOUT_FILENO ? "output" : "error"),
                           "Name a file, or a FIFO.");
}

}  // namespace penstock
