/// The version of penstock. The build reads it from here; there is no second place.
#pragma once

#include <string_view>

namespace penstock {

/// "major.minor.patch" by semantic versioning: `major` changes when the public headers, the command line or the bytes
/// of an output change in a way that breaks a user; before 1.0 a change of `minor` may do so too.
inline constexpr std::string_view version = "0.1.0";

/// What the source tree was when the build was configured (a commit, "-dirty" if it had changes), or "" where that
/// was not known, as in an unpacked archive. Only host/app/cli_help.cpp is compiled with it, hence not `inline`.
#ifdef PENSTOCK_REVISION
constexpr std::string_view revision = PENSTOCK_REVISION;
#else
constexpr std::string_view revision = "";
#endif

}  // namespace penstock
