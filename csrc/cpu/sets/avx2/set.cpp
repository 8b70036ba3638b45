#ifdef __x86_64__
#include <immintrin.h>

#include "cpu/kernels/includes.h"

MINIFLOAT_TARGET("avx2,f16c,fma")
namespace minifloat::avx2 {
#include "cpu/sets/avx2/bytes.h"

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
}  // namespace minifloat::avx2
MINIFLOAT_TARGET_END

namespace minifloat {
extern constinit const Isa kAvx2 = avx2::isa("avx2");
}  // namespace minifloat
#endif
