#ifdef __aarch64__
#include <arm_neon.h>

#include "cpu/kernels/includes.h"

MINIFLOAT_TARGET("arch=armv8.2-a+dotprod")
namespace minifloat::neon_dot {
#include "cpu/sets/neon/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/kernels/direct.inl.h"
#include "cpu/sets/neon/lanes.h"

#include "cpu/sets/neon/decode.h"
#include "cpu/sets/neon_dot/int8_lane.h"

#include "cpu/kernels/products.inl.h"

#include "cpu/sets/neon/steps.h"

// A scan for 1, 2 and 4 queries.
template <Format F>
inline constexpr std::array kWays{by_scan<F, ScanSteps<F>>({1, 1.6f, 2.6f}),
                                  by_panel<F>(kPanelCosts<F>)};

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::neon_dot
MINIFLOAT_TARGET_END

namespace minifloat {
extern constinit const Isa kNeonDot = neon_dot::isa("neon_dot");
}  // namespace minifloat
#endif
