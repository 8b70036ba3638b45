// minifloat._cuda: kernels over raw pointers to memory of one device. The Python callers have
// checked every argument.

#include <pybind11/pybind11.h>

#include "kernels.h"

namespace py = pybind11;

namespace minifloat::cuda {
namespace {

using Pointer = std::uintptr_t;

template <class T>
T* at(Pointer pointer) {
  return reinterpret_cast<T*>(pointer);
}

Stream stream_at(Pointer stream) { return at<CUstream_st>(stream); }

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
}

}  // namespace
}  // namespace minifloat::cuda
