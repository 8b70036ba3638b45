#ifdef __x86_64__
#include <immintrin.h>

#include "cpu/kernels/includes.h"
#include "cpu/sets/set.h"

#pragma GCC push_options
#pragma GCC target( \
    "avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni,avx512bf16,prefer-vector-width=512")
namespace minifloat::avx512vnni {
#include "cpu/sets/avx512/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/vnni/lanes.h"

#include "cpu/sets/vnni/decode.h"

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::avx512vnni
#pragma GCC pop_options

namespace minifloat {
extern const Isa kAvx512Vnni{
    .name = "avx512vnni",
    .kernels = avx512vnni::kKernels.data(),
    .multiply = avx512vnni::kMultiply.data(),
    .width = avx512vnni::kWidth,
    .step = avx512vnni::kStepCodes,
    .scans = avx512vnni::kScans,
    .find_above = avx512vnni::find_above,
};
}  // namespace minifloat
#endif
