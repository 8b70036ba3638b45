#include "cpu/sets/set.h"
#include "cpu/kernels/includes.h"

namespace minifloat::scalar {
#include "cpu/sets/scalar/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/scalar/lanes.h"

#include "cpu/sets/scalar/decode.h"

#include "cpu/kernels/products.inl.h"

// A panel of one vector takes a row as long as one scan does: measured with searches of rows of 192
// and 512 in all formats.
template <Format F>
inline constexpr std::array kWays{by_scan<F>(1), by_panel<F>(1)};

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::scalar

namespace minifloat {
extern const Isa kScalar{
    .name = "scalar",
    .kernels = scalar::kKernels.data(),
    .multiply = scalar::kMultiply.data(),
    .find_above = scalar::find_above,
};
}  // namespace minifloat
