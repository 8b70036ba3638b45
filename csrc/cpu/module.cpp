// minifloat._C: kernels over raw pointers. The Python callers have checked every argument.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "cpu/search/scoring.h"
#include "cpu/sets/set.h"
#include "cpu/threads.h"
#include "format/lanes.h"
#include "format/packing.h"

namespace py = pybind11;

namespace minifloat {
namespace {

using Pointer = std::uintptr_t;

template <class T>
T* at(Pointer pointer) {
  return reinterpret_cast<T*>(pointer);
}

// Whether a handler of one of Python's signals has raised something. They run in the main thread
// alone, and others need not wait for Python to look.
bool is_interrupted() {
#ifdef __linux__
  if (gettid() != getpid()) return false;
#endif
  const py::gil_scoped_acquire acquire;
  return PyErr_CheckSignals() != 0;
}

// Does work with no need of Python, which a signal may end early: its error is thrown then.
template <class Work>
void without_python(Work work) {
  Call call(is_interrupted);
  {
    const py::gil_scoped_release release;
    work();
  }
  if (call.is_over()) throw py::error_already_set();
}

// Codes that one piece of parallel work takes: whole groups of eight, which are whole bytes.
constexpr std::int64_t kGrain = 1 << 16;

// Codes that take some milliseconds.
constexpr std::int64_t kStretch = 1 << 24;

// Calls run(begin, count) for stretches of [begin, end) of so many.
template <class Run>
void in_stretches(std::int64_t begin, std::int64_t end, std::int64_t stretch, Run run) {
  for (; begin < end && keep_going(); begin += stretch) run(begin, std::min(stretch, end - begin));
}

// Large pieces, for kernels have a way of their own with long runs, but enough of them to keep all
// threads busy to the end.
std::int64_t grain_of(std::int64_t count, int threads) {
  const std::int64_t even = count / (std::int64_t{8} * threads);
  return std::max(kGrain, even / kGrain * kGrain);
}

// Calls run(first, count) over flat codes, in parallel.
template <class Run>
void over_codes(std::int64_t count, int threads, Run run) {
  without_python([&] {
    parallel_for(
        count, grain_of(count, threads), threads,
        [&](std::int64_t begin, std::int64_t end) { in_stretches(begin, end, kStretch, run); });
  });
}

// Calls run(first_code, count, first_byte) over packed rows, in parallel. Rows that fill their
// bytes are one long row.
template <class Run>
void over_packed_rows(std::int64_t rows, std::int64_t dim, int bits, int threads, Run run) {
  if (dim * bits % 8 == 0) {
    return over_codes(rows * dim, threads, [&](std::int64_t first, std::int64_t count) {
      run(first, count, first * bits / 8);
    });
  }
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / dim);
  without_python([&] {
    parallel_for(rows, grain, threads, [&](std::int64_t begin, std::int64_t end) {
      in_stretches(begin, end, grain, [&](std::int64_t first, std::int64_t count) {
        for (std::int64_t r = first; r < first + count; ++r) {
          run(r * dim, dim, r * row_bytes(dim, bits));
        }
      });
    });
  });
}

const Kernels& kernels_of(int format) { return current_isa().kernels[format]; }
int bits_of_format(int format) { return kFormats[format].format.bits(); }
constexpr std::int64_t kSourceBytes[kSources] = {2, 2, 4, 8};

void encode(int format, int source, bool saturate, Pointer values, std::int64_t count, Pointer out,
            int threads) {
  const Encode kernel = kernels_of(format).encode[source][!saturate];
  over_codes(count, threads, [&](std::int64_t first, std::int64_t taken) {
    kernel(at<const std::uint8_t>(values) + first * kSourceBytes[source], taken,
           at<std::uint8_t>(out) + first);
  });
}

void decode(int format, Pointer codes, std::int64_t count, Pointer out, int threads) {
  const auto kernel = kernels_of(format).decode;
  over_codes(count, threads, [&](std::int64_t first, std::int64_t taken) {
    kernel(at<const std::uint8_t>(codes) + first, taken, at<float>(out) + first);
  });
}

void pack(int format, Pointer codes, std::int64_t rows, std::int64_t dim, Pointer out,
          int threads) {
  const auto kernel = kernels_of(format).pack;
  over_packed_rows(
      rows, dim, bits_of_format(format), threads, [&](auto code, auto count, auto byte) {
        kernel(at<const std::uint8_t>(codes) + code, count, at<std::uint8_t>(out) + byte);
      });
}

void unpack(int format, Pointer packed, std::int64_t rows, std::int64_t dim, Pointer out,
            int threads) {
  const auto kernel = kernels_of(format).unpack;
  over_packed_rows(
      rows, dim, bits_of_format(format), threads, [&](auto code, auto count, auto byte) {
        kernel(at<const std::uint8_t>(packed) + byte, count, at<std::uint8_t>(out) + code);
      });
}

void encode_pack(int format, int source, bool saturate, Pointer values, std::int64_t rows,
                 std::int64_t dim, Pointer out, int threads) {
  const Encode kernel = kernels_of(format).encode_pack[source][!saturate];
  over_packed_rows(rows, dim, bits_of_format(format), threads,
                   [&](auto code, auto count, auto byte) {
                     kernel(at<const std::uint8_t>(values) + code * kSourceBytes[source], count,
                            at<std::uint8_t>(out) + byte);
                   });
}

void reciprocal_norms(int format, Pointer packed, std::int64_t rows, std::int64_t dim, Pointer out,
                      int threads) {
  const auto kernel = kernels_of(format).reciprocal_norm;
  const std::int64_t bytes = row_bytes(dim, bits_of_format(format));
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, dim));
  without_python([&] {
    parallel_for(rows, grain, threads, [&](std::int64_t begin, std::int64_t end) {
      in_stretches(begin, end, grain, [&](std::int64_t first, std::int64_t count) {
        for (std::int64_t r = first; r < first + count; ++r) {
          at<float>(out)[r] = kernel(at<const std::uint8_t>(packed) + r * bytes, dim);
        }
      });
    });
  });
}

