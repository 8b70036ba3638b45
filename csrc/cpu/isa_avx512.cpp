#ifdef __x86_64__
#include "kernel_includes.h"

#pragma GCC push_options
#pragma GCC target("avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
namespace minifloat::avx512 {
#include "simd_avx512.h"

#include "codec.inl.h"
#include "lanes_avx2.h"

#include "kernels.inl.h"
}  // namespace minifloat::avx512
#pragma GCC pop_options

namespace minifloat {
extern const Isa kAvx512{"avx512",
                         [] {
                           return __builtin_cpu_supports("avx512f") &&
                                  __builtin_cpu_supports("avx512bw") &&
                                  __builtin_cpu_supports("avx512dq") &&
                                  __builtin_cpu_supports("avx512vl");
                         },
                         avx512::kKernels.data(),
                         avx512::kWidth,
                         avx512::kStepCodes,
                         avx512::kScans,
                         avx512::above};
}  // namespace minifloat
#endif
