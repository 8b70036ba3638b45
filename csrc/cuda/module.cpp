// minifloat._cuda: kernels over raw pointers to memory of one device. The Python callers have
// checked every argument.

#include <pybind11/pybind11.h>

#include "cuda/operators.h"

namespace py = pybind11;

namespace minifloat::cuda {
namespace {

using Pointer = std::uintptr_t;

template <class T>
T* at(Pointer pointer) {
  return reinterpret_cast<T*>(pointer);
}

// Throws what a handler of one of Python's signals raised.
void look_at_signals() {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

Stream stream_at(Pointer stream) { return at<CUstream_st>(stream); }

Sides sides_at(int format, std::int64_t dim, Pointer a, bool a_packed, Pointer a_norms,
               std::int64_t a_count, Pointer b, Pointer b_norms, std::int64_t b_count) {
  return {format,
          dim,
          at<void>(a),
          a_packed,
          at<float>(a_norms),
          a_count,
          at<std::uint8_t>(b),
          at<float>(b_norms),
          b_count};
}

PYBIND11_MODULE(_cuda, m) {
  m.def("encode", [](int format, int source, bool saturate, Pointer values, std::int64_t count,
                     Pointer out, Pointer stream) {
    encode(format, source, saturate, at<void>(values), count, at<std::uint8_t>(out),
           stream_at(stream));
  });
  m.def("decode", [](int format, Pointer codes, std::int64_t count, Pointer out, Pointer stream) {
    decode(format, at<std::uint8_t>(codes), count, at<float>(out), stream_at(stream));
  });
  m.def("pack", [](int format, Pointer codes, std::int64_t rows, std::int64_t dim, Pointer out,
                   Pointer stream) {
    pack(format, at<std::uint8_t>(codes), rows, dim, at<std::uint8_t>(out), stream_at(stream));
  });
  m.def("unpack", [](int format, Pointer packed, std::int64_t rows, std::int64_t dim, Pointer out,
                     Pointer stream) {
    unpack(format, at<std::uint8_t>(packed), rows, dim, at<std::uint8_t>(out), stream_at(stream));
  });
  m.def("encode_pack", [](int format, int source, bool saturate, Pointer values, std::int64_t rows,
                          std::int64_t dim, Pointer out, Pointer stream) {
    encode_pack(format, source, saturate, at<void>(values), rows, dim, at<std::uint8_t>(out),
                stream_at(stream));
  });
  m.def("reciprocal_norms", [](int format, Pointer packed, std::int64_t rows, std::int64_t dim,
                               Pointer out, Pointer stream) {
    reciprocal_norms(format, at<std::uint8_t>(packed), rows, dim, at<float>(out),
                     stream_at(stream));
  });
  py::class_<Sides>(m, "Sides").def(py::init(&sides_at));
  m.def("scores_workspace", scores_workspace);
  py::class_<Memory>(m, "Memory").def(py::init([](Pointer data, std::int64_t bytes) {
    return Memory{at<std::uint8_t>(data), bytes};
  }));
  m.def("scores", [](const Sides& sides, const Memory& workspace, Pointer out, Pointer stream) {
    scores(sides, workspace, at<float>(out), look_at_signals, stream_at(stream));
  });
  m.def("pair_scores",
        [](const Sides& sides, Pointer pairs, std::int64_t count, Pointer out, Pointer stream) {
          pair_scores(sides, at<std::int64_t>(pairs), count, at<float>(out), stream_at(stream));
        });
  m.attr("MOST_ROWS") = kMostRows;
  m.def("search_workspace", search_workspace);
  m.def("search", [](const Sides& sides, Pointer mask, Pointer ranges, std::int64_t range_count,
                     std::int64_t k, const Memory& workspace, Pointer scores, Pointer rows,
                     Pointer stream) {
    search(sides, {at<std::uint8_t>(mask), at<std::int64_t>(ranges), range_count}, k, workspace,
           at<float>(scores), at<std::int64_t>(rows), look_at_signals, stream_at(stream));
  });
}

}  // namespace
}  // namespace minifloat::cuda
