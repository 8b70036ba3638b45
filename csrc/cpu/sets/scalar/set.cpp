#include "cpu/kernels/includes.h"

namespace minifloat::scalar {
#include "cpu/sets/scalar/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/scalar/lanes.h"

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::scalar

namespace minifloat {
extern const Isa kScalar{"scalar",       [] { return true; }, scalar::kKernels.data(),
                         scalar::kWidth, scalar::kStepCodes,  scalar::kScans,
                         scalar::above};
}  // namespace minifloat
