/// Copies of what the host knows, made once.
#pragma once

#include <cstring>
#include <span>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"

namespace penstock::cuda {

/// Copies to device memory, and waits.
template <class T>
DeviceArray<T> uploaded(Stream& stream, std::span<T const> values, char const* what) {
  MappedArray<T> const staged(values.size(), what);
  DeviceArray<T> array(values.size(), what);
  if (values.empty()) return array;
  std::memcpy(static_cast<void*>(staged.get()), values.data(), values.size_bytes());
  stream.copy(array.get(), staged.get(), values.size_bytes(), "copy in the plan");
  stream.wait();
  return array;
}

}  // namespace penstock::cuda
