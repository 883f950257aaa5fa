#include "python/src/tensor.hpp"

#include <cstring>
#include <vector>

namespace penstock::python {
namespace {

static_assert(sizeof(long) == 8, "the buffer format of int64");

constexpr Element elements[] = {
    {"float32", 4, "f", 2, "<f4", "f"}, {"float64", 8, "d", 2, "<f8", "g"}, {"int32", 4, "i", 0, "<i4", "i"},
    {"int64", 8, "l", 0, "<i8", "l"},   {"uint8", 1, "B", 1, "|u1", "C"},   {"bool", 1, "?", 6, "|b1", "b"},
};

PyTypeObject* tensor_type = nullptr;

TensorObject& self_of(PyObject* self) { return *reinterpret_cast<TensorObject*>(self); }
TensorView const& view_of(PyObject* self) { return self_of(self).view; }

void end_tensor(PyObject* self) {
  Inside const inside;
  PyObject_ClearWeakRefs(self);
  TensorObject& tensor = self_of(self);
  if (tensor.was_read_in_a_stream) {
    try {  // which streams read it nobody knows; the legacy one waits for all that do not ask for the contrary
      tensor.view.on_device->used_in(legacy_default_stream);
    } catch (std::exception const&) {
      // the device is gone, and the memory with it
    }
  }
  std::destroy_at(&tensor.view);
  free_instance(self);
}

Object shape_tuple(TensorView const& view) {
  return Object::owned(view.dimensions == 1 ? Py_BuildValue("(L)", static_cast<long long>(view.shape[0]))
                                            : Py_BuildValue("(LL)", static_cast<long long>(view.shape[0]),
                                                            static_cast<long long>(view.shape[1])));
}

std::string device_name(TensorView const& view) {
  return view.on_device == nullptr ? "cpu" : "cuda:" + std::to_string(view.on_device->device());
}

PyObject* get_shape(PyObject* self, void*) {
  return guarded([&] { return shape_tuple(view_of(self)); });
}
PyObject* get_dtype(PyObject* self, void*) { return PyUnicode_FromString(view_of(self).element->name); }
PyObject* get_device(PyObject* self, void*) {
  return guarded([&] { return text_of(device_name(view_of(self))); });
}
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLong(view_of(self).dimensions); }
PyObject* get_size(PyObject* self, void*) { return PyLong_FromSize_t(view_of(self).size()); }
PyObject* get_nbytes(PyObject* self, void*) { return PyLong_FromSize_t(view_of(self).size_bytes()); }
PyObject* get_data_ptr(PyObject* self, void*) { return PyLong_FromVoidPtr(view_of(self).data); }

PyObject* get_cuda_array_interface(PyObject* self, void*) {
  return guarded([&] {
    TensorObject& tensor = self_of(self);
    if (tensor.view.on_device == nullptr) {
      PyErr_SetString(PyExc_AttributeError, "__cuda_array_interface__: the tensor is in host memory");
      throw PythonError{};
    }
    tensor.view.on_device->make_stream_wait(legacy_default_stream);
    tensor.was_read_in_a_stream = true;
    Object const pointer = Object::owned(PyLong_FromVoidPtr(tensor.view.data));
    return Object::owned(Py_BuildValue("{s:N,s:s,s:(OO),s:O,s:i,s:i}", "shape", shape_tuple(tensor.view).release(),
                                       "typestr", tensor.view.element->typestr, "data", pointer.get(), Py_False,
                                       "strides", Py_None, "version", 3, "stream",
                                       static_cast<int>(legacy_default_stream)));
  });
}

Py_ssize_t length(PyObject* self) { return static_cast<Py_ssize_t>(view_of(self).shape[0]); }

PyObject* represent(PyObject* self) {
  return guarded([&] {
    TensorView const& view = view_of(self);
    Object const shape = shape_tuple(view);
    return Object::owned(PyUnicode_FromFormat("<penstock.Tensor %R %s on %s>", shape.get(), view.element->name,
                                              device_name(view).c_str()));
  });
}

/// penstock._convert.NAME(self, *arguments, **keywords): what other packages make of a tensor.
Object converted(char const* name, PyObject* self, PyObject* arguments, PyObject* keywords) {
  Object const function = imported("penstock._convert", name);
  Object const first = Object::owned(Py_BuildValue("(O)", self));
  Object const all = Object::owned(PySequence_Concat(first.get(), arguments));
  return Object::owned(PyObject_Call(function.get(), all.get(), keywords));
}

PyObject* to_array(PyObject* self, PyObject* arguments, PyObject* keywords) {
  return guarded([&] { return converted("array_of", self, arguments, keywords); });
}
PyObject* to_numpy(PyObject* self, PyObject*) {
  return guarded([&] { return converted("numpy_of", self, Object::owned(PyTuple_New(0)).get(), nullptr); });
}
PyObject* to_torch(PyObject* self, PyObject*) {
  return guarded([&] { return converted("torch_of", self, Object::owned(PyTuple_New(0)).get(), nullptr); });
}
PyObject* to_list(PyObject* self, PyObject*) {
  return guarded([&] {
    Object const view = Object::owned(PyMemoryView_FromObject(self));
    return Object::owned(PyObject_CallMethod(view.get(), "tolist", nullptr));
  });
}
PyObject* refuse_to_pickle(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError,
                  "a tensor cannot be pickled, nor copied by the module copy: tensor.copy() is a copy, and "
                  "tensor.numpy() an array");
  return nullptr;
}

