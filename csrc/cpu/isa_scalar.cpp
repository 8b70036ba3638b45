#include "kernel_includes.h"

namespace minifloat::scalar {
#include "simd_scalar.h"

#include "kernels.inl.h"
}  // namespace minifloat::scalar

namespace minifloat {
extern const Isa kScalar{"scalar", [] { return true; }, scalar::kKernels.data()};
}  // namespace minifloat
