#ifdef __x86_64__
#include <immintrin.h>

#include "cpu/kernels/includes.h"

MINIFLOAT_WIDE_TARGET(
    "avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni,avx512bf16")
namespace minifloat::avx512vnni {
#include "cpu/sets/avx512/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/kernels/direct.inl.h"
#include "cpu/sets/vnni/lanes.h"

#include "cpu/sets/vnni/decode.h"

#include "cpu/kernels/products.inl.h"

#include "cpu/sets/vnni/steps.h"

template <Format F>
using ScanSteps = std::conditional_t<F.bits() == 4, HalfSteps<F>, LaneSteps<F>>;

// Costs are measured with searches of rows of 512: of a scan for 1, 2 and 4 queries, and of panels
// of 16, 32 and 64.
template <Format F>
inline constexpr std::array kWays{by_scan<F, ScanSteps<F>>({1, 1.2f, 1.7f}),
                                  by_panel<F>({5, 8, 14})};

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::avx512vnni
MINIFLOAT_TARGET_END

namespace minifloat {
extern constinit const Isa kAvx512Vnni = avx512vnni::isa("avx512vnni");
}  // namespace minifloat
#endif
