/// The emulated device: its memory, and calls that fail when they shall.
#pragma once

#include <cstddef>

#include "tests/support/simt/runtime_api.hpp"

namespace simt::detail {

/// Every call of the runtime begins here; false: it fails, and what with stands as the host thread's last error.
[[nodiscard]] bool begin_call(char const* name);
/// How it went; returns `error`.
cudaError_t end_call(char const* name, cudaError_t error);
/// The host thread's last error.
[[nodiscard]] cudaError_t last_error();
/// Forgets it, unless it sticks.
void forget_error();

/// Reports what was written beside allocations; `when` says behind what.
void check_memory(char const* when);
/// A range of emulated memory, or of the host's: reports and returns false if it reaches over the end of an allocation.
[[nodiscard]] bool is_range(void const* memory, std::size_t size_bytes, char const* call);
/// Pinned or registered memory of the host: what copies from and to it do, they do later.
[[nodiscard]] bool is_pinned(void const* memory);

/// Copies to pinned memory arrive when somebody waits for the stream; copies from it must find it unchanged then.
void copy_in_stream(void* to, void const* from, std::size_t size_bytes, cudaStream_t stream);
/// This memory is given back: copies from and to it are done with.
void settle_memory(void const* memory, std::size_t size_bytes);

}  // namespace simt::detail
