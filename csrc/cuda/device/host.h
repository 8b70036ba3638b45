#pragma once

// The vocabulary in the emulator; device.h includes this. Each function is what NVIDIA's manual of
// PTX says of the instruction in its place.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "cuda/emulator/emulator.h"

#define MINIFLOAT_DEVICE inline
#define MINIFLOAT_KERNEL(threads, blocks) void

namespace minifloat {

inline int thread_index() { return emulator::place().thread; }
inline int thread_count() { return emulator::place().threads; }
inline std::int64_t block_index() { return emulator::place().block; }
inline std::int64_t block_count() { return emulator::place().blocks; }

inline std::uint8_t* shared_memory() { return emulator::shared_memory(); }
inline void sync_threads() { emulator::sync_block(); }
inline void sync_warp() { emulator::sync_warp(); }

template <class T>
const T* gather(const T& mine) {
  return reinterpret_cast<const T*>(emulator::gather(&mine, sizeof(T)));
}

template <class T>
T exchange(T value, int mask) {
  return gather(value)[thread_index() % kWarp ^ mask];
}

inline int sum_of_lanes(int x) {
  const int* const lanes = gather(x);
  return std::accumulate(lanes, lanes + kWarp, 0);
}

inline int count_bits(std::uint32_t bits) { return std::popcount(bits); }

inline Words4 load16(const void* from) { return *static_cast<const Words4*>(from); }

inline void copy_async(void* shared, const void* from, int bytes) {
  emulator::copy_async(shared, from, bytes, 16 - bytes);
}
inline void copy_word_async(void* shared, const void* from) {
  emulator::copy_async(shared, from, 4, 0);
}
inline void commit_copies() { emulator::commit_copies(); }
template <int kPending>
void wait_copies() {
  emulator::wait_copies(kPending);
}

inline std::uint32_t permute_bytes(std::uint32_t low, std::uint32_t high, std::uint32_t selector) {
  const std::uint64_t bytes = std::uint64_t{high} << 32 | low;
  std::uint32_t out = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t nibble = selector >> (4 * i) & 0xf;
    const auto byte = static_cast<std::uint8_t>(bytes >> (8 * (nibble & 7)));
    const std::uint32_t chosen = nibble & 8 ? (byte & 0x80 ? 0xff : 0) : byte;
    out |= chosen << (8 * i);
  }
  return out;
}

inline std::uint32_t window(std::uint32_t low, std::uint32_t high, int shift) {
  return static_cast<std::uint32_t>((std::uint64_t{high} << 32 | low) >> shift);
}

inline std::uint16_t to_half(float x) { return bits_of<std::uint16_t>(static_cast<_Float16>(x)); }
inline float from_half(std::uint16_t x) {
  const auto wide = static_cast<float>(bits_of<_Float16>(x));
  return wide == wide ? wide : bits_of<float>(0x7fffffff);
}

// Products and sums of float16 are exact in float64 unless their exponents are far apart, and then
// rounding twice is rounding once.
inline std::uint32_t multiply_add_halves(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  std::uint32_t out = 0;
  for (int shift = 0; shift < 32; shift += 16) {
    const auto half = [&](std::uint32_t x) {
      return static_cast<double>(from_half(static_cast<std::uint16_t>(x >> shift)));
    };
    const auto sum = static_cast<_Float16>(half(a) * half(b) + half(c));
    out |= std::uint32_t{bits_of<std::uint16_t>(sum)} << shift;
  }
  return out;
}

inline constexpr bool converts(Format f) { return have_instruction(f); }

template <Format F>
std::uint8_t convert(float x) {
  // Infinity, too, becomes a number that is beyond the largest.
  const double size = std::min(std::fabs(double{x}), 1e9);
  const int exponent = std::max(size > 0 ? std::ilogb(size) : -F.bias(), 1 - F.bias());
  const double steps = std::nearbyint(std::ldexp(size, F.mantissa_bits - exponent));
  const int code = ((exponent + F.bias() - 1) << F.mantissa_bits) + static_cast<int>(steps);
  const int largest = F.max_code();
  return static_cast<std::uint8_t>(std::signbit(x) * F.sign_bit() | std::min(code, largest));
}

// A lane's part of both factors of a product of matrices.
struct Factors {
  std::uint32_t a[4];
  std::uint32_t b[2];
};

// Adds the products of kCount elements in a word to the sums, as the layout of fragments says.
template <int kCount, class Sum, class Multiply>
void multiply_fragments(Sum (&sums)[4], const Factors& mine, Multiply multiply) {
  const Factors* lanes = gather(mine);
  const int lane = thread_index() % kWarp;
  for (int i = 0; i < 4; ++i) {
    const int row = lane / 4, column = lane % 4 * 2 + i % 2;
    for (int half = 0; half < 2; ++half) {
      for (int t = 0; t < 4; ++t) {
        const std::uint32_t x = lanes[row * 4 + t].a[half * 2 + i / 2];
        const std::uint32_t y = lanes[column * 4 + t].b[half];
        for (int e = 0; e < kCount; ++e) {
          sums[i] += multiply(x >> (32 / kCount * e), y >> (32 / kCount * e));
        }
      }
    }
  }
}

template <bool kIsUnsigned>
void multiply_matrices(std::int32_t (&sums)[4], std::uint32_t a0, std::uint32_t a1,
                       std::uint32_t a2, std::uint32_t a3, std::uint32_t b0, std::uint32_t b1) {
  using Byte = std::conditional_t<kIsUnsigned, std::uint8_t, std::int8_t>;
  multiply_fragments<4>(sums, {{a0, a1, a2, a3}, {b0, b1}}, [](std::uint32_t x, std::uint32_t y) {
    return std::int32_t{static_cast<Byte>(x)} * static_cast<std::int8_t>(y);
  });
}
template <bool>
void multiply_matrices(float (&sums)[4], std::uint32_t a0, std::uint32_t a1, std::uint32_t a2,
                       std::uint32_t a3, std::uint32_t b0, std::uint32_t b1) {
  multiply_fragments<2>(sums, {{a0, a1, a2, a3}, {b0, b1}}, [](std::uint32_t x, std::uint32_t y) {
    return from_half(static_cast<std::uint16_t>(x)) * from_half(static_cast<std::uint16_t>(y));
  });
}

inline int opaque(int x) { return x; }
inline std::uint32_t in_register(std::uint32_t x) { return x; }
inline float opaque(float x) { return x; }

inline std::uint64_t load_fresh(const std::uint64_t* from) { return *from; }
template <class T>
T atomic_add(T* to, std::type_identity_t<T> x) {
  return std::exchange(*to, *to + x);
}
inline std::uint64_t atomic_max(std::uint64_t* to, std::uint64_t x) {
  return std::exchange(*to, std::max(*to, x));
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Grid& grid, Stream,
            const Arguments&... arguments) {
  emulator::run(grid.blocks, grid.threads, grid.shared_bytes, [&] { kernel(arguments...); });
}

inline void copy_memory(void* to, const void* from, std::int64_t bytes, Stream) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
inline void fill_memory(void* to, int byte, std::int64_t bytes, Stream) {
  if (bytes > 0) std::memset(to, byte, bytes);
}

inline int multiprocessor_count() { return emulator::multiprocessors(); }

// As if each thread took 256 registers of 65536, and each block 1 of 228 KB for itself.
template <class... Parameters>
int resident_blocks(void (*)(Parameters...), int threads, int shared_bytes) {
  return std::min((1 << 16) / (256 * threads), (228 << 10) / (shared_bytes + (1 << 10)));
}

}  // namespace minifloat