PyObject* copy(PyObject* self, PyObject*) {
  return guarded([&] { return make_tensor(copy_of(view_of(self))); });
}
PyObject* dlpack(PyObject* self, PyObject* arguments, PyObject* keywords) {
  return guarded([&] { return dlpack_of(view_of(self), arguments, keywords); });
}
PyObject* dlpack_device(PyObject* self, PyObject*) {
  return guarded([&] { return dlpack_device_of(view_of(self)); });
}

[[noreturn]] void refuse_buffer(char const* why) {
  PyErr_SetString(PyExc_BufferError, why);
  throw PythonError{};
}

void fill(Py_buffer& buffer, PyObject* self, int flags) {
  TensorObject& tensor = self_of(self);
  TensorView const& view = tensor.view;
  if (view.on_device != nullptr)
    refuse_buffer("the tensor is on a CUDA device; device=\"cpu\" makes it in host memory");
  bool const is_vector = view.dimensions == 1 || view.shape[0] <= 1 || view.shape[1] <= 1;
  if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && !is_vector) refuse_buffer("tensors are row-major");
  static char nothing[8] = {};
  buffer.buf = view.data == nullptr ? nothing : view.data;
  buffer.len = static_cast<Py_ssize_t>(view.size_bytes());
  buffer.itemsize = static_cast<Py_ssize_t>(view.element->size_bytes);
  buffer.readonly = 0;
  buffer.ndim = view.dimensions;
  buffer.format = (flags & PyBUF_FORMAT) != 0 ? const_cast<char*>(view.element->buffer_format) : nullptr;
  buffer.shape = (flags & PyBUF_ND) != 0 ? tensor.shape.data() : nullptr;
  buffer.strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? tensor.strides_bytes.data() : nullptr;
  buffer.suboffsets = nullptr;
  buffer.internal = nullptr;
  buffer.obj = Object::shared(self).release();
}

int get_buffer(PyObject* self, Py_buffer* buffer, int flags) {
  buffer->obj = nullptr;
  return guarded_status([&] { fill(*buffer, self, flags); });
}

