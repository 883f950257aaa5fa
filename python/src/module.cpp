/// penstock._penstock: the library for the package `penstock`, by CPython's stable ABI.
///
/// One for the process, whose types, and the thread that ends it, are those of the main interpreter.
#include "python/src/python.hpp"

#include <new>

#include <pthread.h>

#include "penstock/version.hpp"
#include "python/src/batch.hpp"
#include "python/src/commands.hpp"
#include "python/src/loader.hpp"
#include "python/src/tensor.hpp"

namespace penstock::python {
namespace {

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "penstock._penstock",
                          "The core of the package penstock.",
                          -1,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

Object make_module() {
  Object module = Object::owned(PyModule_Create(&definition));
  find_error_classes();
  if (::pthread_atfork(nullptr, nullptr, forget_other_threads) != 0) throw std::bad_alloc();
  std::string const words{version};
  if (PyModule_AddStringConstant(module.get(), "version", words.c_str()) != 0) throw PythonError{};
  add_tensor_type(module.get());
  add_batch_type(module.get());
  add_loader_types(module.get());
  add_functions(module.get());
  return module;
}

}  // namespace
}  // namespace penstock::python

PyMODINIT_FUNC PyInit__penstock() {
  if (!penstock::python::is_main_interpreter()) return nullptr;
  return penstock::python::guarded([] { return penstock::python::make_module(); });
}
