/// What each verb runs. All return the exit status, and throw Error for what ends the program.
#pragma once

#include "host/app/options.hpp"

namespace penstock::app {

int run_convert(Arguments const& arguments);
int run_head(Arguments const& arguments);
int run_inspect(Arguments const& arguments);
int run_diff(Arguments const& arguments);
int run_synth(Arguments const& arguments);
int run_doctor(Arguments const& arguments);
int run_validate(Arguments const& arguments);
int run_stats(Arguments const& arguments);
int run_fit(Arguments const& arguments);
int run_denormalize(Arguments const& arguments);

}  // namespace penstock::app
