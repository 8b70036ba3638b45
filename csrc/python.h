#pragma once

// What both Python modules have: addresses of memory, and the words in which products are asked.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <type_traits>

#include "query.h"

namespace minifloat {

using Address = std::uintptr_t;

template <class T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

// What Python passes for an argument of a function: an address for a pointer.
template <class Argument>
using Addressed = std::conditional_t<std::is_pointer_v<Argument>, Address, Argument>;

// The argument that Python has passed.
template <class Argument>
Argument pointed(Addressed<Argument> passed) {
  if constexpr (std::is_pointer_v<Argument>) {
    return reinterpret_cast<Argument>(passed);
  } else {
    return passed;
  }
}

// Adds Rows, Sides, Selection and Best to a module. Another one has types of its own by these
// names.
inline void add_queries(pybind11::module_& module) {
  namespace py = pybind11;
  py::class_<Rows>(module, "Rows", py::module_local())
      .def(py::init([](Address data, Address norms, std::int64_t count, bool is_packed,
                       Address coordinates, std::int64_t axes) {
             return Rows{at<const void>(data),
                         at<const float>(norms),
                         count,
                         is_packed,
                         at<const float>(coordinates),
                         axes};
           }),
           py::arg(), py::arg(), py::arg(), py::arg(), py::arg() = 0, py::arg() = 0);
  py::class_<Sides>(module, "Sides", py::module_local())
      .def(py::init([](int format, std::int64_t dim, const Rows& a, const Rows& b) {
        return Sides{format, dim, a, b};
      }));
  py::class_<Selection>(module, "Selection", py::module_local())
      .def(py::init(
          [](std::optional<Address> mask, std::optional<Address> ranges, std::int64_t range_count) {
            // An array without ranges may have no address, and is not the same as no array.
            static constexpr std::int64_t kNowhere[2] = {};
            const auto* const given = at<const std::int64_t>(ranges.value_or(0));
            return Selection{at<const std::uint8_t>(mask.value_or(0)),
                             ranges && !given ? kNowhere : given, range_count};
          }));
  py::class_<Best>(module, "Best", py::module_local())
      .def(py::init<const Sides&, const Selection&, std::int64_t>());
}

}  // namespace minifloat