// Asks for huge pages under memory that has not been touched yet, where the system has such pages.
void prefer_huge_pages([[maybe_unused]] Pointer data, [[maybe_unused]] std::int64_t bytes) {
#ifdef MADV_HUGEPAGE
  const Pointer page = sysconf(_SC_PAGESIZE);
  const Pointer begin = (data + page - 1) / page * page;
  const Pointer end = (data + bytes) / page * page;
  if (begin < end) madvise(at<void>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

// Products in registers on each thread; returns how many all of them did.
std::int64_t multiply(int format, std::int64_t products, int threads) {
  const py::gil_scoped_release release;
  std::atomic<std::int64_t> done = 0;
  parallel_for(threads, 1, threads, [&](std::int64_t, std::int64_t) {
    // Numbers near 1, read as floats.
    std::array<std::uint8_t, kMultiplied> elements;
    for (int i = 0; i < kMultiplied; ++i)
      elements[i] = static_cast<std::uint8_t>(0x3c + i / 64 % 4);
    float sink = 0;
    done += kernels_of(format).multiply(products / threads, elements.data(), &sink);
  });
  return done;
}

Sides sides_at(int format, std::int64_t dim, Pointer a, bool a_packed, Pointer a_norms,
               std::int64_t a_count, Pointer b, Pointer b_norms, std::int64_t b_count) {
  return {format,
          dim,
          {at<const void>(a), a_packed, at<const float>(a_norms), a_count},
          {at<const void>(b), true, at<const float>(b_norms), b_count}};
}

PYBIND11_MODULE(_C, m) {
  py::list formats;
  for (const NamedFormat& named : kFormats) {
    const Format& f = named.format;
    constexpr const char* kSpecialsNames[] = {"ieee", "nan", "none"};
    constexpr const char* kLaneNames[] = {"int8", "int16", "float"};
    formats.append(py::make_tuple(std::string(named.name), f.exponent_bits, f.mantissa_bits,
                                  kSpecialsNames[static_cast<int>(f.specials)],
                                  kLaneNames[static_cast<int>(lane(f))]));
  }
  m.attr("FORMATS") = py::tuple(formats);
  m.attr("QUERY_MAX") = kQueryMax;
  m.def("query_max",
        [](int format, std::int64_t dim) { return query_max(kFormats[format].format, dim); });
  m.def("available_isas", available_isas);
  m.def("isa", [] { return std::string(current_isa().name); });
  m.def("set_isa", set_isa);
  m.def("prefer_huge_pages", prefer_huge_pages);
  m.def("multiply", multiply);

  m.def("encode", encode);
  m.def("decode", decode);
  m.def("pack", pack);
  m.def("unpack", unpack);
  m.def("encode_pack", encode_pack);
  m.def("reciprocal_norms", reciprocal_norms);
  m.def("scores", [](int format, std::int64_t dim, Pointer a, bool a_packed, Pointer a_norms,
                     std::int64_t a_count, Pointer b, Pointer b_norms, std::int64_t b_count,
                     Pointer out, int threads) {
    const Sides sides = sides_at(format, dim, a, a_packed, a_norms, a_count, b, b_norms, b_count);
    without_python([&] { all_scores(sides, at<float>(out), threads); });
  });
  m.def("pair_scores", [](int format, std::int64_t dim, Pointer a, bool a_packed, Pointer a_norms,
                          std::int64_t a_count, Pointer b, Pointer b_norms, std::int64_t b_count,
                          Pointer pairs, std::int64_t count, Pointer out, int threads) {
    const Sides sides = sides_at(format, dim, a, a_packed, a_norms, a_count, b, b_norms, b_count);
    without_python(
        [&] { pair_scores(sides, at<const std::int64_t>(pairs), count, at<float>(out), threads); });
  });
  m.def("search", [](int format, std::int64_t dim, Pointer a, bool a_packed, Pointer a_norms,
                     std::int64_t a_count, Pointer b, Pointer b_norms, std::int64_t b_count,
                     Pointer mask, Pointer ranges, std::int64_t range_count, std::int64_t k,
                     Pointer scores, Pointer indices, int threads) {
    const Sides sides = sides_at(format, dim, a, a_packed, a_norms, a_count, b, b_norms, b_count);
    const Selection selection{at<const bool>(mask), at<const std::int64_t>(ranges), range_count};
    without_python([&] {
      search(sides, selection, k, at<float>(scores), at<std::int64_t>(indices), threads);
    });
  });
}

}  // namespace
}  // namespace minifloat
