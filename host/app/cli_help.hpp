/// Help texts, made from the tables of options.hpp.
#pragma once

#include <string>

#include "host/app/options.hpp"

namespace penstock::app {

/// All verbs, how to go on, and the exit codes.
[[nodiscard]] std::string general_help();
/// A few lines for somebody who typed `penstock` alone.
[[nodiscard]] std::string short_help();
/// Examples first, then every option of the verb, then the exit codes.
[[nodiscard]] std::string full_help(Verb const& verb);
/// Usage and two examples.
[[nodiscard]] std::string short_help(Verb const& verb);
/// "penstock 0.1.0 (abc1234)".
[[nodiscard]] std::string version_line();

}  // namespace penstock::app
