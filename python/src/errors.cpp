#include "python/src/python.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
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

struct ErrorClass {
  ExitCode code;
  char const* name;
  PyObject* type = nullptr;  ///< of penstock._errors; the module keeps it for good
};
ErrorClass error_classes[] = {{ExitCode::internal, "InternalError"},   {ExitCode::data, "DataError"},
                              {ExitCode::usage, "ConfigurationError"}, {ExitCode::source, "SourceError"},
                              {ExitCode::sink, "SinkError"},           {ExitCode::schema, "SchemaError"},
                              {ExitCode::device, "DeviceError"}};

void set_error(ExitCode code, std::string_view message, std::string_view hint, Object const& place) {
  auto const* const known =
      std::ranges::find_if(error_classes, [code](ErrorClass const& each) { return each.code == code; });
  PyObject* const type = (known == std::end(error_classes) ? error_classes : known)->type;
  Object const arguments =
      Object::owned(Py_BuildValue("(NNO)", message_of(message).release(), message_of(hint).release(), place.get()));
  Object const error = Object::owned(PyObject_CallObject(type, arguments.get()));
  PyErr_SetObject(type, error.get());
}

void set_internal(char const* what) { set_error(ExitCode::internal, what, "This is a defect of penstock.", none()); }

void translate() {
  try {
    throw;
  } catch (PythonError const&) {
    return;  // it is set
  } catch (InterruptedError const&) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
  } catch (Error const& error) {
    set_error(error.exit_code(), error.what(), error.hint(), place_of(error));
  } catch (std::bad_alloc const&) {
    PyErr_NoMemory();
  } catch (std::exception const& error) {
    set_internal(error.what());
  } catch (...) {
    set_internal("unknown");
  }
}

}  // namespace

void find_error_classes() {
  for (ErrorClass& each : error_classes) each.type = imported("penstock._errors", each.name).release();
}

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
