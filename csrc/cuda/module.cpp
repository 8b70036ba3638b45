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

// Adds what brings rows of values into a lane or a frame.
void add_preparing(py::module_& m) {
  py::class_<ValueRows>(m, "ValueRows", py::module_local())
      .def(py::init([](int source, Address values, std::int64_t stride, std::int64_t count,
                       std::int64_t dim) {
        return ValueRows{source, at<const void>(values), stride, count, dim};
      }));
  py::class_<Frame>(m, "Frame", py::module_local())
      .def(py::init([](std::int64_t dim, Address axes, std::int64_t axis_count, Address signs,
                       std::int64_t rounds, Address order) {
        return Frame{dim,
                     dim,
                     at<const float>(axes),
                     axis_count,
                     at<const float>(signs),
                     rounds,
                     at<const std::int64_t>(order),
                     {}};
      }));
  py::class_<Projected>(m, "Projected", py::module_local())
      .def(py::init([](Address rest, Address coordinates, Address lengths) {
        return Projected{at<float>(rest), at<float>(coordinates), at<float>(lengths)};
      }));
  m.def("to_lane", [](int format, const ValueRows& rows, Address lengths, Address elements,
                      Address norms, Address stream) {
    to_lane(format, rows, at<const float>(lengths), at<void>(elements), at<float>(norms),
            stream_at(stream));
  });
  m.def("project_workspace", project_workspace);
  m.def("project",
        [](const ValueRows& rows, const Frame& frame, const Memory& workspace, const Projected& out,
           Address stream) { project(rows, frame, workspace, out, stream_at(stream)); });
}

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
  py::class_<Memory>(m, "Memory").def(py::init([](Address data, std::int64_t bytes) {
    return Memory{at<std::uint8_t>(data), bytes};
  }));
  add_preparing(m);
  m.def("scores_workspace", scores_workspace);
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
      .def_readwrite("prepares_at_once", &Ways::prepares_at_once)
      .def_readwrite("appends_hits", &Ways::appends_hits)
      .def_readwrite("packs_in_registers", &Ways::packs_in_registers);
  m.def("ways", ways, py::return_value_policy::reference);
  m.attr("MOST_ROWS") = kMostRows;
  m.def("best_workspace", [](const Best& asked) { return best_workspace(asked.sides, asked.k); });
  m.def("best", [](const Best& asked, const Memory& workspace, Address scores, Address rows,
                   Address stream) {
    best(asked, workspace, at<float>(scores), at<std::int64_t>(rows), look_at_signals,
         stream_at(stream));
  });
  py::class_<Hits>(m, "Hits", py::module_local())
      .def(py::init([](Address keys, Address scores, std::int64_t room, Address total) {
        return Hits{at<std::int64_t>(keys), at<float>(scores), room, at<std::int64_t>(total)};
      }));
  m.def("above_workspace", above_workspace);
  m.def("above", [](const Sides& sides, const Selection& selection, Address thresholds,
                    const Memory& workspace, const Hits& hits, Address stream) {
    const Above asked{sides, selection, at<const float>(thresholds), hits.room};
    above(asked, workspace, hits, look_at_signals, stream_at(stream));
  });
}

}  // namespace
}  // namespace minifloat::cuda
