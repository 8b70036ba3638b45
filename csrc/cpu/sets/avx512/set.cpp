#ifdef __x86_64__
#include <immintrin.h>

#include "cpu/kernels/includes.h"
#include "cpu/sets/set.h"

#pragma GCC push_options
#pragma GCC target("avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
namespace minifloat::avx512 {
#include "cpu/sets/avx512/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/avx2/lanes.h"

#include "cpu/sets/avx2/decode.h"

#include "cpu/kernels/products.inl.h"

// A panel of one vector takes a row as long as 3 scans do: measured with searches of rows of 192
// and 512 in all formats.
template <Format F>
inline constexpr std::array kWays{by_scan<F>(1), by_panel<F>(3)};

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::avx512
#pragma GCC pop_options

namespace minifloat {
extern const Isa kAvx512{
    .name = "avx512",
    .kernels = avx512::kKernels.data(),
    .multiply = avx512::kMultiply.data(),
    .find_above = avx512::find_above,
};
}  // namespace minifloat
#endif
