#include "cpu/sets/set.h"
#include "cpu/kernels/includes.h"

namespace minifloat::scalar {
#include "cpu/sets/scalar/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/scalar/lanes.h"

#include "cpu/sets/scalar/decode.h"

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::scalar

namespace minifloat {
extern const Isa kScalar{
    .name = "scalar",
    .kernels = scalar::kKernels.data(),
    .multiply = scalar::kMultiply.data(),
    .width = scalar::kWidth,
    .step = scalar::kStepCodes,
    .scans = scalar::kScans,
    .find_above = scalar::find_above,
};
}  // namespace minifloat
