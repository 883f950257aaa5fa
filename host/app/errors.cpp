#include "host/app/errors.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <limits>
#include <new>

#include "host/app/cli_help.hpp"
#include "host/app/progress.hpp"
#include "host/io/interrupt.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Appends the lines of `text`, the first behind `first`, the others behind `next`.
void append_lines(std::string& out, std::string_view text, std::string_view first, std::string_view next) {
  std::string_view prefix = first;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    out += prefix;
    out += escape_for_display(text.substr(0, end), std::numeric_limits<std::size_t>::max());
    out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
    prefix = next;
  }
}

int print(std::string_view message, std::string_view hint, int status) {
  write_to_stderr(error_text(message, hint));
  return status;
}

[[noreturn]] void throw_internal(std::string_view what) {
  throw Error(ExitCode::internal, "internal error: " + std::string(what),
              "This is a defect of " + version_line() + ". Please report it with the command that shows it.");
}

int report() {
  try {
    rethrow_as_error();
  } catch (InterruptedError const&) {
    int const signal = interrupt_signal();
    return print("interrupted", "", signal == 0 ? static_cast<int>(ExitCode::interrupted) : 128 + signal);
  } catch (Error const& error) {
    return print(error.what(), error.hint(), static_cast<int>(error.exit_code()));
  }
}

}  // namespace

std::string error_text(std::string_view message, std::string_view hint) {
  std::string out;
  append_lines(out, message, "penstock: ", "");
  append_lines(out, hint, "  hint: ", "  hint: ");
  return out;
}

void rethrow_as_error() {
  try {
    throw;
  } catch (Error const&) {
    throw;
  } catch (std::bad_alloc const&) {
    throw DeviceError("out of memory",
                      "Less is needed with a smaller --memory, fewer --threads or a smaller --slot-size.");
  } catch (std::exception const& error) {
    throw_internal(error.what());
  } catch (...) {
    throw_internal("unknown");
  }
}

int report_current_exception() noexcept {
  try {
    return report();
  } catch (...) {  // no memory for the words
    std::fputs("penstock: out of memory\n", stderr);
    return static_cast<int>(ExitCode::device);
  }
}

}  // namespace penstock::app
