#pragma once

// Values and codes, one by one, as kernels do them: by codec.h, or by an instruction where that
// gives the same code.

#include <tuple>

#include "choices.h"
#include "device.h"

namespace minifloat {

using Sources = std::tuple<Float16, Bfloat16, float, double>;

MINIFLOAT_DEVICE float widen(Float16 x) { return from_half(x.bits); }
template <class Source>
MINIFLOAT_DEVICE float widen(Source x) {
  return to_float(x);
}

// The nearest code. Where a processor converts to the format by an instruction, which saturates,
// that is right for all but NaN: it has no sign there, and not the quiet NaN of lowest magnitude.
template <int kFormat, bool kSaturates>
MINIFLOAT_DEVICE std::uint8_t to_code(float x) {
  constexpr Format F = kFormatOf<kFormat>;
  constexpr Overflow kOverflow = kSaturates ? Overflow::kSaturate : Overflow::kSpecial;
  if constexpr (kSaturates && converts(F)) {
    return x == x ? convert<F.exponent_bits, F.mantissa_bits>(x) : encode<F, kOverflow>(x);
  } else {
    return encode<F, kOverflow>(x);
  }
}

// Calls use(std::bool_constant) with whether overflow saturates, always so where nothing else can.
template <int kFormat, class Use>
void choose_overflow(bool saturates, Use use) {
  if constexpr (kFormatOf<kFormat>.specials == Specials::kNone) {
    use(std::true_type{});
  } else {
    choose_bool(saturates, use);
  }
}

}  // namespace minifloat
