/// Functions of the module: commands of the command line, and reading all at once.
#pragma once

#include "python/src/python.hpp"

namespace penstock::python {

void add_functions(PyObject* module);

}  // namespace penstock::python
