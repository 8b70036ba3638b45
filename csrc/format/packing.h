#pragma once

// Where code i of a row lives: bits [i * kBits, (i + 1) * kBits) of the row, low bits first.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "format/codec.h"

namespace minifloat {

static_assert(std::endian::native == std::endian::little, "packed rows are little-endian");

// Rows are padded with zero bits to whole bytes.
MINIFLOAT_INLINE std::int64_t row_bytes(std::int64_t dim, int bits) { return (dim * bits + 7) / 8; }

// The next kBytes bytes of a row of which so many are left, with zeros after its end.
template <std::size_t kBytes>
__attribute__((always_inline)) inline const std::uint8_t* next_bytes(
    const std::uint8_t* packed, std::int64_t left, std::array<std::uint8_t, kBytes>& copy) {
  if (left >= static_cast<std::int64_t>(kBytes)) return packed;
  copy = {};
  std::memcpy(copy.data(), packed, left);
  return copy.data();
}

// Pairs of fields, kWidth bits wide and kGap bits apart.
template <int kWidth, int kGap>
struct Pairs {
  static constexpr int kPeriod = 2 * (kWidth + kGap);
  static constexpr std::uint64_t kEveryPeriod = ~0ull / (~0ull >> (64 - kPeriod));
  static constexpr std::uint64_t kFirst = kEveryPeriod * ((1ull << kWidth) - 1);
  static constexpr std::uint64_t kSecond = kFirst << kWidth;

  MINIFLOAT_INLINE static std::uint64_t join(std::uint64_t x) {
    return (x & kFirst) | (x >> kGap & kSecond);
  }
  MINIFLOAT_INLINE static std::uint64_t part(std::uint64_t x) {
    return (x & kFirst) | (x & kSecond) << kGap;
  }
};

// Eight codes, one a byte, put side by side in the low 8 * kBits bits.
template <int kBits>
MINIFLOAT_INLINE std::uint64_t squeeze(std::uint64_t codes) {
  constexpr int kGap = 8 - kBits;
  codes = Pairs<kBits, kGap>::join(codes);
  codes = Pairs<2 * kBits, 2 * kGap>::join(codes);
  return Pairs<4 * kBits, 4 * kGap>::join(codes);
}

// The inverse of squeeze; bits past the eight codes are ignored.
template <int kBits>
MINIFLOAT_INLINE std::uint64_t spread(std::uint64_t packed) {
  constexpr int kGap = 8 - kBits;
  packed = Pairs<4 * kBits, 4 * kGap>::part(packed);
  packed = Pairs<2 * kBits, 2 * kGap>::part(packed);
  return Pairs<kBits, kGap>::part(packed);
}

}  // namespace minifloat
