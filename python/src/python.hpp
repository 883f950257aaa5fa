/// Python's C API, with references that look after themselves. Include this before any other header.
///
/// Functions throw PythonError when a Python exception is set; guarded() is where C++ exceptions end.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace penstock::python {

/// Thrown while Python's error indicator is set: the exception is the one that Python knows.
struct PythonError {};

/// A reference that is owned, or none.
class Object {
 public:
  Object() = default;
  /// Takes over a new reference; throws PythonError if there is none.
  static Object owned(PyObject* reference) {
    if (reference == nullptr) throw PythonError{};
    return Object(reference);
  }
  /// Another reference to what somebody else owns.
  static Object shared(PyObject* reference) {
    Py_XINCREF(reference);
    return Object(reference);
  }
  Object(Object&& other) noexcept : reference_(std::exchange(other.reference_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    std::swap(reference_, other.reference_);
    return *this;
  }
  ~Object() { Py_XDECREF(reference_); }

  [[nodiscard]] PyObject* get() const { return reference_; }
  [[nodiscard]] PyObject* release() { return std::exchange(reference_, nullptr); }
  explicit operator bool() const { return reference_ != nullptr; }

 private:
  explicit Object(PyObject* reference) : reference_(reference) {}
  PyObject* reference_ = nullptr;
};

// --- threads and the end of the interpreter --------------------------------------------------------------------------
//
// Until 3.13 Python ends other threads that ask for the GIL while it is finalized, by unwinding their stacks, which
// frames of C++ cannot let pass. So such a thread is counted while it has frames of C++ and the GIL, or asks for it;
// end_threads() lets them come out, and who comes later stays where it is.

/// The thread that ends the interpreter, from the functions of atexit on.
inline std::atomic<std::thread::id> ending_thread{};
[[nodiscard]] inline bool is_over_for_this_thread() {
  std::thread::id const ending = ending_thread.load();
  return ending != std::thread::id{} && ending != std::this_thread::get_id();
}

inline std::atomic<int> threads_inside{0};
inline thread_local bool is_inside = false;

/// False: it is over. Counted before it is asked, so that end_threads() sees the one or this thread the other.
[[nodiscard]] inline bool come_inside() {
  is_inside = true;
  threads_inside.fetch_add(1);
  if (!is_over_for_this_thread()) return true;
  is_inside = false;
  threads_inside.fetch_sub(1);
  return false;
}
inline void go_outside() {
  is_inside = false;
  threads_inside.fetch_sub(1);
}
/// In a child of fork(), where the thread that called it is the only one.
inline void forget_other_threads() { threads_inside.store(is_inside ? 1 : 0); }
/// Without the GIL, until the process ends.
[[noreturn]] inline void stay() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

/// Around all that Python calls: the frames of C++ above it.
class Inside {
 public:
  Inside() : is_outermost_(!is_inside) {
    if (!is_outermost_ || come_inside()) return;
    static_cast<void>(PyEval_SaveThread());
    stay();
  }
  ~Inside() {
    if (is_outermost_) go_outside();
  }
  Inside(Inside const&) = delete;
  Inside& operator=(Inside const&) = delete;

 private:
  bool is_outermost_;
};

/// Lets other Python threads run as long as it lives. Nothing of Python may be touched meanwhile.
class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) { go_outside(); }
  ~WithoutGil() {
    if (!come_inside()) stay();
    PyEval_RestoreThread(state_);
  }
  WithoutGil(WithoutGil const&) = delete;
  WithoutGil& operator=(WithoutGil const&) = delete;

 private:
  Inside const inside_;
  PyThreadState* state_;
};

/// For waits inside a WithoutGil: runs the handlers of signals that have arrived. Throws PythonError if one raised.
inline void check_signals() {
  if (!come_inside()) return;
  PyGILState_STATE const state = PyGILState_Ensure();
  bool const has_raised = PyErr_CheckSignals() != 0;
  PyGILState_Release(state);
  go_outside();
  if (has_raised) throw PythonError{};
}

