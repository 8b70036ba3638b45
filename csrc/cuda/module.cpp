// minifloat._cuda: kernels over raw pointers to memory of one device. The Python callers have
// checked every argument.

#include "cuda/operators.h"
#include "cuda/ways.h"
#include "python.h"

namespace py = pybind11;

namespace minifloat::cuda {
namespace {

// Throws what a handler of one of Python's signals raised.
void look_at_signals() {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

Stream stream_at(Address stream) { return at<CUstream_st>(stream); }

PYBIND11_MODULE(_cuda, m) {
  m.def("encode", [](int format, int source, bool saturate, Address values, std::int64_t count,
                     Address out, Address stream) {
    encode(format, source, saturate, at<void>(values), count, at<std::uint8_t>(out),
           stream_at(stream));
  });
  m.def("decode", [](int format, Address codes, std::int64_t count, Address out, Address stream) {
    decode(format, at<std::uint8_t>(codes), count, at<float>(out), stream_at(stream));
  });
  m.def("pack", [](int format, Address codes, std::int64_t rows, std::int64_t dim, Address out,
                   Address stream) {
    pack(format, at<std::uint8_t>(codes), rows, dim, at<std::uint8_t>(out), stream_at(stream));
  });
  m.def("unpack", [](int format, Address packed, std::int64_t rows, std::int64_t dim, Address out,
                     Address stream) {
    unpack(format, at<std::uint8_t>(packed), rows, dim, at<std::uint8_t>(out), stream_at(stream));
  });
  m.def("encode_pack", [](int format, int source, bool saturate, Address values, std::int64_t rows,
                          std::int64_t dim, Address out, Address stream) {
    encode_pack(format, source, saturate, at<void>(values), rows, dim, at<std::uint8_t>(out),
                stream_at(stream));
  });
  m.def("reciprocal_norms", [](int format, Address packed, std::int64_t rows, std::int64_t dim,
                               Address out, Address stream) {
    reciprocal_norms(format, at<std::uint8_t>(packed), rows, dim, at<float>(out),
                     stream_at(stream));
  });
  add_queries(m);
  m.def("scores_workspace", scores_workspace);
  py::class_<Memory>(m, "Memory").def(py::init([](Address data, std::int64_t bytes) {
    return Memory{at<std::uint8_t>(data), bytes};
  }));
  m.def("scores", [](const Sides& sides, const Memory& workspace, Address out, Address stream) {
    scores(sides, workspace, at<float>(out), look_at_signals, stream_at(stream));
  });
  m.def("pair_scores", [](const Sides& sides, Address pairs, std::int64_t count, Address out,
                          Address stream) {
    pair_scores({sides, at<const std::int64_t>(pairs), count}, at<float>(out), stream_at(stream));
  });
  py::class_<Ways>(m, "Ways")
      .def_readwrite("streams_rows", &Ways::streams_rows)
      .def_readwrite("starts_early", &Ways::starts_early)
      .def_readwrite("has_long_lists", &Ways::has_long_lists)
      .def_readwrite("merges_by_list", &Ways::merges_by_list)
      .def_readwrite("fewest_by_warpgroup", &Ways::fewest_by_warpgroup)
      .def_readwrite("narrows_tiles", &Ways::narrows_tiles)
      .def_readwrite("has_three_products", &Ways::has_three_products)
      .def_readwrite("asks_occupancy", &Ways::asks_occupancy)
      .def_readwrite("steps_over_tiles", &Ways::steps_over_tiles);
  m.def("ways", ways, py::return_value_policy::reference);
  m.attr("MOST_ROWS") = kMostRows;
  m.def("best_workspace", [](const Best& asked) { return best_workspace(asked.sides, asked.k); });
  m.def("best", [](const Best& asked, const Memory& workspace, Address scores, Address rows,
                   Address stream) {
    best(asked, workspace, at<float>(scores), at<std::int64_t>(rows), look_at_signals,
         stream_at(stream));
  });
}

}  // namespace
}  // namespace minifloat::cuda
