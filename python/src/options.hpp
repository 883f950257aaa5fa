/// Options of penstock.Loader and penstock.read, as penstock._options sends them, in the library's own words.
#pragma once

#include "python/src/python.hpp"

#include "penstock/loader.hpp"

namespace penstock::python {

/// Throws ConfigurationError for numbers that do not fit, and PythonError for values of other types than
/// penstock._options makes.
[[nodiscard]] LoaderOptions loader_options_of(PyObject* options);
[[nodiscard]] PipelineOptions pipeline_options_of(PyObject* options);

}  // namespace penstock::python
