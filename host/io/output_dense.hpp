/// Outputs of tensors: .npy and .npz.
#pragma once

#include "host/io/output.hpp"

#include <memory>
#include <string>
#include <vector>

namespace penstock {

[[nodiscard]] std::unique_ptr<Output> make_npy_output(OutputOptions const& options, OutputFiles const& files);
[[nodiscard]] std::unique_ptr<Output> make_npz_output(OutputOptions const& options, OutputFiles const& files);

}  // namespace penstock
