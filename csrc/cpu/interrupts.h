#pragma once

// Python's signals while the work that it asked for goes on.

#include <pybind11/pybind11.h>
#include <unistd.h>

#include "cpu/threads.h"

namespace minifloat {

// Whether a handler of one of Python's signals has raised something. They run in the main thread
// alone, and others need not wait for Python to look.
inline bool is_interrupted() {
#ifdef __linux__
  if (gettid() != getpid()) return false;
#endif
  const pybind11::gil_scoped_acquire acquire;
  return PyErr_CheckSignals() != 0;
}

// Does work with no need of Python, which a signal may end early: its error is thrown then.
template <class Work>
void without_python(Work work) {
  Call call(is_interrupted);
  {
    const pybind11::gil_scoped_release release;
    work();
  }
  if (call.is_over()) throw pybind11::error_already_set();
}

}  // namespace minifloat
