// minifloat._C: kernels over raw pointers. The Python callers have checked every argument.

#include "cpu/codec.h"
#include "cpu/frames.h"
#include "cpu/interrupts.h"
#include "cpu/originals.h"
#include "cpu/pages.h"
#include "cpu/peak.h"
#include "cpu/reserved.h"
#include "cpu/search/plan.h"
#include "cpu/search/search.h"
#include "cpu/sets/set.h"
#include "format/lanes.h"
#include "python.h"

namespace minifloat::cpu {
namespace {

// What Python has to know of formats and sources.
void add_facts(pybind11::module_& m) {
  pybind11::list formats, sources;
  for (const auto& [name, f] : kFormats) {
    formats.append(pybind11::make_tuple(name, f.exponent_bits, f.mantissa_bits, name_of(f.specials),
                                        name_of(lane(f))));
  }
  std::apply([&](auto... source) { (sources.append(source.name), ...); }, kSources);
  m.attr("FORMATS") = pybind11::tuple(formats);
  m.attr("SOURCES") = pybind11::tuple(sources);
  m.attr("QUERY_MAX") = kQueryMax;
  m.def("query_max",
        [](int format, std::int64_t dim) { return query_max(kFormats[format].format, dim); });
}

// A function that runs without Python, and takes addresses.
template <class... Arguments>
auto bound(void (*function)(Arguments...)) {
  return [function](Addressed<Arguments>... arguments) {
    without_python([&] { function(pointed<Arguments>(arguments)...); });
  };
}

// What work that runs without Python returns: the first row that is not finite, or -1.
template <class Work>
std::int64_t first_wrong(Work work) {
  std::int64_t found = -1;
  without_python([&] { found = work(); });
  return found;
}

// Rows of values, and what becomes of them.
void add_rows_of_values(pybind11::module_& m) {
  pybind11::class_<ValueRows>(m, "ValueRows", pybind11::module_local())
      .def(pybind11::init(
          [](Address values, std::int64_t stride, std::int64_t count, std::int64_t dim) {
            return ValueRows{at<const std::uint8_t>(values), stride, count, dim};
          }));
  pybind11::class_<Rounding>(m, "Rounding", pybind11::module_local())
      .def(pybind11::init([](int format, int source, int scale, int estimator, bool saturates) {
        return Rounding{format, source, static_cast<Scale>(scale),
                        static_cast<Estimator>(estimator), saturates};
      }));
  pybind11::class_<InLane>(m, "InLane", pybind11::module_local())
      .def(pybind11::init([](Address elements, Address norms) {
        return InLane{at<void>(elements), at<float>(norms)};
      }));
  m.def("quantize",
        [](const Rounding& how, const ValueRows& rows, Address packed, Address norms, int threads) {
          const Quantized to{at<std::uint8_t>(packed), at<float>(norms)};
          return first_wrong([&] { return quantize(how, rows, to.codes, to.norms, threads); });
        });
  m.def("to_lane",
        [](int format, int source, const ValueRows& rows, const InLane& to, int threads) {
          return first_wrong([&] { return to_lane(format, source, rows, to, threads); });
        });
}

// The same in a frame.
void add_frames(pybind11::module_& m) {
  pybind11::class_<PaddedFrame>(m, "Frame", pybind11::module_local())
      .def(pybind11::init([](std::int64_t dim, Address axes, std::int64_t axis_count, Address signs,
                             std::int64_t rounds, Address order, Address shares) {
        const Frame dense{dim,
                          dim,
                          at<const float>(axes),
                          axis_count,
                          at<const float>(signs),
                          rounds,
                          at<const std::int64_t>(order),
                          {}};
        return PaddedFrame(dense, at<const float>(shares));
      }));
  m.def("project", [](int source, const ValueRows& rows, const PaddedFrame& in, Address rest,
                      Address coordinates, Address lengths, int threads) {
    const Projected out{at<float>(rest), at<float>(coordinates), at<float>(lengths)};
    without_python([&] { project(source, rows, in.frame(), out, threads); });
  });
  m.def("quantize_in_frame", [](const Rounding& how, const PaddedFrame& in, const ValueRows& rows,
                                Address codes, Address norms, Address coordinates, int threads) {
    const Framed to{at<std::uint8_t>(codes), at<float>(norms), at<float>(coordinates)};
    return first_wrong([&] { return quantize_in_frame(how, in.frame(), rows, to, threads); });
  });
  m.def("to_lane_in_frame", [](int format, int source, const PaddedFrame& in, const ValueRows& rows,
                               const InLane& to, Address coordinates, int threads) {
    const FramedInLane framed{to, at<float>(coordinates)};
    return first_wrong(
        [&] { return to_lane_in_frame(format, source, in.frame(), rows, framed, threads); });
  });
}

// Float rows beside what was made of them.
void add_originals(pybind11::module_& m) {
  m.attr("ANGLES") = kAngles;
  m.def("angles", [](int source, const ValueRows& rows, Address chords, int format, Address packed,
                     Address out, int threads) {
    const Turned to{format, at<const std::uint8_t>(packed), at<std::uint8_t>(out)};
    without_python([&] { angles(source, rows, at<const double>(chords), to, threads); });
  });
  m.def("cosines", [](const ValueRows& queries, int source, const ValueRows& rows, Address pairs,
                      std::int64_t count, Address out, int threads) {
    const Rescored to{at<const std::int64_t>(pairs), count, at<double>(out)};
    return first_wrong([&] { return cosines(queries, source, rows, to, threads); });
  });
}

// Memory of an index: NumPy and torch see its bytes.
void add_reserved(pybind11::module_& m) {
  pybind11::class_<Reserved>(m, "Reserved", pybind11::buffer_protocol(), pybind11::module_local())
      .def(pybind11::init<std::int64_t>())
      .def_buffer([](Reserved& reserved) {
        return pybind11::buffer_info(reserved.data(), reserved.bytes());
      });
  m.def("map_file", [](Reserved& reserved, int file, std::int64_t offset, std::int64_t at,
                       std::int64_t bytes) { return reserved.map(file, offset, at, bytes); });
}

PYBIND11_MODULE(_C, m) {
  add_facts(m);
  m.def("available_isas", available_isas);
  m.def("isa", [] { return std::string(current_isa().name); });
  m.def("set_isa", set_isa);
  m.def("least_cost", least_cost);
  m.def("one_plane", one_plane);
  m.def("prefer_huge_pages", bound(prefer_huge_pages));
  add_reserved(m);
  m.def("multiply", multiply, pybind11::call_guard<pybind11::gil_scoped_release>());
  m.def("encode", bound(encode));
  m.def("decode", bound(decode));
  m.def("pack", bound(pack));
  m.def("unpack", bound(unpack));
  m.def("encode_pack", bound(encode_pack));
  m.def("reciprocal_norms", bound(reciprocal_norms));
  add_rows_of_values(m);
  add_frames(m);
  add_originals(m);
  add_queries(m);
  m.def("scores", bound(all_scores));
  m.def("pair_scores",
        [](const Sides& sides, Address pairs, std::int64_t count, Address out, int threads) {
          const PairScores asked{sides, at<const std::int64_t>(pairs), count};
          without_python([&] { pair_scores(asked, at<float>(out), threads); });
        });
  m.def("best", bound(best));
  pybind11::class_<Hits>(m, "Hits", pybind11::module_local()).def(pybind11::init<>());
  m.def("above", [](const Sides& sides, const Selection& selection, Address thresholds,
                    std::int64_t limit, Hits& hits, int threads) {
    const Above asked{sides, selection, at<const float>(thresholds), limit};
    without_python([&] { hits = above(asked, threads); });
    return hits.total;
  });
  m.def("write_hits", [](Hits& hits, Address offsets, Address rows, Address scores) {
    write(hits, at<std::int64_t>(offsets), at<std::int64_t>(rows), at<float>(scores));
  });
}

}  // namespace
}  // namespace minifloat::cpu
