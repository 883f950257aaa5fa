#include "python/src/commands.hpp"

#include "host/app/cli.hpp"
#include "host/text/text_format.hpp"
#include "penstock/commands.hpp"
#include "penstock/loader.hpp"
#include "python/src/batch.hpp"
#include "python/src/options.hpp"

namespace penstock::python {
namespace {

std::vector<std::string> words_of(PyObject* sequence) {
  std::vector<std::string> words;
  Py_ssize_t const size = PySequence_Size(sequence);
  if (size < 0) throw PythonError{};
  for (Py_ssize_t i = 0; i < size; ++i) {
    Object const word = Object::owned(PySequence_GetItem(sequence, i));
    words.push_back(bytes_of(word.get()));
  }
  return words;
}

PyObject* run(PyObject*, PyObject* words) {
  return guarded([&] {
    std::vector<std::string> const read = words_of(words);
    CommandResult result;
    {
      WithoutGil const others_run;
      result = run_command(read, check_signals);
    }
    return Object::owned(
        Py_BuildValue("(iNN)", result.status, text_of(result.output).release(), message_of(result.messages).release()));
  });
}

PyObject* run_program(PyObject*, PyObject* words) {
  return guarded([&] {
    std::vector<std::string> const read = words_of(words);
    int status = 0;
    {
      WithoutGil const others_run;
      status = app::run(read);
    }
    return Object::owned(PyLong_FromLong(status));
  });
}

PyObject* size_of(PyObject*, PyObject* text) {
  return guarded([&] {
    std::string const word = bytes_of(text);
    auto const bytes = parse_size(word);
    if (!bytes)
      throw ConfigurationError("not a size in bytes: " + escape_for_display(word, 60), "For example 64MiB, or 4096.");
    return Object::owned(PyLong_FromUnsignedLongLong(*bytes));
  });
}

PyObject* read(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject* batch_class = nullptr;
    PyObject* options = nullptr;
    if (PyArg_ParseTuple(arguments, "OO!:read", &batch_class, &PyDict_Type, &options) == 0) throw PythonError{};
    PipelineOptions given = pipeline_options_of(options);
    given.on_wait = check_signals;
    BatchCore core;
    BatchLayout layout;
    {
      WithoutGil const others_run;
      core.batch = read_all(given, &layout);
    }
    core.parts = parts_of(layout);
    return make_batch(reinterpret_cast<PyTypeObject*>(batch_class), std::move(core));
  });
}

PyObject* check_interpreter(PyObject*, PyObject*) { return is_main_interpreter() ? none().release() : nullptr; }

PyObject* begin_end(PyObject*, PyObject*) {
  end_threads();
  return none().release();
}

PyObject* option_names(PyObject*, PyObject* verb) {
  return guarded([&] {
    Object names = Object::owned(PyList_New(0));
    for (std::string const& name : app::option_names(bytes_of(verb)))
      if (PyList_Append(names.get(), text_of(name).get()) != 0) throw PythonError{};
    return names;
  });
}

PyMethodDef functions[] = {
    {"run_command", run, METH_O,
     "run_command(words, /)\n--\n\nRuns a command of the command line without its terminal: (exit status, standard "
     "output, messages). Raises what would end it."},
    {"run_program", run_program, METH_O,
     "run_program(words, /)\n--\n\nThe command line itself, with signals and standard streams; returns the exit "
     "status."},
    {"parse_size", size_of, METH_O, "parse_size(text, /)\n--\n\nBytes of a size such as 64MiB."},
    {"begin_end", begin_end, METH_NOARGS,
     "begin_end()\n--\n\nThe interpreter ends: other threads leave the module or stay where they are."},
    {"check_interpreter", check_interpreter, METH_NOARGS,
     "check_interpreter()\n--\n\nImportError in any but the main interpreter."},
    {"option_names", option_names, METH_O,
     "option_names(verb, /)\n--\n\nNames of a command's options, without dashes, a list."},
    {"read", read, METH_VARARGS, "read(batch_class, options, /)\n--\n\nAll records as one batch."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

void add_functions(PyObject* module) {
  if (PyModule_AddFunctions(module, functions) != 0) throw PythonError{};
}

}  // namespace penstock::python
