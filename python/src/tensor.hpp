/// penstock.Tensor: elements in memory that is kept alive, and what other libraries ask of it.
#pragma once

#include "python/src/python.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "penstock/dtype.hpp"
#include "penstock/shared_batch.hpp"

namespace penstock::python {

/// An element type, by the names that each protocol has for it.
struct Element {
  char const* name;
  std::size_t size_bytes;
  char const* buffer_format;  ///< of the struct module; `l` has eight bytes wherever int64 is NumPy's long
  std::uint8_t dlpack_code;
  char const* typestr;  ///< of __cuda_array_interface__
  char const* arrow_format;
};
[[nodiscard]] Element const& element_of(DType type);
[[nodiscard]] Element const& byte_element();
[[nodiscard]] Element const& bool_element();

/// A row-major tensor of one or two dimensions and what keeps its memory. It holds nothing of Python, so it may end on
/// any thread, with or without the GIL, and after the interpreter.
struct TensorView {
  void* data = nullptr;
  Element const* element = nullptr;
  int dimensions = 1;
  std::array<std::int64_t, 2> shape = {};
  std::shared_ptr<void const> memory;
  std::shared_ptr<DeviceTensors const> on_device;  ///< null: host memory

  [[nodiscard]] std::size_t size() const {
    return static_cast<std::size_t>(shape[0]) * (dimensions == 1 ? 1 : static_cast<std::size_t>(shape[1]));
  }
  [[nodiscard]] std::size_t size_bytes() const { return size() * element->size_bytes; }
  /// In elements.
  [[nodiscard]] std::array<std::int64_t, 2> strides() const { return {dimensions == 1 ? 1 : shape[1], 1}; }
};

/// A copy in host memory of its own. Throws BufferError (Python's) for a tensor of a device.
[[nodiscard]] TensorView copy_of(TensorView const& tensor);

/// CUDA's streams as DLPack and __cuda_array_interface__ number them.
inline constexpr std::uintptr_t legacy_default_stream = 1;

struct TensorObject {
  PyObject ob_base;
  PyObject* weak_references;
  TensorView view;
  std::array<Py_ssize_t, 2> shape;          ///< for Py_buffer
  std::array<Py_ssize_t, 2> strides_bytes;  ///< for Py_buffer
  bool was_read_in_a_stream;                ///< by way of __cuda_array_interface__
};

[[nodiscard]] Object make_tensor(TensorView view);
/// Adds the type to the module.
void add_tensor_type(PyObject* module);

/// Tensor.__dlpack__(*, stream=None, max_version=None, dl_device=None, copy=None)
[[nodiscard]] Object dlpack_of(TensorView const& view, PyObject* arguments, PyObject* keywords);
/// Tensor.__dlpack_device__()
[[nodiscard]] Object dlpack_device_of(TensorView const& view);

}  // namespace penstock::python