/// Called by the thread that ends the interpreter, which has the GIL. Others get it until none is inside; one that
/// stays there for seconds, in somebody else's code, is not waited for.
inline void end_threads() {
  ending_thread.store(std::this_thread::get_id());
  for (int millisecond = 0; millisecond < 5000 && threads_inside.load() != 0; ++millisecond) {
    PyThreadState* const state = PyEval_SaveThread();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    PyEval_RestoreThread(state);
  }
}

// --- values ----------------------------------------------------------------------------------------------------------

/// Bytes of a file name or an option, as os.fsencode() makes them of a str.
[[nodiscard]] inline std::string bytes_of(PyObject* text) {
  Object const encoded = Object::owned(PyUnicode_EncodeFSDefault(text));
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(encoded.get(), &data, &size) != 0) throw PythonError{};
  return {data, static_cast<std::size_t>(size)};
}

/// The reverse, os.fsdecode(): bytes that are not UTF-8 become surrogates and come back as they were.
[[nodiscard]] inline Object text_of(std::string_view bytes) {
  return Object::owned(PyUnicode_DecodeFSDefaultAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
}

/// Text to be read by people: it can be printed, whatever the bytes are.
[[nodiscard]] inline Object message_of(std::string_view bytes) {
  return Object::owned(PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "backslashreplace"));
}

/// MODULE.NAME, imported if it was not yet.
[[nodiscard]] inline Object imported(char const* module, char const* name) {
  Object const from = Object::owned(PyImport_ImportModule(module));
  return Object::owned(PyObject_GetAttrString(from.get(), name));
}

/// Sets an ImportError where it is false: what is made once in a process is the main interpreter's.
[[nodiscard]] inline bool is_main_interpreter() {
  if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0) return true;
  PyErr_SetString(PyExc_ImportError,
                  "penstock works in the main interpreter alone, and this is another one of the process; a process of "
                  "its own can have it");
  return false;
}

/// Before anything else: exceptions are made while the interpreter ends, too, when nothing can be imported any more.
void find_error_classes();

/// Sets Python's exception that says what the C++ exception that is being handled says. Call it from a catch block.
void set_python_error() noexcept;

/// What `make` returns, an owned reference; null with a Python exception if it throws.
template <class Make>
[[nodiscard]] PyObject* guarded(Make const& make) noexcept {
  Inside const inside;
  try {
    return make().release();
  } catch (...) {
    set_python_error();
    return nullptr;
  }
}

/// 0, or -1 with a Python exception if `act` throws.
template <class Act>
[[nodiscard]] int guarded_status(Act const& act) noexcept {
  Inside const inside;
  try {
    act();
    return 0;
  } catch (...) {
    set_python_error();
    return -1;
  }
}

[[nodiscard]] inline Object none() { return Object::shared(Py_None); }

/// As method tables take it. The cast by way of void(*)() is the one that compilers accept for any kind of method.
template <class Function>
[[nodiscard]] PyCFunction as_method(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}
template <class Function>
[[nodiscard]] void* as_slot(Function* function) {
  return reinterpret_cast<void*>(function);
}

/// A new, zeroed instance of `type`, which may be a subclass.
template <class Instance>
[[nodiscard]] Instance* allocate(PyTypeObject* type) {
  auto const make = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
  PyObject* const made = make(type, 0);
  if (made == nullptr) throw PythonError{};
  return reinterpret_cast<Instance*>(made);
}

/// The entry of a table of members that makes instances with `PyObject* weak_references` at `offset` weakly referable.
/// Whoever ends them calls PyObject_ClearWeakRefs first.
[[nodiscard]] constexpr PyMemberDef weak_references_at(std::size_t offset) {
  return {"__weaklistoffset__", T_PYSSIZET, static_cast<Py_ssize_t>(offset), READONLY, nullptr};
}

/// Ends an instance whose C++ members are destroyed.
inline void free_instance(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(reinterpret_cast<PyObject*>(type));
}

}  // namespace penstock::python
