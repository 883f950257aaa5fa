#include "python/src/python.hpp"

#include <exception>
#include <new>

#include "penstock/error.hpp"

namespace penstock::python {
namespace {

/// (file, line, column, offset), or None.
Object place_of(Error const& error) {
  auto const* const data = dynamic_cast<DataError const*>(&error);
  if (data == nullptr || !data->place) return none();
  Place const& place = *data->place;
  return Object::owned(Py_BuildValue(
      "(NKKK)", text_of(place.file).release(), static_cast<unsigned long long>(place.line),
      static_cast<unsigned long long>(place.column), static_cast<unsigned long long>(place.offset_bytes)));
}

char const* class_of(Error const& error) {
  switch (error.exit_code()) {
    case ExitCode::data: return "DataError";
    case ExitCode::usage: return "ConfigurationError";
    case ExitCode::source: return "SourceError";
    case ExitCode::sink: return "SinkError";
    case ExitCode::schema: return "SchemaError";
    case ExitCode::device: return "DeviceError";
    default: return "InternalError";
  }
}

void set_error(char const* name, std::string_view message, std::string_view hint, Object const& place) {
  Object const type = imported("penstock._errors", name);
  Object const arguments =
      Object::owned(Py_BuildValue("(NNO)", message_of(message).release(), message_of(hint).release(), place.get()));
  Object const error = Object::owned(PyObject_CallObject(type.get(), arguments.get()));
  PyErr_SetObject(type.get(), error.get());
}

void set_internal(char const* what) { set_error("InternalError", what, "This is a defect of penstock.", none()); }

void translate() {
  try {
    throw;
  } catch (PythonError const&) {
    return;  // it is set
  } catch (InterruptedError const&) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
  } catch (Error const& error) {
    set_error(class_of(error), error.what(), error.hint(), place_of(error));
  } catch (std::bad_alloc const&) {
    PyErr_NoMemory();
  } catch (std::exception const& error) {
    set_internal(error.what());
  } catch (...) {
    set_internal("unknown");
  }
}

}  // namespace

void set_python_error() noexcept {
  try {
    translate();
  } catch (PythonError const&) {
    return;  // what went wrong while the exception was made is the exception then
  } catch (...) {
    PyErr_NoMemory();
  }
}

}  // namespace penstock::python
