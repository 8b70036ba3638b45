#ifdef __x86_64__
#include <immintrin.h>

#include "cpu/kernels/includes.h"
#include "cpu/sets/set.h"

#pragma GCC push_options
#pragma GCC target("avx2,f16c,fma")
namespace minifloat::avx2 {
#include "cpu/sets/avx2/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/avx2/lanes.h"

#include "cpu/sets/avx2/decode.h"

#include "cpu/kernels/products.inl.h"

// A panel of one vector takes a row as long as 3 scans do: measured with searches of rows of 192
// and 512 in all formats.
template <Format F>
inline constexpr std::array kWays{by_scan<F>(1), by_panel<F>(3)};

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::avx2
#pragma GCC pop_options

namespace minifloat {
extern const Isa kAvx2{
    .name = "avx2",
    .kernels = avx2::kKernels.data(),
    .multiply = avx2::kMultiply.data(),
    .find_above = avx2::find_above,
};
}  // namespace minifloat
#endif
