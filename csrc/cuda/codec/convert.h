#pragma once

// Values and codes, one by one, as kernels do them: by codec.h, or by an instruction where that
// gives the same code.

#include "cuda/device/choices.h"
#include "cuda/device/device.h"

namespace minifloat {

// A GPU's conversions give every NaN the same sign.
MINIFLOAT_DEVICE float nan_of(bool is_negative) {
  return bits_of<float>(is_negative ? 0xffc00000 : 0x7fc00000);
}

MINIFLOAT_DEVICE float widen(Float16 x) {
  const float wide = from_half(x.bits);
  return wide == wide ? wide : nan_of(x.bits >> 15 != 0);
}
MINIFLOAT_DEVICE float widen(double x) {
  return x == x ? to_float(x) : nan_of(bits_of<std::uint64_t>(x) >> 63 != 0);
}
template <class Source>
MINIFLOAT_DEVICE float widen(Source x) {
  return to_float(x);
}

// The nearest code: by the processor's instruction where there is one, for it saturates. Not that
// of NaN, which the instruction makes another NaN and gives no sign.
template <Format F, bool kSaturates>
MINIFLOAT_DEVICE std::uint8_t to_code(float x) {
  constexpr Overflow kOverflow = kSaturates ? Overflow::kSaturate : Overflow::kSpecial;
  if constexpr (kSaturates && converts(F)) {
    return x == x ? convert<F>(x) : encode<F, kOverflow>(x);
  } else {
    return encode<F, kOverflow>(x);
  }
}

// Calls use(std::bool_constant) with whether overflow saturates, always so where nothing else can.
template <Format F, class Use>
void choose_overflow(bool saturates, Use use) {
  if constexpr (F.specials == Specials::kNone) {
    use(std::true_type{});
  } else {
    choose_bool(saturates, use);
  }
}

}  // namespace minifloat
