#include "python/src/batch.hpp"

namespace penstock::python {
namespace {

PyTypeObject* batch_type = nullptr;

BatchObject& self_of(PyObject* self) { return *reinterpret_cast<BatchObject*>(self); }
SharedBatch const& batch_of(PyObject* self) { return self_of(self).core.batch; }

void end_batch(PyObject* self) {
  Inside const inside;
  PyObject_ClearWeakRefs(self);
  BatchObject& batch = self_of(self);
  Py_XDECREF(batch.made);
  std::destroy_at(&batch.core);
  free_instance(self);
}

/// One dimension where there cannot be more columns than one, and for a label of one column.
bool is_vector(Role role, std::size_t columns) {
  bool const is_matrix = role == Role::feature || role == Role::cat || role == Role::category;
  return !is_matrix && columns == 1;
}

Object dense_part(SharedBatch const& batch, Role role) {
  Dense const& dense = batch.rows.tensor(role);
  TensorView view;
  view.data = dense.data;
  view.element = &element_of(dense.dtype);
  view.dimensions = is_vector(role, dense.columns) ? 1 : 2;
  view.shape = {static_cast<std::int64_t>(dense.rows), static_cast<std::int64_t>(dense.columns)};
  view.memory = batch.memory;
  view.on_device = batch.on_device;
  return make_tensor(std::move(view));
}

/// `count` elements in host memory.
Object vector_part(SharedBatch const& batch, void* data, Element const& element, std::int64_t count) {
  TensorView view;
  view.data = data;
  view.element = &element;
  view.shape = {count, 1};
  view.memory = batch.memory;
  return make_tensor(std::move(view));
}

std::int64_t offsets_end(std::int64_t const* offsets, std::size_t rows) { return rows == 0 ? 0 : offsets[rows]; }

Object offsets_part(SharedBatch const& batch, std::int64_t* offsets) {
  return vector_part(batch, offsets, element_of(DType::int64), static_cast<std::int64_t>(batch.rows.rows) + 1);
}

/// penstock._batch.NAME(...): a tensor of several parts.
Object composed(char const* name, Object arguments) {
  Object const function = imported("penstock._batch", name);
  return Object::owned(PyObject_CallObject(function.get(), arguments.get()));
}

Object csr_part(SharedBatch const& batch) {
  Csr const& csr = batch.rows.csr;
  std::int64_t const pairs = offsets_end(csr.indptr, csr.rows);
  return composed("_csr", Object::owned(Py_BuildValue(
                              "(NNNnn)", vector_part(batch, csr.values, element_of(csr.dtype), pairs).release(),
                              vector_part(batch, csr.indices, element_of(DType::int64), pairs).release(),
                              offsets_part(batch, csr.indptr).release(), static_cast<Py_ssize_t>(csr.rows),
                              static_cast<Py_ssize_t>(csr.columns))));
}

Object ragged_part(SharedBatch const& batch, Part const& part) {
  Ragged const& ragged = part.list == Part::no_list ? batch.rows.labels : batch.rows.lists[part.list];
  std::int64_t const values = offsets_end(ragged.offsets, ragged.rows);
  return composed("_ragged", Object::owned(Py_BuildValue(
                                 "(NNn)", vector_part(batch, ragged.values, element_of(ragged.dtype), values).release(),
                                 offsets_part(batch, ragged.offsets).release(), static_cast<Py_ssize_t>(part.pieces))));
}

Object text_part(SharedBatch const& batch, Part const& part) {
  Texts const& texts = part.name == "uid" ? batch.rows.uid : batch.rows.metadata;
  std::int64_t const bytes = offsets_end(texts.offsets, texts.rows);
  return composed("_text",
                  Object::owned(Py_BuildValue("(NN)", vector_part(batch, texts.bytes, byte_element(), bytes).release(),
                                              offsets_part(batch, texts.offsets).release())));
}

Object made(SharedBatch const& batch, Part const& part) {
  switch (part.kind) {
    case PartKind::csr: return csr_part(batch);
    case PartKind::ragged: return ragged_part(batch, part);
    case PartKind::text: return text_part(batch, part);
    case PartKind::dense: break;
  }
  return dense_part(batch, part.role);
}

[[noreturn]] void throw_unknown(BatchObject const& self, PyObject* name) {
  Object const separator = text_of(", ");
  Object const known = Object::owned(PyUnicode_Join(separator.get(), self.core.parts->names.get()));
  Object const message = Object::owned(PyUnicode_FromFormat("%R: the batch has %U", name, known.get()));
  PyErr_SetObject(PyExc_KeyError, message.get());
  throw PythonError{};
}

Object part_named(BatchObject& self, PyObject* name) {
  if (self.made == nullptr) self.made = Object::owned(PyDict_New()).release();
  if (PyObject* const known = PyDict_GetItemWithError(self.made, name); known != nullptr) return Object::shared(known);
  if (PyErr_Occurred() != nullptr) throw PythonError{};
  if (PyUnicode_Check(name) == 0) throw_unknown(self, name);
  for (Part const& part : self.core.parts->parts) {
    if (PyUnicode_CompareWithASCIIString(name, part.name.c_str()) != 0) continue;
    Object value = made(self.core.batch, part);
    if (PyDict_SetItem(self.made, name, value.get()) != 0) throw PythonError{};
    return value;
  }
  throw_unknown(self, name);
}

PyObject* get_item(PyObject* self, PyObject* name) {
  return guarded([&] { return part_named(self_of(self), name); });
}

Py_ssize_t count_parts(PyObject* self) { return static_cast<Py_ssize_t>(self_of(self).core.parts->parts.size()); }

PyObject* iterate(PyObject* self) { return PyObject_GetIter(self_of(self).core.parts->names.get()); }

PyObject* number(std::uint64_t value) { return PyLong_FromUnsignedLongLong(value); }

PyObject* get_names(PyObject* self, void*) { return Object::shared(self_of(self).core.parts->names.get()).release(); }
PyObject* get_rows(PyObject* self, void*) { return number(batch_of(self).rows.rows); }
PyObject* get_valid_rows(PyObject* self, void*) { return number(batch_of(self).valid_rows); }
PyObject* get_epoch(PyObject* self, void*) { return number(batch_of(self).epoch); }
PyObject* get_step(PyObject* self, void*) { return number(batch_of(self).step); }
PyObject* get_first_record(PyObject* self, void*) { return number(batch_of(self).provenance.first_record); }
PyObject* get_last_record(PyObject* self, void*) { return number(batch_of(self).provenance.last_record); }
PyObject* get_rejected(PyObject* self, void*) { return number(batch_of(self).provenance.rejected); }
PyObject* get_file(PyObject* self, void*) {
  return guarded([&] { return text_of(batch_of(self).provenance.file); });
}
PyObject* get_device(PyObject* self, void*) {
  return guarded([&] {
    auto const& device = batch_of(self).on_device;
    return text_of(device == nullptr ? "cpu" : "cuda:" + std::to_string(device->device()));
  });
}

PyObject* get_valid(PyObject* self, void*) {
  return guarded([&] {
    SharedBatch const& batch = batch_of(self);
    auto const mask = std::make_shared<std::vector<std::uint8_t>>(batch.rows.rows, std::uint8_t{0});
    for (std::size_t i = 0; i < batch.valid_rows && i < mask->size(); ++i) (*mask)[i] = 1;
    TensorView view;
    view.data = mask->data();
    view.element = &bool_element();
    view.shape = {static_cast<std::int64_t>(mask->size()), 1};
    view.memory = mask;
    return make_tensor(std::move(view));
  });
}

PyObject* refuse_to_pickle(PyObject*, PyObject*) {
  PyErr_SetString(PyExc_TypeError,
                  "a batch cannot be pickled, nor copied by the module copy: batch.copy() is a copy, batch.to_numpy() "
                  "has arrays, and a process makes a loader of its own");
  return nullptr;
}

PyObject* copy(PyObject* self, PyObject*) {
  return guarded([&] {
    BatchCore const& core = self_of(self).core;
    return make_batch(Py_TYPE(self), {copy_of(core.batch, core.parts->layout), core.parts});
  });
}

PyObject* arrow_schema(PyObject* self, PyObject*) {
  return guarded([&] { return arrow_schema_of(self_of(self).core); });
}

PyObject* arrow_array(PyObject* self, PyObject* arguments, PyObject* keywords) {
  return guarded([&] {
    static char const* const names[] = {"requested_schema", nullptr};
    PyObject* requested = Py_None;  // a wish, which the protocol allows to leave unanswered
    if (PyArg_ParseTupleAndKeywords(arguments, keywords, "|O:__arrow_c_array__", const_cast<char**>(names),
                                    &requested) == 0)
      throw PythonError{};
    return arrow_array_of(self_of(self).core);
  });
}

PyMethodDef methods[] = {
    {"__reduce_ex__", refuse_to_pickle, METH_O, "__reduce_ex__($self, protocol, /)\n--\n\nTypeError."},
    {"copy", copy, METH_NOARGS,
     "copy($self, /)\n--\n\nA batch in host memory of its own: what is kept for long should not hold the loader's. "
     "BufferError "
     "for a batch of a CUDA device."},
    {"__arrow_c_schema__", arrow_schema, METH_NOARGS,
     "__arrow_c_schema__($self, /)\n--\n\nA capsule of an ArrowSchema."},
    {"__arrow_c_array__", as_method(arrow_array), METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_array__($self, /, requested_schema=None)\n--\n\nCapsules of an ArrowSchema and an ArrowArray of the "
     "same memory: "
     "a struct with a field for each tensor. BufferError for a batch of a CUDA device."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"names", get_names, nullptr, "the names of the tensors, a tuple of str", nullptr},
    {"rows", get_rows, nullptr, "how many rows there are, padding included", nullptr},
    {"valid_rows", get_valid_rows, nullptr, "how many there are without padding, which comes last", nullptr},
    {"valid", get_valid, nullptr, "a bool tensor in host memory, (rows,): False where a row is padding", nullptr},
    {"epoch", get_epoch, nullptr, "the epoch, from 0", nullptr},
    {"step", get_step, nullptr, "the place in this rank's epoch, from 0", nullptr},
    {"file", get_file, nullptr, "the file of the first row's record", nullptr},
    {"first_record", get_first_record, nullptr,
     "the lowest number of a record, counted from 0 without rejected ones over the files in the order in which "
     "the epoch reads them: as they are named, or, with shuffle=\"window\", in another one each time",
     nullptr},
    {"last_record", get_last_record, nullptr, "the highest number of a record", nullptr},
    {"rejected", get_rejected, nullptr, "how many records were rejected before the batch", nullptr},
    {"device", get_device, nullptr, "where dense tensors lie: cpu, or cuda:N", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    weak_references_at(offsetof(BatchObject, weak_references)),
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("The core of penstock.Batch: tensors by name.")},
    {Py_tp_dealloc, as_slot(end_batch)},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, attributes},
    {Py_tp_iter, as_slot(iterate)},
    {Py_mp_subscript, as_slot(get_item)},
    {Py_mp_length, as_slot(count_parts)},
    {0, nullptr},
};

PyType_Spec spec = {"penstock._penstock.Batch", sizeof(BatchObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

std::vector<Part> list_parts(BatchLayout const& layout) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < lists_max; ++i) {
    ListLayout const& list = layout.lists[i];
    if (list.role == ListRole::none) break;
    parts.push_back(
        {.name = std::string(name_of(list.role)), .kind = PartKind::ragged, .list = i, .pieces = list.parts});
  }
  return parts;
}

/// In the order in which a batch lists them: features, labels, other roles, lists, texts.
std::vector<Part> list_all(BatchLayout const& layout) {
  std::vector<Part> parts;
  if (layout.is_sparse) parts.push_back({.name = "features", .kind = PartKind::csr});
  for (Role role : tensor_roles) {
    if (role == Role::label && layout.labels_vary) parts.push_back({.name = "label", .kind = PartKind::ragged});
    if (layout.columns(role) == 0) continue;
    parts.push_back({.name = std::string(name_of(role)), .kind = PartKind::dense, .role = role});
  }
  for (Part& part : list_parts(layout)) parts.push_back(std::move(part));
  if (layout.has_uid) parts.push_back({.name = "uid", .kind = PartKind::text});
  if (layout.has_metadata) parts.push_back({.name = "metadata", .kind = PartKind::text});
  return parts;
}

}  // namespace

std::shared_ptr<Parts const> parts_of(BatchLayout const& layout) {
  auto parts = std::make_shared<Parts>();
  parts->layout = layout;
  parts->parts = list_all(layout);
  parts->names = Object::owned(PyTuple_New(static_cast<Py_ssize_t>(parts->parts.size())));
  for (std::size_t i = 0; i < parts->parts.size(); ++i) {
    Object name = Object::owned(PyUnicode_InternFromString(parts->parts[i].name.c_str()));
    if (PyTuple_SetItem(parts->names.get(), static_cast<Py_ssize_t>(i), name.release()) != 0) throw PythonError{};
  }
  return parts;
}

Object make_batch(PyTypeObject* type, BatchCore core) {
  auto* const batch = allocate<BatchObject>(type);
  std::construct_at(&batch->core, std::move(core));
  return Object::owned(reinterpret_cast<PyObject*>(batch));
}

void add_batch_type(PyObject* module) {
  Object type = Object::owned(PyType_FromSpec(&spec));
  batch_type = reinterpret_cast<PyTypeObject*>(type.get());
  if (PyModule_AddObjectRef(module, "Batch", type.get()) != 0) throw PythonError{};
  static_cast<void>(type.release());  // the module is never unloaded
}

}  // namespace penstock::python
