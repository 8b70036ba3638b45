#ifdef __x86_64__
#include "cpu/kernels/includes.h"

#pragma GCC push_options
#pragma GCC target("avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
namespace minifloat::avx512 {
#include "cpu/sets/avx512/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/avx2/lanes.h"

#include "cpu/kernels/table.inl.h"
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
