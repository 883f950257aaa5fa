/// _penstock.Loader, the core of penstock.Loader, and its iterators.
#pragma once

#include "python/src/python.hpp"

namespace penstock::python {

void add_loader_types(PyObject* module);

}  // namespace penstock::python
