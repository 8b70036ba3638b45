#ifdef __x86_64__
#include <immintrin.h>

#include "cpu/kernels/includes.h"

MINIFLOAT_WIDE_TARGET("avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl")
namespace minifloat::avx512 {
#include "cpu/sets/avx512/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/kernels/direct.inl.h"
#include "cpu/sets/avx2/lanes.h"

#include "cpu/sets/avx2/decode.h"

#include "cpu/kernels/products.inl.h"

#include "cpu/sets/avx2/steps.h"

// A scan for 1, 2 and 4 queries.
template <Format F>
inline constexpr std::array kWays{by_scan<F, ScanSteps<F>>({1, 1.4f, 2.2f}),
                                  by_panel<F>(kPanelCosts<F>)};

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::avx512
MINIFLOAT_TARGET_END

namespace minifloat {
extern constinit const Isa kAvx512 = avx512::isa("avx512");
}  // namespace minifloat
#endif
