#pragma once

// What compute capability 9.0 has beyond gpu.h; device.h includes this.

#include <type_traits>

#include "cuda/device/gpu.h"

namespace minifloat {

MINIFLOAT_DEVICE unsigned shared_address(const void* shared) {
  return static_cast<unsigned>(__cvta_generic_to_shared(shared));
}

// Whether this code is compiled for a processor whose warpgroups multiply matrices.
MINIFLOAT_DEVICE constexpr bool multiplies_by_warpgroup() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  return true;
#else
  return false;
#endif
}

// Barrier 0 is the block's, the next two are those of its first warpgroups: others may not wait.
// For a barrier whose number is not in the instruction the assembler reserves all 16.
template <class Wait>
MINIFLOAT_DEVICE auto at_own_barrier(Wait wait) {
  return thread_index() < kWarpgroup ? wait(std::integral_constant<int, 1>{})
                                     : wait(std::integral_constant<int, 2>{});
}
MINIFLOAT_DEVICE void sync_warpgroup() {
  at_own_barrier([](auto number) {
    asm volatile("bar.sync %0, %1;" ::"n"(number()), "n"(kWarpgroup) : "memory");
  });
}

// Waits too. Whether it holds for any thread of the warpgroup.
MINIFLOAT_DEVICE bool any_of_warpgroup(bool holds) {
  return at_own_barrier([holds](auto number) {
    std::uint32_t any;
    asm volatile(
        "{.reg .pred p; setp.ne.u32 p, %1, 0; bar.red.or.pred p, %2, %3, p; "
        "selp.u32 %0, 1, 0, p;}"
        : "=r"(any)
        : "r"(std::uint32_t{holds}), "n"(number()), "n"(kWarpgroup)
        : "memory");
    return any != 0;
  });
}

// The lanes for which it holds, as bits.
MINIFLOAT_DEVICE std::uint32_t ballot(bool holds) { return __ballot_sync(~0u, holds); }
MINIFLOAT_DEVICE int lowest_bit(std::uint32_t bits) { return __ffs(static_cast<int>(bits)) - 1; }

// Holds for one lane of a warp. Where it is what a branch hangs on, the compiler knows that no
// other lane is there.
MINIFLOAT_DEVICE bool elect() {
  std::uint32_t is_elected;
  asm volatile("{.reg .pred p; elect.sync _|p, 0xffffffff; selp.u32 %0, 1, 0, p;}"
               : "=r"(is_elected));
  return is_elected != 0;
}

// A gate in shared memory opens, once in each phase, when so many have arrived and the bytes that
// they expect are there. The block, and copies, see it after fence_gates and a barrier.
MINIFLOAT_DEVICE void init_gate(Gate* gate, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(gate)), "r"(arrivals)
               : "memory");
}
MINIFLOAT_DEVICE void fence_gates() {
  asm volatile("fence.mbarrier_init.release.cluster; fence.proxy.async.shared::cta;" ::: "memory");
}
MINIFLOAT_DEVICE void arrive_and_expect(Gate* gate, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(gate)),
               "r"(bytes)
               : "memory");
}

// Waits for the phase of this parity; the first is even.
MINIFLOAT_DEVICE void wait_gate(Gate* gate, int parity) {
  asm volatile(
      "{.reg .pred open; wait: mbarrier.try_wait.parity.shared::cta.b64 open, [%0], %1; @!open bra "
      "wait;}" ::"r"(shared_address(gate)),
      "r"(parity)
      : "memory");
}

// One thread's copy into shared memory, of which a gate is told. Addresses and bytes are multiples
// of 16.
MINIFLOAT_DEVICE void copy_bulk(void* shared, const void* from, int bytes, Gate* gate) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::
          "r"(shared_address(shared)),
      "l"(from), "r"(bytes), "r"(shared_address(gate))
      : "memory");
}

// A descriptor, by which a product knows queries in shared memory. They lie there in core matrices
// of 16 bytes of 8 queries: `bytes_apart` is the way from one to that of the next 16 bytes of the
// same queries, `queries_apart` that to the one of the next 8 queries.
MINIFLOAT_DEVICE std::uint64_t matrix_at(const void* shared, int bytes_apart, int queries_apart) {
  return (shared_address(shared) >> 4) | std::uint64_t(bytes_apart >> 4) << 16 |
         std::uint64_t(queries_apart >> 4) << 32;
}

