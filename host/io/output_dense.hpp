/// Outputs of tensors: .npy and .npz.
#pragma once

#include "host/io/output.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace penstock {

/// The bytes of a batch's rows of a role whose tensor is dense. Throws Error (internal) if the batch does not have the
/// columns or the type of `layout`.
[[nodiscard]] std::span<std::byte const> row_bytes_of(Batch const& batch, Role role, BatchLayout const& layout);
/// What is thrown when a batch does not fit the layout of its output.
[[noreturn]] void throw_other_layout();

[[nodiscard]] std::unique_ptr<Output> make_npy_output(OutputOptions const& options, OutputFiles const& files);
[[nodiscard]] std::unique_ptr<Output> make_npz_output(OutputOptions const& options, OutputFiles const& files);

}  // namespace penstock
