#pragma once

// Values and codes, one by one, as kernels do them: by codec.h, or by an instruction where that
// gives the same code.

#include <cmath>

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

template <Format F>
MINIFLOAT_DEVICE std::uint32_t sign_of(float x) {
  return bits_of<std::uint32_t>(x) >> (32 - F.bits()) & F.sign_bit();
}

// The code of a number, as encode has it, by operations of the float unit where it has such: those
// of the integer unit are half as fast.
template <Format F, bool kSaturates>
MINIFLOAT_DEVICE std::uint32_t round_number(float x) {
  constexpr int kShift = 23 - F.mantissa_bits;
  constexpr std::uint32_t kMinNormal = (127 + 1 - F.bias()) << 23;
  // What is past the largest code is the special that overflow becomes.
  constexpr int kTopCode = F.max_code() + !(kSaturates || F.specials == Specials::kNone);
  constexpr float kTop = bits_of<float>((kTopCode << kShift) + kMinNormal - (1 << 23));
  constexpr std::uint32_t kStart = -(kMinNormal >> kShift) & 0xff;
  constexpr float kMagic = bits_of<float>(((127 + kShift) << 23) + kStart);

  const float size = std::fmin(std::fabs(x), kTop);
  const float normal = std::fmax(size, bits_of<float>(kMinNormal));
  const std::uint32_t binade = bits_of<std::uint32_t>(normal) & 0x7f800000;
  const float steps = size + bits_of<float>(binade) * kMagic;
  const std::uint32_t finite = bits_of<std::uint32_t>(steps) + (binade >> kShift);
  return (finite ^ sign_of<F>(x)) & (2 * F.sign_bit() - 1);
}

// Codes of some values. NaN is rare, and is looked for in all of them at once: no other sum of
// sizes is NaN.
template <Format F, bool kSaturates, int kCount>
MINIFLOAT_DEVICE void to_codes(const float (&x)[kCount], std::uint32_t* codes) {
  float sum = 0.0f;
  for (int i = 0; i < kCount; ++i) {
    if constexpr (kSaturates && converts(F)) {
      codes[i] = convert<F>(x[i]);
    } else {
      codes[i] = round_number<F, kSaturates>(x[i]);
    }
    sum += std::fabs(x[i]);
  }
  if (sum == sum) return;
  for (int i = 0; i < kCount; ++i) {
    if (x[i] != x[i]) codes[i] = sign_of<F>(x[i]) ^ F.nan_code();
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
