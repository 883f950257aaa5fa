/// Options of penstock.Loader and penstock.read, as penstock._options sends them, in the library's own words.
#pragma once

#include "python/src/python.hpp"

#include <cstdint>
#include <limits>

#include "penstock/loader.hpp"

namespace penstock::python {

/// Throws ConfigurationError for numbers that do not fit, and PythonError for values of other types than
/// penstock._options makes.
[[nodiscard]] LoaderOptions loader_options_of(PyObject* options);
[[nodiscard]] PipelineOptions pipeline_options_of(PyObject* options);

/// A number from 0 on, of any type that can be an index. Throws ConfigurationError for one that does not fit, and
/// PythonError with a TypeError for what is none; both call it `name`.
[[nodiscard]] std::uint64_t number_of(char const* name, PyObject* value, std::uint64_t most);
template <class Number>
[[nodiscard]] Number number_of(char const* name, PyObject* value) {
  return static_cast<Number>(number_of(name, value, std::numeric_limits<Number>::max()));
}

}  // namespace penstock::python
