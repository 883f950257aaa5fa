/// The command line as one function, so that main.cpp has nothing to say.
#pragma once

#include <string>
#include <vector>

namespace penstock::app {

/// Runs `penstock WORDS...` and returns its exit status (penstock::ExitCode; 128 + signal when interrupted). Never
/// throws: what goes wrong is printed to standard error.
[[nodiscard]] int run(std::vector<std::string> const& words);

}  // namespace penstock::app
