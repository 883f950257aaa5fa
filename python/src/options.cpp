#include "python/src/options.hpp"

#include <optional>

namespace penstock::python {
namespace {

/// The entries of a dict.
class Entries {
 public:
  explicit Entries(PyObject* dict) : dict_(dict) {}

  [[nodiscard]] PyObject* find(char const* name) const {
    Object const key = Object::owned(PyUnicode_FromString(name));
    PyObject* const value = PyDict_GetItemWithError(dict_, key.get());
    if (value == nullptr && PyErr_Occurred() != nullptr) throw PythonError{};
    return value;
  }

  void read(char const* name, std::string& text) const {
    PyObject* const value = find(name);
    if (value == nullptr) return;
    if (PyUnicode_Check(value) == 0) {
      PyErr_Format(PyExc_TypeError, "%s: expected a str, not %R", name, value);
      throw PythonError{};
    }
    text = bytes_of(value);
  }

  template <class Number>
  void read(char const* name, Number& number) const {
    if (PyObject* const value = find(name)) number = number_of<Number>(name, value);
  }

 private:
  PyObject* dict_;
};

template <class Take>
void for_each_item(PyObject* sequence, Take const& take) {
  Py_ssize_t const size = PySequence_Size(sequence);
  if (size < 0) throw PythonError{};
  for (Py_ssize_t i = 0; i < size; ++i) {
    Object const item = Object::owned(PySequence_GetItem(sequence, i));
    take(item.get());
  }
}

void read_more(Entries const& entries, InputOptions& options) {
  PyObject* const more = entries.find("more");
  if (more == nullptr) return;
  for_each_item(more, [&](PyObject* pair) {
    Object const name = Object::owned(PySequence_GetItem(pair, 0));
    Object const value = Object::owned(PySequence_GetItem(pair, 1));
    options.more.emplace_back(bytes_of(name.get()), bytes_of(value.get()));
  });
}

void read_input(Entries const& entries, InputOptions& options) {
  if (PyObject* const paths = entries.find("paths"))
    for_each_item(paths, [&](PyObject* path) { options.paths.push_back(bytes_of(path)); });
  entries.read("format", options.format);
  entries.read("columns", options.columns);
  entries.read("label", options.label);
  entries.read("weight", options.weight);
  entries.read("qid", options.qid);
  entries.read("normalize", options.normalize);
  entries.read("schema", options.schema);
  entries.read("on_error", options.on_error);
  entries.read("features", options.features);
  entries.read("device", options.device);
  entries.read("memory", options.memory_bytes);
  entries.read("threads", options.threads);
  read_more(entries, options);
}

/// The value of an enumeration that name_of() calls `word`.
template <class Enumeration>
Enumeration named(char const* option, std::string const& word, std::initializer_list<Enumeration> values) {
  std::string known;
  for (Enumeration const value : values) {
    if (name_of(value) == word) return value;
    known += (known.empty() ? "" : ", ") + std::string(name_of(value));
  }
  throw ConfigurationError(std::string(option) + ": there is no " + word, "There are " + known + ".");
}

}  // namespace

std::uint64_t number_of(char const* name, PyObject* value, std::uint64_t most) {
  if (PyIndex_Check(value) == 0) {
    PyErr_Format(PyExc_TypeError, "%s: expected an integer, not %R", name, value);
    throw PythonError{};
  }
  Object const integer = Object::owned(PyNumber_Index(value));
  unsigned long long const wide = PyLong_AsUnsignedLongLong(integer.get());
  bool const is_bad = PyErr_Occurred() != nullptr;
  if (is_bad && PyErr_ExceptionMatches(PyExc_OverflowError) == 0) throw PythonError{};
  PyErr_Clear();
  if (is_bad || wide > most)
    throw ConfigurationError(std::string(name) + " is a number from 0 to " + std::to_string(most));
  return wide;
}

LoaderOptions loader_options_of(PyObject* options) {
  Entries const entries(options);
  LoaderOptions read;
  read_input(entries, read);
  entries.read("batch_size", read.batch_size);
  entries.read("window", read.window);
  entries.read("seed", read.seed);
  entries.read("rank", read.rank);
  entries.read("world_size", read.world_size);
  entries.read("index", read.index);
  entries.read("prefetch", read.prefetch_bytes);
  std::string word{name_of(read.shuffle)};
  entries.read("shuffle", word);
  read.shuffle = named("shuffle", word, {Shuffle::none, Shuffle::window, Shuffle::exact});
  word = name_of(read.remainder);
  entries.read("remainder", word);
  read.remainder = named("remainder", word, {Remainder::keep, Remainder::drop, Remainder::pad});
  return read;
}

PipelineOptions pipeline_options_of(PyObject* options) {
  PipelineOptions read;
  read_input(Entries(options), read);
  return read;
}

}  // namespace penstock::python
