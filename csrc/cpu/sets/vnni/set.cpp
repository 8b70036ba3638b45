#ifdef __x86_64__
#include "cpu/kernels/includes.h"

#pragma GCC push_options
#pragma GCC target( \
    "avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni,avx512bf16,prefer-vector-width=512")
namespace minifloat::avx512vnni {
#include "cpu/sets/avx512/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/sets/vnni/lanes.h"

#include "cpu/kernels/table.inl.h"
}  // namespace minifloat::avx512vnni
#pragma GCC pop_options

namespace minifloat {
extern const Isa kAvx512Vnni{
    "avx512vnni",
    [] {
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vnni") &&
             __builtin_cpu_supports("avx512bf16");
    },
    avx512vnni::kKernels.data(),
    avx512vnni::kWidth,
    avx512vnni::kStepCodes,
    avx512vnni::kScans,
    avx512vnni::above};
}  // namespace minifloat
#endif
