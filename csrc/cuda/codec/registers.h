#pragma once

// Dense codes, one long row of them: each lane packs the few that it takes in registers, and a warp
// writes whole words side by side.

#include "cuda/codec/codes.h"
#include "cuda/codec/runs.h"
#include "cuda/codec/sixteen.h"
#include "cuda/device/launches.h"

namespace minifloat::cuda {

inline constexpr int kLongThreads = 256;
// Of each multiprocessor: more codes take more registers.
template <class Source>
inline constexpr int kLongBlocks = sizeof(Source) == 2 ? 6 : 8;

// Codes that a lane packs at once: those of one access, but for float64, of two.
template <class Source>
inline constexpr int kLaneCodes = sizeof(Source) < 4 ? 8 : 4;

// Codes side by side, low bits first: the bytes that hold them unpacked have room for them.
template <class Source>
using Packed = std::conditional_t<kLaneCodes<Source> == 8, std::uint64_t, std::uint32_t>;

// The first codes of values, packed; those of codes without the bits above.
template <Format F, bool kSaturates>
MINIFLOAT_DEVICE std::uint64_t pack_some(const std::uint8_t* source) {
  return squeeze<F.bits()>(*reinterpret_cast<const std::uint64_t*>(source));
}
template <Format F, bool kSaturates, class Source>
MINIFLOAT_DEVICE Packed<Source> pack_some(const Source* source) {
  Packed<Source> packed = 0;
  for (int first = 0; first < kLaneCodes<Source>; first += kAtOnce<Source>) {
    const auto codes = encode_run<F, kSaturates>(source + first);
    for (int i = 0; i < kAtOnce<Source>; ++i) {
      packed |= static_cast<Packed<Source>>(codes.each[i]) << (F.bits() * (first + i));
    }
  }
  return packed;
}

// One byte of a row of so many codes.
template <Format F, bool kSaturates, class Source>
MINIFLOAT_DEVICE std::uint8_t pack_byte(const Source* source, std::int64_t count,
                                        std::int64_t byte) {
  std::uint32_t packed = 0;
  const std::int64_t first = 8 * byte / F.bits();
  const int shift = static_cast<int>(8 * byte - first * F.bits());
  for (int i = 0; i * F.bits() < shift + 8 && first + i < count; ++i) {
    std::uint32_t code = 0;
    if constexpr (sizeof(Source) == 1) {
      code = source[first + i] & (2 * F.sign_bit() - 1);
    } else {
      code = to_code<F, kSaturates>(widen(source[first + i]));
    }
    packed |= code << (i * F.bits());
  }
  return static_cast<std::uint8_t>(packed >> shift);
}

// Writes what a warp's lanes have packed. Where a lane's bits are no whole word, three lanes of
// four write one: their own from some bit on, and the next lane's after these.
template <int kBits, class Bits>
MINIFLOAT_DEVICE void write_packed(Bits packed, int lane, std::uint8_t* to) {
  constexpr int kWidth = 8 * sizeof(Bits) / 8 * kBits;
  if constexpr (2 * kBits == 8) {
    using Word = std::conditional_t<kWidth == 32, std::uint32_t, std::uint16_t>;
    reinterpret_cast<Word*>(to)[lane] = static_cast<Word>(packed);
  } else {
    static_assert(kBits == 6, "three lanes write what four have");
    const int place = lane % 4, shift = place * static_cast<int>(8 * sizeof(Bits) - kWidth);
    const Bits next = exchange(packed, place == 1 ? 3 : 1);
    const Bits word = packed >> shift | next << (kWidth - shift);
    if (place < 3) reinterpret_cast<Bits*>(to)[lane / 4 * 3 + place] = word;
  }
}

template <int kFormat, bool kSaturates, class Source>
MINIFLOAT_KERNEL(kLongThreads, kLongBlocks<Source>)
pack_long_kernel(const Source* __restrict__ source, std::int64_t count,
                 std::uint8_t* __restrict__ packed) {
  constexpr Format F = kFormatOf<kFormat>;
  constexpr int kCodes = kWarp * kLaneCodes<Source>, kBytes = kCodes / 8 * F.bits();
  const int lane = thread_index() % kWarp;
  const std::int64_t first = launch_index() / kWarp, whole = count / kCodes;
  // By warps, all of whose lanes have codes or none.
  for (std::int64_t i = first; i < whole; i += launch_size() / kWarp) {
    const Source* const from = source + i * kCodes + lane * kLaneCodes<Source>;
    write_packed<F.bits()>(pack_some<F, kSaturates>(from), lane, packed + i * kBytes);
  }
  const std::int64_t bytes = row_bytes(count, F.bits());
  for (std::int64_t i = whole * kBytes + launch_index(); i < bytes; i += launch_size()) {
    packed[i] = pack_byte<F, kSaturates>(source, count, i);
  }
}

template <int kBits>
MINIFLOAT_KERNEL(kLongThreads, kLongBlocks<std::uint8_t>)
unpack_long_kernel(const std::uint8_t* __restrict__ packed, std::int64_t count,
                   std::uint8_t* __restrict__ codes) {
  const std::int64_t whole = count / kSixteen;
  for (std::int64_t i = launch_index(); i < whole; i += launch_size()) {
    const auto taken = reinterpret_cast<const Sixteen<kBits>*>(packed)[i];
    reinterpret_cast<Words4*>(codes)[i] = spread_sixteen<kBits>(taken);
  }
  for (std::int64_t i = whole * kSixteen + launch_index(); i < count; i += launch_size()) {
    codes[i] = code_at<kBits>(packed, i);
  }
}

}  // namespace minifloat::cuda