// To be called between what a warpgroup does with registers and products that read or write them.
MINIFLOAT_DEVICE void fence_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
MINIFLOAT_DEVICE void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int kPending>
MINIFLOAT_DEVICE void wait_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

// An instruction names each of its registers, which no template can write.
#define MINIFLOAT_TEN(tens)                                                               \
  "%" #tens "0, %" #tens "1, %" #tens "2, %" #tens "3, %" #tens "4, %" #tens "5, %" #tens \
  "6, %" #tens "7, %" #tens "8, %" #tens "9, "
#define MINIFLOAT_NAMES_30 MINIFLOAT_TEN() MINIFLOAT_TEN(1) MINIFLOAT_TEN(2)
#define MINIFLOAT_NAMES_60 MINIFLOAT_NAMES_30 MINIFLOAT_TEN(3) MINIFLOAT_TEN(4) MINIFLOAT_TEN(5)
#define MINIFLOAT_NAMES_90 MINIFLOAT_NAMES_60 MINIFLOAT_TEN(6) MINIFLOAT_TEN(7) MINIFLOAT_TEN(8)
#define MINIFLOAT_NAMES_120 MINIFLOAT_NAMES_90 MINIFLOAT_TEN(9) MINIFLOAT_TEN(10) MINIFLOAT_TEN(11)
#define MINIFLOAT_NAMES_16 MINIFLOAT_TEN() "%10, %11, %12, %13, %14, %15"
#define MINIFLOAT_NAMES_32 MINIFLOAT_NAMES_30 "%30, %31"
#define MINIFLOAT_NAMES_40 MINIFLOAT_NAMES_30 "%30, %31, %32, %33, %34, %35, %36, %37, %38, %39"
#define MINIFLOAT_NAMES_64 MINIFLOAT_NAMES_60 "%60, %61, %62, %63"
#define MINIFLOAT_NAMES_128 MINIFLOAT_NAMES_120 "%120, %121, %122, %123, %124, %125, %126, %127"
#define MINIFLOAT_4(kind, x, i) kind(x[i]), kind(x[i + 1]), kind(x[i + 2]), kind(x[i + 3])
#define MINIFLOAT_16(kind, x, i)                                                     \
  MINIFLOAT_4(kind, x, i), MINIFLOAT_4(kind, x, i + 4), MINIFLOAT_4(kind, x, i + 8), \
      MINIFLOAT_4(kind, x, i + 12)
#define MINIFLOAT_32(kind, x, i) MINIFLOAT_16(kind, x, i), MINIFLOAT_16(kind, x, i + 16)
#define MINIFLOAT_40(kind, x, i) \
  MINIFLOAT_32(kind, x, i), MINIFLOAT_4(kind, x, i + 32), MINIFLOAT_4(kind, x, i + 36)
#define MINIFLOAT_64(kind, x, i) MINIFLOAT_32(kind, x, i), MINIFLOAT_32(kind, x, i + 32)
#define MINIFLOAT_128(kind, x, i) MINIFLOAT_64(kind, x, i), MINIFLOAT_64(kind, x, i + 64)
#define MINIFLOAT_FACTORS_16 "{%16, %17, %18, %19}, %20"
#define MINIFLOAT_FACTORS_32 "{%32, %33, %34, %35}, %36"
#define MINIFLOAT_FACTORS_40 "{%40, %41, %42, %43}, %44"
#define MINIFLOAT_FACTORS_64 "{%64, %65, %66, %67}, %68"
#define MINIFLOAT_FACTORS_128 "{%128, %129, %130, %131}, %132"
#define MINIFLOAT_ADDS_16 "%21"
#define MINIFLOAT_ADDS_32 "%37"
#define MINIFLOAT_ADDS_40 "%45"
#define MINIFLOAT_ADDS_64 "%69"
#define MINIFLOAT_ADDS_128 "%133"
#define MINIFLOAT_MULTIPLY(sums, kind, shape, scales)                                 \
  asm volatile("{.reg .pred adds; setp.ne.b32 adds, " MINIFLOAT_ADDS_##sums           \
               ", 0; wgmma.mma_async.sync.aligned." shape " {" MINIFLOAT_NAMES_##sums \
               "}, " MINIFLOAT_FACTORS_##sums ", adds" scales ";}"                    \
               : MINIFLOAT_##sums(kind, x, 0)                                         \
               : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "l"(descriptor), "r"(int{adds_up}))

