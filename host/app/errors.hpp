/// How failures look on standard error.
#pragma once

#include <string>
#include <string_view>

namespace penstock::app {

/// `penstock: MESSAGE`, then each line of `hint` as `  hint: ...`. Both are made safe for a terminal, line by line.
[[nodiscard]] std::string error_text(std::string_view message, std::string_view hint);

/// Throws the exception that is being handled again; one that is no Error as an Error with the words that the command
/// line has for it. Call it from a catch block.
[[noreturn]] void rethrow_as_error();

/// Prints the exception that is being handled and returns the exit status that belongs to it. Call it from a
/// catch block.
[[nodiscard]] int report_current_exception() noexcept;

}  // namespace penstock::app
