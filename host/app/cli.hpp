/// The command line as a function, so that main.cpp has nothing to say, and without what belongs to a process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace penstock::app {

/// Runs `penstock WORDS...` and returns its exit status (penstock::ExitCode; 128 + signal when interrupted). Never
/// throws: what goes wrong is printed to standard error.
[[nodiscard]] int run(std::vector<std::string> const& words);

/// The same without what belongs to a process: handles no signals, and throws the Error that ends the command.
[[nodiscard]] int run_words(std::vector<std::string> const& words);

/// Long names of the options of a verb, without dashes, but for those that are about the command line itself. Of a word
/// that is no verb there are none.
[[nodiscard]] std::vector<std::string> option_names(std::string_view verb);

}  // namespace penstock::app