// Products of a warpgroup, each warp's as by multiply_matrices: 16 rows by 8 queries for each four
// sums, which are added to or begun. Nothing may touch the registers before wait_products.
template <int kSums>
MINIFLOAT_DEVICE void multiply_by_warpgroup(std::int32_t (&x)[kSums], const std::uint32_t& a0,
                                            const std::uint32_t& a1, const std::uint32_t& a2,
                                            const std::uint32_t& a3, std::uint64_t descriptor,
                                            bool adds_up) {
  static_assert(kSums == 16 || kSums == 32 || kSums == 40 || kSums == 64 || kSums == 128);
  if constexpr (kSums == 16) {
    MINIFLOAT_MULTIPLY(16, "+r", "m64n32k32.s32.s8.s8", "");
  } else if constexpr (kSums == 32) {
    MINIFLOAT_MULTIPLY(32, "+r", "m64n64k32.s32.s8.s8", "");
  } else if constexpr (kSums == 40) {
    MINIFLOAT_MULTIPLY(40, "+r", "m64n80k32.s32.s8.s8", "");
  } else if constexpr (kSums == 64) {
    MINIFLOAT_MULTIPLY(64, "+r", "m64n128k32.s32.s8.s8", "");
  } else {
    MINIFLOAT_MULTIPLY(128, "+r", "m64n256k32.s32.s8.s8", "");
  }
}
template <int kSums>
MINIFLOAT_DEVICE void multiply_by_warpgroup(float (&x)[kSums], const std::uint32_t& a0,
                                            const std::uint32_t& a1, const std::uint32_t& a2,
                                            const std::uint32_t& a3, std::uint64_t descriptor,
                                            bool adds_up) {
  static_assert(kSums == 16 || kSums == 32 || kSums == 64);
  if constexpr (kSums == 16) {
    MINIFLOAT_MULTIPLY(16, "+f", "m64n32k16.f32.f16.f16", ", 1, 1, 0");
  } else if constexpr (kSums == 32) {
    MINIFLOAT_MULTIPLY(32, "+f", "m64n64k16.f32.f16.f16", ", 1, 1, 0");
  } else {
    MINIFLOAT_MULTIPLY(64, "+f", "m64n128k16.f32.f16.f16", ", 1, 1, 0");
  }
}

#undef MINIFLOAT_MULTIPLY
#undef MINIFLOAT_ADDS_128
#undef MINIFLOAT_ADDS_64
#undef MINIFLOAT_ADDS_40
#undef MINIFLOAT_ADDS_32
#undef MINIFLOAT_ADDS_16
#undef MINIFLOAT_FACTORS_128
#undef MINIFLOAT_FACTORS_64
#undef MINIFLOAT_FACTORS_40
#undef MINIFLOAT_FACTORS_32
#undef MINIFLOAT_FACTORS_16
#undef MINIFLOAT_128
#undef MINIFLOAT_64
#undef MINIFLOAT_40
#undef MINIFLOAT_32
#undef MINIFLOAT_16
#undef MINIFLOAT_4
#undef MINIFLOAT_NAMES_128
#undef MINIFLOAT_NAMES_64
#undef MINIFLOAT_NAMES_40
#undef MINIFLOAT_NAMES_32
#undef MINIFLOAT_NAMES_16
#undef MINIFLOAT_NAMES_120
#undef MINIFLOAT_NAMES_90
#undef MINIFLOAT_NAMES_60
#undef MINIFLOAT_NAMES_30
#undef MINIFLOAT_TEN

// Whether the device that is current has code that multiplies by warpgroup: compute capability 9.0
// alone, and only where it was compiled for.
inline bool has_warpgroup_products() {
#ifdef MINIFLOAT_SM90A
  int device = 0, major = 0, minor = 0;
  check(cudaGetDevice(&device));
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  return major == 9 && minor == 0;
#else
  return false;
#endif
}

}  // namespace minifloat
