/// DLPack as its Python specification wants it: both structs, streams, devices, copies.
/// https://dmlc.github.io/dlpack/latest/python_spec.html
#include "python/src/tensor.hpp"

#include <optional>
#include <type_traits>

namespace penstock::python {
namespace {

// The C ABI of dlpack.h 1.0, in its own words.
struct DLDevice {
  std::int32_t device_type;
  std::int32_t device_id;
  bool operator==(DLDevice const&) const = default;
};
struct DLDataType {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  std::int32_t ndim;
  DLDataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;
  std::uint64_t byte_offset;
};
struct DLManagedTensor {
  static constexpr char const* capsule_name = "dltensor";
  DLTensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor*);
};
struct DLPackVersion {
  std::uint32_t major;
  std::uint32_t minor;
};
struct DLManagedTensorVersioned {
  static constexpr char const* capsule_name = "dltensor_versioned";
  DLPackVersion version;
  void* manager_ctx;
  void (*deleter)(DLManagedTensorVersioned*);
  std::uint64_t flags;
  DLTensor dl_tensor;
};
constexpr std::int32_t device_cpu = 1;
constexpr std::int32_t device_cuda = 2;
constexpr std::uint64_t flag_is_copied = 2;

struct Request {
  std::uintptr_t stream = 0;  ///< to be waited for when the memory is given back; 0: none
  bool is_versioned = false;
  bool is_copy = false;
};

/// What a capsule holds: the struct, and all that it points to. Whoever deletes it needs neither the GIL nor Python.
template <class Managed>
struct Export {
  Managed managed = {};
  TensorView view;
  std::array<std::int64_t, 2> strides = {};
  std::uintptr_t stream = 0;

  ~Export() {
    if (stream == 0) return;
    try {
      view.on_device->used_in(stream);
    } catch (...) {
      return;  // the device is gone, and the memory with it
    }
  }
};

template <class Managed>
void end_export(Managed* managed) {
  std::unique_ptr<Export<Managed>> const owner(static_cast<Export<Managed>*>(managed->manager_ctx));
}

/// Of a capsule that nobody took: whoever takes one renames it.
template <class Managed>
void end_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, Managed::capsule_name) == 0) return;
  auto* const managed = static_cast<Managed*>(PyCapsule_GetPointer(capsule, Managed::capsule_name));
  managed->deleter(managed);
}

DLDevice device_of(TensorView const& view) {
  return view.on_device == nullptr ? DLDevice{device_cpu, 0} : DLDevice{device_cuda, view.on_device->device()};
}

template <class Managed>
Object capsule_of(TensorView view, Request const& request) {
  auto owner = std::make_unique<Export<Managed>>();
  owner->view = std::move(view);
  owner->strides = owner->view.strides();
  owner->stream = request.stream;
  Managed& managed = owner->managed;
  Element const& element = *owner->view.element;
  managed.dl_tensor = {.data = owner->view.data,
                       .device = device_of(owner->view),
                       .ndim = owner->view.dimensions,
                       .dtype = {element.dlpack_code, static_cast<std::uint8_t>(8 * element.size_bytes), 1},
                       .shape = owner->view.shape.data(),
                       .strides = owner->strides.data(),
                       .byte_offset = 0};
  managed.manager_ctx = owner.get();
  managed.deleter = end_export<Managed>;
  if constexpr (std::is_same_v<Managed, DLManagedTensorVersioned>) {
    managed.version = {1, 0};
    managed.flags = request.is_copy ? flag_is_copied : 0;
  }
  Object capsule = Object::owned(PyCapsule_New(&managed, Managed::capsule_name, end_capsule<Managed>));
  static_cast<void>(owner.release());  // the deleter takes it up again
  return capsule;
}

[[noreturn]] void refuse(char const* why) {
  PyErr_SetString(PyExc_BufferError, why);
  throw PythonError{};
}

/// A pair of integers, or nothing for None.
std::optional<std::pair<long, long>> pair_of(PyObject* pair) {
  if (pair == Py_None) return std::nullopt;
  std::array<long, 2> numbers = {};
  for (Py_ssize_t i = 0; i < 2; ++i) {
    Object const item = Object::owned(PySequence_GetItem(pair, i));
    Object const number = Object::owned(PyNumber_Index(item.get()));
    numbers[static_cast<std::size_t>(i)] = PyLong_AsLong(number.get());
    if (PyErr_Occurred() != nullptr) throw PythonError{};
  }
  return std::pair(numbers[0], numbers[1]);
}

void check_device(TensorView const& view, PyObject* wanted) {
  auto const pair = pair_of(wanted);
  DLDevice const has = device_of(view);
  if (!pair || (pair->first == has.device_type && pair->second == has.device_id)) return;
  if (has.device_type == device_cuda)
    refuse("the tensor is on a CUDA device and is not copied from there: device=\"cpu\" makes batches in host memory");
  refuse(
      "the tensor is in host memory and is not copied to a device: device=\"cuda\" makes batches there, if features "
      "are dense");
}

/// Orders the consumer's stream behind the tensor's; returns the one that the memory has to wait for in the end.
std::uintptr_t ordered_stream(TensorView const& view, PyObject* stream) {
  if (view.on_device == nullptr) {
    if (stream != Py_None) refuse("stream: a tensor in host memory has none, so it must be None");
    return 0;
  }
  if (stream == Py_None) {
    view.on_device->make_stream_wait(legacy_default_stream);
    return legacy_default_stream;
  }
  long long const number = PyLong_AsLongLong(stream);
  if (number == -1 && PyErr_Occurred() != nullptr) throw PythonError{};
  if (number == -1) return legacy_default_stream;  // nothing to wait for now; later, for all that may read it
  if (number <= 0)
    refuse("stream: neither -1 nor from 1 on; 0 is ambiguous: 1 is the legacy default stream, 2 the per-thread one");
  auto const handle = static_cast<std::uintptr_t>(number);
  view.on_device->make_stream_wait(handle);
  return handle;
}

}  // namespace

Object dlpack_device_of(TensorView const& view) {
  DLDevice const device = device_of(view);
  return Object::owned(Py_BuildValue("(ii)", device.device_type, device.device_id));
}

Object dlpack_of(TensorView const& view, PyObject* arguments, PyObject* keywords) {
  static char const* const names[] = {"stream", "max_version", "dl_device", "copy", nullptr};
  PyObject* stream = Py_None;
  PyObject* max_version = Py_None;
  PyObject* dl_device = Py_None;
  PyObject* copy = Py_None;
  if (PyArg_ParseTupleAndKeywords(arguments, keywords, "|$OOOO:__dlpack__", const_cast<char**>(names), &stream,
                                  &max_version, &dl_device, &copy) == 0)
    throw PythonError{};
  auto const version = pair_of(max_version);
  check_device(view, dl_device);
  int const wants_copy = PyObject_IsTrue(copy);
  if (wants_copy < 0) throw PythonError{};
  Request request;
  request.is_versioned = version && version->first >= 1;
  request.is_copy = wants_copy == 1;
  TensorView exported = request.is_copy ? copy_of(view) : view;
  request.stream = ordered_stream(exported, stream);
  return request.is_versioned ? capsule_of<DLManagedTensorVersioned>(std::move(exported), request)
                              : capsule_of<DLManagedTensor>(std::move(exported), request);
}

}  // namespace penstock::python
