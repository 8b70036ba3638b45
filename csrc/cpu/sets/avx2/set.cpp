#ifdef __x86_64__
#include "cpu/kernels/includes.h"

#pragma GCC push_options
#pragma GCC target("avx2,f16c,fma")
namespace minifloat::avx2 {
#include "cpu/sets/avx2/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/avx2/lanes.h"

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::avx2
#pragma GCC pop_options

namespace minifloat {
extern const Isa kAvx2{"avx2",
                       [] {
                         return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c") &&
                                __builtin_cpu_supports("fma");
                       },
                       avx2::kKernels.data(),
                       avx2::kWidth,
                       avx2::kStepCodes,
                       avx2::kScans,
                       avx2::above};
}  // namespace minifloat
#endif