PyMethodDef methods[] = {
    {"__dlpack__", as_method(dlpack), METH_VARARGS | METH_KEYWORDS,
     "__dlpack__($self, /, *, stream=None, max_version=None, dl_device=None, copy=None)\n--\n\n"
     "A DLPack capsule of the same memory, which it keeps alive: of the versioned struct where `max_version` is (1, 0) "
     "or above, else of the legacy one.\nOf a CUDA tensor `stream` (None and 1: the legacy default stream, 2: the "
     "per-thread one, -1: do not order anything, else a cudaStream_t) waits until the tensor is complete; the host "
     "does "
     "not.\n`copy=True` copies a host tensor. BufferError for another device than the tensor's, and for copies of CUDA "
     "tensors."},
    {"__dlpack_device__", dlpack_device, METH_NOARGS,
     "__dlpack_device__($self, /)\n--\n\n(1, 0) for host memory, (2, N) for CUDA device N."},
    {"__array__", as_method(to_array), METH_VARARGS | METH_KEYWORDS,
     "__array__($self, /, dtype=None, copy=None)\n--\n\nA NumPy array of the same memory unless `dtype` or `copy` asks "
     "for "
     "another. TypeError for a CUDA tensor."},
    {"numpy", to_numpy, METH_NOARGS,
     "numpy($self, /)\n--\n\nA NumPy array of the same memory, which it keeps alive. TypeError for a CUDA tensor."},
    {"torch", to_torch, METH_NOARGS,
     "torch($self, /)\n--\n\nA PyTorch tensor of the same memory, which it keeps alive. Of a CUDA tensor the current "
     "stream of "
     "PyTorch waits until it is complete."},
    {"tolist", to_list, METH_NOARGS,
     "tolist($self, /)\n--\n\nThe elements as (nested) lists. BufferError for a CUDA tensor."},
    {"__reduce_ex__", refuse_to_pickle, METH_O, "__reduce_ex__($self, protocol, /)\n--\n\nTypeError."},
    {"copy", copy, METH_NOARGS,
     "copy($self, /)\n--\n\nA tensor in memory of its own, 64-byte aligned. BufferError for a CUDA tensor."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"shape", get_shape, nullptr, "(rows,) or (rows, columns)", nullptr},
    {"dtype", get_dtype, nullptr, "the name of the element type: float32, float64, int32, int64, uint8 or bool",
     nullptr},
    {"device", get_device, nullptr, "cpu, or cuda:N", nullptr},
    {"ndim", get_ndim, nullptr, "1 or 2", nullptr},
    {"size", get_size, nullptr, "how many elements there are", nullptr},
    {"nbytes", get_nbytes, nullptr, "how many bytes they take", nullptr},
    {"data_ptr", get_data_ptr, nullptr, "the address of the first element, of the device if it is on one", nullptr},
    {"__cuda_array_interface__", get_cuda_array_interface, nullptr,
     "version 3, complete in the legacy default stream; AttributeError for a host tensor", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    weak_references_at(offsetof(TensorObject, weak_references)),
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("Elements of a batch in memory that they keep alive: row-major, of one or two "
                                  "dimensions.\n\nReads as a buffer, by DLPack, and by __array__ or "
                                  "__cuda_array_interface__, without a copy. The elements may be changed: nobody else "
                                  "reads or writes them.")},
    {Py_tp_dealloc, as_slot(end_tensor)},
    {Py_tp_repr, as_slot(represent)},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, attributes},
    {Py_sq_length, as_slot(length)},
    {Py_bf_getbuffer, as_slot(get_buffer)},
    {0, nullptr},
};

PyType_Spec spec = {"penstock.Tensor", sizeof(TensorObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};

struct alignas(64) Line {
  std::byte bytes[64];
};

}  // namespace

Element const& element_of(DType type) { return elements[static_cast<std::size_t>(type)]; }
Element const& byte_element() { return elements[4]; }
Element const& bool_element() { return elements[5]; }

TensorView copy_of(TensorView const& tensor) {
  if (tensor.on_device != nullptr)
    refuse_buffer(
        "a tensor of a CUDA device is not copied here: torch.from_dlpack(tensor).clone() does it there, and "
        "device=\"cpu\" makes batches in host memory");
  auto const lines = std::make_shared<std::vector<Line>>((tensor.size_bytes() + sizeof(Line) - 1) / sizeof(Line));
  TensorView copied = tensor;
  copied.data = lines->data();
  copied.memory = lines;
  if (tensor.size_bytes() != 0) std::memcpy(copied.data, tensor.data, tensor.size_bytes());
  return copied;
}

Object make_tensor(TensorView view) {
  auto* const tensor = allocate<TensorObject>(tensor_type);
  std::construct_at(&tensor->view, std::move(view));
  auto const strides = tensor->view.strides();
  for (std::size_t i = 0; i < 2; ++i) {
    tensor->shape[i] = static_cast<Py_ssize_t>(tensor->view.shape[i]);
    tensor->strides_bytes[i] =
        static_cast<Py_ssize_t>(strides[i]) * static_cast<Py_ssize_t>(tensor->view.element->size_bytes);
  }
  return Object::owned(reinterpret_cast<PyObject*>(tensor));
}

void add_tensor_type(PyObject* module) {
  Object type = Object::owned(PyType_FromSpec(&spec));
  tensor_type = reinterpret_cast<PyTypeObject*>(type.get());
  if (PyModule_AddObjectRef(module, "Tensor", type.get()) != 0) throw PythonError{};
  static_cast<void>(type.release());  // the module is never unloaded
}

}  // namespace penstock::python
