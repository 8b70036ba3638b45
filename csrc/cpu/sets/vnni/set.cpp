#ifdef __x86_64__
#include <immintrin.h>

#include "cpu/kernels/includes.h"
#include "cpu/sets/set.h"

#pragma GCC push_options
#pragma GCC target( \
    "avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni,avx512bf16,prefer-vector-width=512")
namespace minifloat::avx512vnni {
#include "cpu/sets/avx512/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/vnni/lanes.h"

#include "cpu/sets/vnni/decode.h"

#include "cpu/kernels/products.inl.h"

// A panel of one vector takes a row as long as 8 scans do: measured with searches of rows of 192
// and 512 in all formats.
template <Format F>
inline constexpr std::array kWays{by_scan<F>(1), by_panel<F>(8)};

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::avx512vnni
#pragma GCC pop_options

namespace minifloat {
extern const Isa kAvx512Vnni{
    .name = "avx512vnni",
    .kernels = avx512vnni::kKernels.data(),
    .multiply = avx512vnni::kMultiply.data(),
    .find_above = avx512vnni::find_above,
};
}  // namespace minifloat
#endif
