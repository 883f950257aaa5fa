#include "python/src/loader.hpp"

#include "penstock/loader.hpp"
#include "python/src/batch.hpp"
#include "python/src/loader_core.hpp"
#include "python/src/options.hpp"

namespace penstock::python {
namespace {

struct LoaderObject {
  PyObject ob_base;
  LoaderCore core;
};

struct IteratorObject {
  PyObject ob_base;
  PyObject* loader;
  std::uint64_t iteration;
  bool is_done;
};

PyTypeObject* iterator_type = nullptr;

LoaderCore& core_of(PyObject* self) { return reinterpret_cast<LoaderObject*>(self)->core; }

PyObject* make_loader(PyTypeObject* type, PyObject* arguments, PyObject*) {
  return guarded([&] {
    PyObject* batch_class = nullptr;
    PyObject* options = nullptr;
    if (PyArg_ParseTuple(arguments, "OO!:Loader", &batch_class, &PyDict_Type, &options) == 0) throw PythonError{};
    LoaderOptions const read = loader_options_of(options);
    Object self = Object::owned(reinterpret_cast<PyObject*>(allocate<LoaderObject>(type)));
    std::construct_at(&core_of(self.get()));
    core_of(self.get()).open(read, Object::shared(batch_class));
    return self;
  });
}

void end_loader(PyObject* self) {
  Inside const inside;
  std::destroy_at(&core_of(self));
  free_instance(self);
}

PyObject* iterate(PyObject* self, PyObject*) {
  return guarded([&] {
    std::uint64_t const iteration = core_of(self).begin_iteration();
    auto* const iterator = allocate<IteratorObject>(iterator_type);
    iterator->loader = Object::shared(self).release();
    iterator->iteration = iteration;
    return Object::owned(reinterpret_cast<PyObject*>(iterator));
  });
}

void end_iterator(PyObject* self) {
  Py_XDECREF(reinterpret_cast<IteratorObject*>(self)->loader);
  free_instance(self);
}

PyObject* next_of_iterator(PyObject* self) {
  Inside const inside;
  IteratorObject& iterator = *reinterpret_cast<IteratorObject*>(self);
  if (iterator.is_done) return nullptr;
  try {
    Object batch = core_of(iterator.loader).next(iterator.iteration);
    iterator.is_done = !batch;
    return batch.release();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

PyObject* get_epoch(PyObject* self, void*) {
  return guarded([&] {
    std::uint64_t const epoch = core_of(self).use([](Loader& loader) { return loader.epoch(); });
    return Object::owned(PyLong_FromUnsignedLongLong(epoch));
  });
}

PyObject* set_epoch(PyObject* self, PyObject* epoch) {
  return guarded([&] {
    auto const number = number_of<std::uint64_t>("epoch", epoch);
    core_of(self).place([number](Loader& loader) { loader.set_epoch(number); });
    return none();
  });
}

PyObject* get_plan(PyObject* self, PyObject*) {
  return guarded([&] {
    EpochPlan const plan = core_of(self).use([](Loader& loader) { return loader.plan(); });
    return Object::owned(Py_BuildValue(
        "{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:I,s:I}", "records", static_cast<unsigned long long>(plan.records), "rejected",
        static_cast<unsigned long long>(plan.rejected), "steps", static_cast<unsigned long long>(plan.steps),
        "last_rows", static_cast<unsigned long long>(plan.last_rows), "dropped",
        static_cast<unsigned long long>(plan.dropped), "padded", static_cast<unsigned long long>(plan.padded),
        "batch_size", static_cast<unsigned long long>(plan.batch_size), "rank", plan.rank, "world_size",
        plan.world_size));
  });
}

PyObject* get_metrics(PyObject* self, PyObject*) {
  return guarded([&] {
    LoaderMetrics const m = core_of(self).look([](Loader& loader) { return loader.metrics(); });
    return Object::owned(Py_BuildValue(
        "{s:K,s:K,s:K,s:K,s:d,s:d,s:d,s:d,s:d,s:d,s:d,s:K,s:K,s:I}", "batches",
        static_cast<unsigned long long>(m.batches), "records", static_cast<unsigned long long>(m.records), "rejected",
        static_cast<unsigned long long>(m.rejected), "text_bytes", static_cast<unsigned long long>(m.text_bytes),
        "seconds", m.seconds, "waited_seconds", m.waited_seconds, "blocked_seconds", m.blocked_seconds, "read_seconds",
        m.read_seconds, "cut_seconds", m.cut_seconds, "decode_seconds", m.decode_seconds, "assemble_seconds",
        m.assemble_seconds, "ready_bytes", static_cast<unsigned long long>(m.ready_bytes), "held_bytes",
        static_cast<unsigned long long>(m.held_bytes), "threads", m.threads));
  });
}

PyObject* get_metrics_text(PyObject* self, PyObject*) {
  return guarded([&] { return text_of(core_of(self).look([](Loader& loader) { return loader.metrics_text(); })); });
}

PyObject* get_summary(PyObject* self, PyObject*) {
  return guarded([&] { return text_of(core_of(self).look([](Loader& loader) { return loader.summary(); })); });
}

PyObject* get_state(PyObject* self, PyObject*) {
  return guarded([&] { return text_of(core_of(self).use([](Loader& loader) { return loader.state(); })); });
}

PyObject* restore(PyObject* self, PyObject* arguments) {
  return guarded([&] {
    PyObject* state = nullptr;
    int allows_modified = 0;
    if (PyArg_ParseTuple(arguments, "Up:restore", &state, &allows_modified) == 0) throw PythonError{};
    std::string const text = bytes_of(state);
    core_of(self).place([&](Loader& loader) { loader.restore(text, allows_modified != 0); });
    return none();
  });
}

Object tuple_of(std::vector<std::string> const& texts) {
  Object tuple = Object::owned(PyTuple_New(static_cast<Py_ssize_t>(texts.size())));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (PyTuple_SetItem(tuple.get(), static_cast<Py_ssize_t>(i), text_of(texts[i]).release()) != 0) throw PythonError{};
  }
  return tuple;
}

PyObject* get_notes(PyObject* self, PyObject*) {
  return guarded([&] { return tuple_of(core_of(self).use([](Loader& loader) { return loader.notes(); })); });
}

PyObject* get_names(PyObject* self, PyObject* role) {
  return guarded([&] {
    std::string const wanted = bytes_of(role);
    for (Role const each : tensor_roles) {
      if (name_of(each) == wanted)
        return tuple_of(core_of(self).use([each](Loader& loader) { return loader.names(each); }));
    }
    PyErr_SetObject(PyExc_KeyError, role);
    throw PythonError{};
  });
}

PyObject* get_tensors(PyObject* self, PyObject*) {
  return guarded([&] { return Object::shared(core_of(self).parts().names.get()); });
}

PyObject* get_feature_columns(PyObject* self, PyObject*) {
  return PyLong_FromSize_t(core_of(self).parts().layout.features);
}

PyObject* close(PyObject* self, PyObject*) {
  return guarded([&] {
    core_of(self).close();
    return none();
  });
}

PyObject* close_if_idle(PyObject* self, PyObject*) {
  return guarded([&] {
    core_of(self).close_if_idle();
    return none();
  });
}

PyMethodDef methods[] = {
    {"iterate", iterate, METH_NOARGS,
     "iterate($self, /)\n--\n\nAn iterator over the rest of a restored epoch, or over the "
     "next one."},
    {"set_epoch", set_epoch, METH_O, "set_epoch($self, epoch, /)\n--\n\nThe next batch is the first of this epoch."},
    {"plan", get_plan, METH_NOARGS, "plan($self, /)\n--\n\nHow an epoch is divided, a dict."},
    {"metrics", get_metrics, METH_NOARGS, "metrics($self, /)\n--\n\nWhat was done so far, a dict."},
    {"metrics_text", get_metrics_text, METH_NOARGS, "metrics_text($self, /)\n--\n\nThe same for Prometheus."},
    {"summary", get_summary, METH_NOARGS, "summary($self, /)\n--\n\nThe same for people, a line."},
    {"state", get_state, METH_NOARGS, "state($self, /)\n--\n\nWhere the next batch stands, a line of JSON."},
    {"restore", restore, METH_VARARGS, "restore($self, state, allow_modified, /)\n--\n\nGoes on there."},
    {"notes", get_notes, METH_NOARGS, "notes($self, /)\n--\n\nWhat was found out, a line each."},
    {"names", get_names, METH_O, "names($self, role, /)\n--\n\nNames of the columns of a role."},
    {"tensors", get_tensors, METH_NOARGS, "tensors($self, /)\n--\n\nNames of the tensors of a batch."},
    {"feature_columns", get_feature_columns, METH_NOARGS,
     "feature_columns($self, /)\n--\n\nHow many features there are; 0: "
     "not known."},
    {"close", close, METH_NOARGS, "close($self, /)\n--\n\nEnds the loader's threads. Batches stay."},
    {"close_if_idle", close_if_idle, METH_NOARGS,
     "close_if_idle($self, /)\n--\n\nThe same, unless a thread uses the loader."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"epoch", get_epoch, nullptr, "the epoch of the next batch", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot loader_slots[] = {
    {Py_tp_doc, const_cast<char*>("Loader(batch_class, options, /)\n--\n\nThe core of penstock.Loader.")},
    {Py_tp_new, as_slot(make_loader)},
    {Py_tp_dealloc, as_slot(end_loader)},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {0, nullptr},
};
PyType_Spec loader_spec = {"penstock._penstock.Loader", sizeof(LoaderObject), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, loader_slots};

PyType_Slot iterator_slots[] = {
    {Py_tp_doc, const_cast<char*>("The batches of one epoch of a loader.")},
    {Py_tp_dealloc, as_slot(end_iterator)},
    {Py_tp_iter, as_slot(PyObject_SelfIter)},
    {Py_tp_iternext, as_slot(next_of_iterator)},
    {0, nullptr},
};
PyType_Spec iterator_spec = {"penstock._penstock.Iterator", sizeof(IteratorObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                             iterator_slots};

PyTypeObject* add_type(PyObject* module, char const* name, PyType_Spec& spec) {
  Object type = Object::owned(PyType_FromSpec(&spec));
  if (PyModule_AddObjectRef(module, name, type.get()) != 0) throw PythonError{};
  return reinterpret_cast<PyTypeObject*>(type.release());  // the module is never unloaded
}

}  // namespace

void add_loader_types(PyObject* module) {
  add_type(module, "Loader", loader_spec);
  iterator_type = add_type(module, "Iterator", iterator_spec);
}

}  // namespace penstock::python
