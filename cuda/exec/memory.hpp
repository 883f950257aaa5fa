/// Memory of the device and pinned memory of the host, with owners. None of it is initialised.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <string>
#include <utility>

#include "cuda/exec/check.hpp"

namespace penstock::cuda {

namespace detail {
[[nodiscard]] void* take_device(std::size_t size_bytes, char const* what);
void give_device(void* memory) noexcept;
[[nodiscard]] void* take_mapped(std::size_t size_bytes, char const* what);
void give_mapped(void* memory) noexcept;
}  // namespace detail

/// `count` elements in device memory. Throws DeviceError, which says `what` they are, if there is no room.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(std::size_t count, char const* what)
      : data_(static_cast<T*>(detail::take_device(count * sizeof(T), what))), count_(count) {}
  ~DeviceArray() { detail::give_device(data_); }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }

  [[nodiscard]] T* get() const { return data_; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t size_bytes() const { return count_ * sizeof(T); }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

/// `count` elements of pinned host memory that the device writes to directly: the same address on both sides. The host
/// reads it after Stream::wait(), or while it polls.
template <class T>
class MappedArray {
 public:
  MappedArray() = default;
  MappedArray(std::size_t count, char const* what)
      : data_(static_cast<T*>(detail::take_mapped(count * sizeof(T), what))), count_(count) {}
  ~MappedArray() { detail::give_mapped(data_); }
  MappedArray(MappedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }

  [[nodiscard]] T* get() const { return data_; }
  [[nodiscard]] T& operator[](std::size_t i) const { return data_[i]; }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace penstock::cuda
