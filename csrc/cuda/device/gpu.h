#pragma once

// The vocabulary on a GPU of compute capability 8.0 or later; device.h includes this.

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "cuda/device/runtime.h"

#define MINIFLOAT_DEVICE __device__ __forceinline__
#define MINIFLOAT_KERNEL(threads, blocks) __global__ void __launch_bounds__(threads, blocks)

namespace minifloat {

MINIFLOAT_DEVICE int thread_index() { return static_cast<int>(threadIdx.x); }
MINIFLOAT_DEVICE int thread_count() { return static_cast<int>(blockDim.x); }
MINIFLOAT_DEVICE std::int64_t block_index() { return blockIdx.x; }
MINIFLOAT_DEVICE std::int64_t block_count() { return gridDim.x; }

// The memory that a block's threads share, aligned to 128 bytes.
MINIFLOAT_DEVICE std::uint8_t* shared_memory() {
  extern __shared__ __align__(128) std::uint8_t memory[];
  return memory;
}

MINIFLOAT_DEVICE void sync_threads() { __syncthreads(); }
MINIFLOAT_DEVICE void sync_warp() { __syncwarp(); }

// The value of the lane whose number differs in the bits of `mask`.
template <class T>
MINIFLOAT_DEVICE T exchange(T value, int mask) {
  return __shfl_xor_sync(~0u, value, mask);
}

// The sum of a value of all lanes, in all of them.
MINIFLOAT_DEVICE int sum_of_lanes(int x) { return __reduce_add_sync(~0u, x); }

MINIFLOAT_DEVICE int count_bits(std::uint32_t bits) { return __popc(bits); }

MINIFLOAT_DEVICE Words4 load16(const void* from) {
  const uint4 words = __ldg(static_cast<const uint4*>(from));
  return {{words.x, words.y, words.z, words.w}};
}

// A copy of 16 bytes into shared memory that goes on by itself; zeros stand for those after the
// first `bytes`. Both addresses are multiples of 16.
MINIFLOAT_DEVICE void copy_async(void* shared, const void* from, int bytes) {
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes)
               : "memory");
}

// The same of 4 bytes, at multiples of 4.
MINIFLOAT_DEVICE void copy_word_async(void* shared, const void* from) {
  const auto to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(to), "l"(from) : "memory");
}

// Ends a group of this thread's copies.
MINIFLOAT_DEVICE void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits for this thread's groups but for the last kPending.
template <int kPending>
MINIFLOAT_DEVICE void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// Byte i is the one of (high, low) that nibble i of the selector names, or, where the nibble's top
// bit is set, eight times that one's top bit.
MINIFLOAT_DEVICE std::uint32_t permute_bytes(std::uint32_t low, std::uint32_t high,
                                             std::uint32_t selector) {
  std::uint32_t out;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(out) : "r"(low), "r"(high), "r"(selector));
  return out;
}

// 32 bits of (high, low) from bit `shift` on, which is below 32.
MINIFLOAT_DEVICE std::uint32_t window(std::uint32_t low, std::uint32_t high, int shift) {
  return __funnelshift_r(low, high, static_cast<unsigned>(shift));
}

// a * b + c of two pairs of float16, each rounded once.
MINIFLOAT_DEVICE std::uint32_t multiply_add_halves(std::uint32_t a, std::uint32_t b,
                                                   std::uint32_t c) {
  std::uint32_t out;
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(out) : "r"(a), "r"(b), "r"(c));
  return out;
}

MINIFLOAT_DEVICE std::uint16_t to_half(float x) { return __half_as_ushort(__float2half_rn(x)); }
MINIFLOAT_DEVICE float from_half(std::uint16_t x) { return __half2float(__ushort_as_half(x)); }

// Whether the processor rounds float32 to a format by an instruction.
MINIFLOAT_DEVICE constexpr bool converts([[maybe_unused]] Format f) {
#if __CUDA_ARCH__ >= 890
  if (f.bits() == 8 && have_instruction(f)) return true;
#endif
#if defined(__CUDA_ARCH_FEAT_SM100_ALL) || defined(__CUDA_ARCH_FEAT_SM120_ALL)
  if (f.bits() < 8 && have_instruction(f)) return true;
#endif
  return false;
}

