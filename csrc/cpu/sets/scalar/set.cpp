#include "cpu/kernels/includes.h"

namespace minifloat::scalar {
#include "cpu/sets/scalar/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/kernels/direct.inl.h"
#include "cpu/sets/scalar/lanes.h"

#include "cpu/sets/scalar/decode.h"

#include "cpu/kernels/products.inl.h"

template <Format F>
inline constexpr std::array kWays{by_scan<F, LaneSteps<F>>({1, 2, 4}), by_panel<F>({1, 2, 4})};

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::scalar

namespace minifloat {
extern constinit const Isa kScalar = scalar::isa("scalar");
}  // namespace minifloat
