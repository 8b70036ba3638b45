#pragma once

// The vocabulary that kernels are written in: what a GPU has beyond C++. The same kernels run on a
// GPU, compiled by nvcc, and in the emulator, compiled by any C++ compiler, where tests need no
// GPU.

#include <cstdint>
#include <limits>

#include "cuda/device/stream.h"
#include "cuda/warps.h"
#include "format/codec.h"

namespace minifloat {

// Formats to which some GPUs round float32 by an instruction: those of the Open Compute Project.
MINIFLOAT_INLINE bool have_instruction(Format f) {
  return f == Format{5, 2, Specials::kIeee} || f == Format{4, 3, Specials::kNan} ||
         f == Format{3, 2, Specials::kNone} || f == Format{2, 3, Specials::kNone} ||
         f == Format{2, 1, Specials::kNone};
}

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

MINIFLOAT_INLINE float power_of_two(int exponent) { return bits_of<float>((127 + exponent) << 23); }

// A vector: 16 bytes, which one access moves.
struct alignas(16) Words4 {
  std::uint32_t each[4];
};

// Blocks of a launch; threads of each; bytes of memory that those share.
struct Grid {
  std::int64_t blocks;
  int threads;
  int shared_bytes;
};

// What waits in shared memory for copies into it.
using Gate = std::uint64_t;

}  // namespace minifloat

#ifdef __CUDACC__
#include "cuda/device/sm90_gpu.h"
#else
#include "cuda/device/sm90_host.h"
#endif
