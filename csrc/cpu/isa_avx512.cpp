#ifdef __x86_64__
#include "kernel_includes.h"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
namespace minifloat::avx512 {
#include "simd_avx512.h"

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
                         avx512::kKernels.data()};
}  // namespace minifloat
#endif
