#pragma once

// What a code means and which code a value becomes, for host and device.

#include <cstdint>
#include <type_traits>

#include "format/format.h"
#include "format/source.h"

// The functions here must inline into callers compiled for a wider instruction set.
#define MINIFLOAT_INLINE MINIFLOAT_HD __attribute__((always_inline)) inline constexpr

namespace minifloat {

template <class To, class From>
MINIFLOAT_INLINE To bits_of(From x) {
  return __builtin_bit_cast(To, x);
}

template <Format F>
using Code = std::conditional_t<(F.bits() > 8), std::uint16_t, std::uint8_t>;

// The value of one code, exact for every code; NaN comes out quiet with the code's sign. Bits
// above the format's are ignored.
template <Format F>
MINIFLOAT_INLINE float decode(Code<F> code) {
  constexpr int kShift = 23 - F.mantissa_bits;
  constexpr float kStep = bits_of<float>((127 + 1 - F.bias() - F.mantissa_bits) << 23);
  constexpr std::int32_t kMaxCode = F.max_code();
  const std::uint32_t sign = static_cast<std::uint32_t>(code & F.sign_bit()) << (32 - F.bits());
  const std::int32_t magnitude = code & (F.sign_bit() - 1);

  // Neither branch makes a float32 subnormal, so flush-to-zero modes cannot change the answer.
  const std::int32_t subnormal = bits_of<std::int32_t>(static_cast<float>(magnitude) * kStep);
  const std::int32_t normal = (magnitude << kShift) + ((127 - F.bias()) << 23);
  const std::int32_t finite = magnitude < (1 << F.mantissa_bits) ? subnormal : normal;
  const bool infinite = F.specials == Specials::kIeee && magnitude == kMaxCode + 1;
  const std::int32_t special = infinite ? 0x7f800000 : 0x7fc00000;
  return bits_of<float>(sign | (magnitude > kMaxCode ? special : finite));
}

enum class Overflow : std::uint8_t {
  kSaturate,  // to the largest finite value
  kSpecial,   // to infinity or NaN, where the format has one
};

// A code, and the magnitude of its value where that is finite.
struct Rounded {
  std::uint8_t code;
  float magnitude;
};

// The nearest code, ties to even.
template <Format F, Overflow O>
MINIFLOAT_INLINE Rounded round_to_code(float x) {
  constexpr int kShift = 23 - F.mantissa_bits;
  constexpr std::int32_t kMinNormal = (127 + 1 - F.bias()) << 23;
  const std::int32_t bits = bits_of<std::int32_t>(x);
  const std::int32_t magnitude = bits & 0x7fffffff;

  // The largest code that may come out; one past max_code is the special that overflow becomes.
  constexpr bool kSaturates = O == Overflow::kSaturate || F.specials == Specials::kNone;
  constexpr std::int32_t kTopCode = F.max_code() + !kSaturates;
  constexpr std::int32_t kTop = (kTopCode << kShift) + kMinNormal - (1 << 23);
  const std::int32_t clamped = magnitude < kTop ? magnitude : kTop;

  // A code is (binade << mantissa_bits) + steps, where subnormals share the first normal binade.
  const std::int32_t own = clamped & 0x7f800000;
  const std::int32_t binade = own > kMinNormal ? own : kMinNormal;

  // Adding 2^23 steps makes the float unit round to a step; the sum's low bits count the steps,
  // from a start that takes kMinNormal out of the binade's number.
  constexpr std::int32_t kStart = -(kMinNormal >> kShift) & 0xff;
  static_assert(kStart % 2 == 0, "or ties would go to odd");
  const float magic = bits_of<float>(binade + (kShift << 23) + kStart);
  const float steps = bits_of<float>(clamped) + magic;
  const std::int32_t finite = bits_of<std::int32_t>(steps) + (binade >> kShift);

  const std::int32_t sign = (bits >> (32 - F.bits())) & static_cast<std::int32_t>(F.sign_bit());
  constexpr std::int32_t kNan = F.nan_code();
  const std::int32_t number = magnitude > 0x7f800000 ? kNan : finite;
  const std::int32_t code = sign ^ number;
  return {static_cast<std::uint8_t>(code), steps - magic};
}

template <Format F, Overflow O>
MINIFLOAT_INLINE std::uint8_t encode(float x) {
  return round_to_code<F, O>(x).code;
}

// A float32 that encodes as the source does: equal to it, or for float64 rounded to odd, which
// keeps every tie and every inequality of the shorter formats.
MINIFLOAT_INLINE float to_float(Float16 x) {
  return decode<Format{5, 10, Specials::kIeee}>(x.bits);
}
MINIFLOAT_INLINE float to_float(Bfloat16 x) {
  return bits_of<float>(static_cast<std::uint32_t>(x.bits) << 16);
}
MINIFLOAT_INLINE float to_float(float x) { return x; }
MINIFLOAT_INLINE float to_float(double x) {
  const float nearest = static_cast<float>(x);
  const double back = nearest;
  const bool away = (back > x) == (x > 0) && back != x;
  return bits_of<float>((bits_of<std::uint32_t>(nearest) - away) | (back != x));
}

}  // namespace minifloat