// The code by that instruction: nearest, ties to even, and the largest where there is none so
// large. A NaN becomes something else on each.
template <Format F>
MINIFLOAT_DEVICE std::uint8_t convert([[maybe_unused]] float x) {
  constexpr auto kIs = [](int exponent_bits, int mantissa_bits) {
    return F.exponent_bits == exponent_bits && F.mantissa_bits == mantissa_bits;
  };
  std::uint16_t out = 0;
#if __CUDA_ARCH__ >= 890
  if constexpr (kIs(4, 3)) {
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(out) : "f"(0.0f), "f"(x));
  } else if constexpr (kIs(5, 2)) {
    asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(out) : "f"(0.0f), "f"(x));
  }
#endif
#if defined(__CUDA_ARCH_FEAT_SM100_ALL) || defined(__CUDA_ARCH_FEAT_SM120_ALL)
  if constexpr (kIs(3, 2)) {
    asm("cvt.rn.satfinite.e3m2x2.f32 %0, %1, %2;" : "=h"(out) : "f"(0.0f), "f"(x));
  } else if constexpr (kIs(2, 3)) {
    asm("cvt.rn.satfinite.e2m3x2.f32 %0, %1, %2;" : "=h"(out) : "f"(0.0f), "f"(x));
  } else if constexpr (kIs(2, 1)) {
    asm("{.reg .b8 code; cvt.rn.satfinite.e2m1x2.f32 code, %1, %2; cvt.u16.u8 %0, code;}"
        : "=h"(out)
        : "f"(0.0f), "f"(x));
  }
#endif
  return static_cast<std::uint8_t>(out);
}

// Matrix products of a warp: 16 rows of `a` by 8 columns of `b`, added to the sums. Rows are lane /
// 4 (a0, a2; sums 0, 1) and 8 more (a1, a3; sums 2, 3), columns lane / 4 of b and lane % 4 * 2 of
// the sums; a0, a1 and b0 have 4 bytes or 2 float16 of the first half, by lane % 4. Bytes of `a`
// may be unsigned.
template <bool kIsUnsigned>
MINIFLOAT_DEVICE void multiply_matrices(std::int32_t (&sums)[4], std::uint32_t a0, std::uint32_t a1,
                                        std::uint32_t a2, std::uint32_t a3, std::uint32_t b0,
                                        std::uint32_t b1) {
  if constexpr (kIsUnsigned) {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  } else {
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
        : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
  }
}
template <bool>
MINIFLOAT_DEVICE void multiply_matrices(float (&sums)[4], std::uint32_t a0, std::uint32_t a1,
                                        std::uint32_t a2, std::uint32_t a3, std::uint32_t b0,
                                        std::uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// What other blocks may have changed meanwhile.
MINIFLOAT_DEVICE std::uint64_t load_fresh(const std::uint64_t* from) { return __ldcg(from); }

// These return what was there before.
MINIFLOAT_DEVICE int atomic_add(int* to, int x) { return atomicAdd(to, x); }
MINIFLOAT_DEVICE std::int64_t atomic_add(std::int64_t* to, std::int64_t x) {
  return static_cast<std::int64_t>(
      atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(x)));
}
MINIFLOAT_DEVICE std::uint64_t atomic_max(std::uint64_t* to, std::uint64_t x) {
  return atomicMax(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(x));
}

// x, of which the compiler does not know what it is.
MINIFLOAT_DEVICE int opaque(int x) {
  asm volatile("" : "+r"(x));
  return x;
}
MINIFLOAT_DEVICE float opaque(float x) {
  asm volatile("" : "+f"(x));
  return x;
}

// A constant in a register that the assembler does not know for one, to which it adds 0: it would
// else be moved to another register wherever an instruction has no room for it.
MINIFLOAT_DEVICE std::uint32_t in_register(std::uint32_t x) {
  std::uint32_t out;
  asm("{.reg .u32 none; mov.u32 none, %%laneid; shr.u32 none, none, 5; add.u32 %0, none, %1;}"
      : "=r"(out)
      : "r"(x));
  return out;
}

}  // namespace minifloat
