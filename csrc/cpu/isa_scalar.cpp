#include "kernel_includes.h"

namespace minifloat::scalar {
#include "simd_scalar.h"

#include "codec.inl.h"
#include "lanes_scalar.h"

#include "kernels.inl.h"
}  // namespace minifloat::scalar

namespace minifloat {
extern const Isa kScalar{"scalar",       [] { return true; }, scalar::kKernels.data(),
                         scalar::kWidth, scalar::kStepCodes,  scalar::kScans,
                         scalar::above};
}  // namespace minifloat
