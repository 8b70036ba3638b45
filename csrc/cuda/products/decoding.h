#pragma once

// How a lane decodes packed codes to the registers that it multiplies, four at a time.

#include <array>

#include "cuda/products/operands.h"
#include "format/packing.h"

namespace minifloat::cuda {

// Two float16 of that power of two's sign and exponent, and of this mantissa.
constexpr std::uint32_t both_halves(float power, int mantissa) {
  const int exponent = static_cast<int>(bits_of<std::uint32_t>(power) >> 23) - 127;
  const std::uint32_t sign = power < 0 ? 0x8000 : 0;
  return (sign | static_cast<std::uint32_t>(((exponent + 15) & 31) << 10 | mantissa)) * 0x10001;
}

// Float16 that have the fields of two codes, each from bit kFrom of its half on.
template <Format F, int kFrom>
MINIFLOAT_DEVICE std::uint32_t halves(std::uint32_t codes) {
  constexpr int kToMagnitude = 10 - F.mantissa_bits - kFrom, kToSign = 16 - F.bits() - kFrom;
  constexpr std::uint32_t kMagnitude = ((F.sign_bit() - 1) << (10 - F.mantissa_bits)) * 0x10001;
  const auto moved = [](std::uint32_t x, int by) { return by < 0 ? x >> -by : x << by; };
  return (moved(codes, kToSign) & 0x80008000) | (moved(codes, kToMagnitude) & kMagnitude);
}

// A lane's codes of 6 bits as float16: each word has two codes that lie eight apart, and so in the
// same bits of their halves. The order is that of Operand::place.
template <Format F>
MINIFLOAT_DEVICE void halves_of_six(const std::uint32_t (&words)[3], std::uint32_t (&even)[4],
                                    std::uint32_t (&odd)[4]) {
  const auto [first, second, third] = words;
  const std::uint32_t pairs[3] = {permute_bytes(first, second, 0x7610),
                                  permute_bytes(first, third, 0x5432),
                                  permute_bytes(second, third, 0x7610)};
  even[0] = halves<F, 0>(pairs[0]);
  odd[0] = halves<F, 6>(pairs[0]);
  even[1] = halves<F, 2>(pairs[1]);
  odd[1] = halves<F, 8>(pairs[1]);
  even[2] = halves<F, 4>(pairs[2]);
  odd[2] = halves<F, 10>(pairs[2]);
  // The others reach over the ends of halves.
  even[3] = halves<F, 4>(permute_bytes(first, permute_bytes(second, third, 0x43), 0x5421));
  odd[3] = halves<F, 6>(permute_bytes(first, permute_bytes(second, third, 0x650), 0x6543));
}

// The magnitudes of codes of 4 bits, a byte each. A look-up where a nibble's sign bit is set gives
// the top bit of the table's byte, which is 0.
template <Format F>
class Magnitudes {
 public:
  // Of four codes.
  MINIFLOAT_DEVICE std::uint32_t of(std::uint32_t codes) const {
    return permute_bytes(low_, kTable[1], codes);
  }

  // An instruction has room for one constant: the other is moved to a register beside each, unless
  // it comes from somewhere.
  MINIFLOAT_DEVICE static Magnitudes in_registers() {
    Magnitudes made;
    made.low_ = in_register(made.low_);
    return made;
  }

 private:
  static_assert(F.bits() == 4 && lane(F) == Lane::kInt8);
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 2> table{};
    for (int i = 0; i < 8; ++i) {
      const auto entry = static_cast<std::uint32_t>(to_element<F>(static_cast<std::uint8_t>(i)));
      table[i / 4] |= entry << (8 * (i % 4));
    }
    return table;
  }();

  std::uint32_t low_ = kTable[0];
};

// What changes the sign of eight codes of 4 bits.
inline constexpr std::uint32_t kSignsOfEight = 0x88888888;

// Bytes of eight codes of 4 bits.
template <Format F>
MINIFLOAT_DEVICE void look_up(std::uint32_t codes, std::uint32_t& first, std::uint32_t& second) {
  constexpr std::uint32_t kTopBits = 0x80808080;
  const Magnitudes<F> magnitudes;
  const std::uint32_t negated = codes ^ kSignsOfEight;
  const auto value = [&](int shift) {
    // The top bits keep bytes from borrowing.
    return (magnitudes.of(codes >> shift) + kTopBits - magnitudes.of(negated >> shift)) ^ kTopBits;
  };
  first = value(0);
  second = value(16);
}

// The low bytes of four float16: of codes 0 and 2, and of codes 1 and 3.
MINIFLOAT_DEVICE std::uint32_t low_bytes(std::uint32_t even, std::uint32_t odd) {
  return permute_bytes(even, odd, 0x6240);
}

// Float16 become integer elements in their low bits: kUp makes a format's smallest step
// 2^(1 - mantissa_bits), which is the last bit of kMagic, so that their sum counts steps there.
template <Format F>
struct ToInteger {
  static constexpr std::uint32_t kUp = both_halves(power_of_two(15), 0);
  static constexpr std::uint32_t kMagic = both_halves(power_of_two(11 - F.mantissa_bits), 0x200);

  // Four elements of one byte each.
  MINIFLOAT_DEVICE static std::uint32_t whole(std::uint32_t even, std::uint32_t odd) {
    return low_bytes(multiply_add_halves(even, kUp, kMagic), multiply_add_halves(odd, kUp, kMagic));
  }

  // Planes of four elements: the nearest multiple of 2^kRowShift, what is left, and where there are
  // three, the sum of both.
  template <int kPlanes>
  MINIFLOAT_DEVICE static void planes(std::uint32_t even, std::uint32_t odd,
                                      std::uint32_t (&out)[kPlanes]) {
    constexpr int kToHigh = F.mantissa_bits - 1 - kRowShift;
    constexpr std::uint32_t kUpToHigh = both_halves(power_of_two(15 + kToHigh), 0);
    constexpr std::uint32_t kFromHigh = both_halves(-power_of_two(-kToHigh), 0);
    constexpr std::uint32_t kToStep = both_halves(power_of_two(1 - F.mantissa_bits), 0);
    constexpr std::uint32_t kHighMagic = both_halves(power_of_two(10), 0x200);
    constexpr std::uint32_t kLessMagic = kHighMagic | 0x80008000;
    constexpr std::uint32_t kOne = both_halves(1.0f, 0);
    std::uint32_t bytes[kPlanes][2];
    for (int o = 0; o < 2; ++o) {
      const std::uint32_t x = o ? odd : even;
      bytes[0][o] = multiply_add_halves(x, kUpToHigh, kHighMagic);
      const std::uint32_t whole = multiply_add_halves(bytes[0][o], kOne, kLessMagic);
      const std::uint32_t rest = multiply_add_halves(whole, kFromHigh, kMagic);
      bytes[1][o] = multiply_add_halves(x, kUp, rest);
      if constexpr (kPlanes == 3) bytes[2][o] = multiply_add_halves(whole, kToStep, bytes[1][o]);
    }
    for (int p = 0; p < kPlanes; ++p) out[p] = low_bytes(bytes[p][0], bytes[p][1]);
  }

  // Both bytes of four elements, more by what kMagic is.
  MINIFLOAT_DEVICE static void offset_planes(std::uint32_t even, std::uint32_t odd,
                                             std::uint32_t& high, std::uint32_t& low) {
    static_assert(max_fixed(F) < 1 << 9, "the sum must stay between two powers of two");
    const std::uint32_t first = multiply_add_halves(even, kUp, kMagic);
    const std::uint32_t second = multiply_add_halves(odd, kUp, kMagic);
    high = permute_bytes(first, second, 0x7351);
    low = low_bytes(first, second);
  }
};

// A lane's codes of one row as it multiplies them.
template <Format F, class Row = Operand<F>>
MINIFLOAT_DEVICE void row_registers(const std::uint32_t (&words)[Row::kWords],
                                    typename Row::Registers& out) {
  if constexpr (Row::kBits == 4 && Row::kLane == Lane::kInt8) {
#pragma unroll
    for (int w = 0; w < Row::kWords; ++w) look_up<F>(words[w], out[0][2 * w], out[0][2 * w + 1]);
  } else {
    std::uint32_t even[kLaneCodes / 4], odd[kLaneCodes / 4];
    if constexpr (Row::kBits == 6) {
      halves_of_six<F>(words, even, odd);
    } else {
      static_assert(Row::kBits == 8);
#pragma unroll
      for (int i = 0; i < kLaneCodes / 4; ++i) {
        even[i] = halves<F, 0>(words[i]);
        odd[i] = halves<F, 8>(words[i]);
      }
    }
#pragma unroll
    for (int i = 0; i < kLaneCodes / 4; ++i) {
      if constexpr (Row::kIsFloat) {
        out[0][2 * i] = even[i];
        out[0][2 * i + 1] = odd[i];
      } else if constexpr (Row::kPlanes == 1) {
        out[0][i] = ToInteger<F>::whole(even[i], odd[i]);
      } else if constexpr (Row::kIsUnsigned) {
        ToInteger<F>::offset_planes(even[i], odd[i], out[0][i], out[1][i]);
      } else {
        std::uint32_t planes[Row::kPlanes];
        ToInteger<F>::planes(even[i], odd[i], planes);
#pragma unroll
        for (int p = 0; p < Row::kPlanes; ++p) out[p][i] = planes[p];
      }
    }
  }
}

// The same as magnitudes, those of negative codes first.
template <Format F>
MINIFLOAT_DEVICE void signed_registers(const Magnitudes<F>& magnitudes,
                                       const std::uint32_t (&words)[Operand<F>::kWords],
                                       typename SignedOperand<F>::Registers& out) {
#pragma unroll
  for (int w = 0; w < Operand<F>::kWords; ++w) {
    const std::uint32_t negated = words[w] ^ kSignsOfEight;
    out[0][2 * w] = magnitudes.of(negated);
    out[0][2 * w + 1] = magnitudes.of(negated >> 16);
    out[1][2 * w] = magnitudes.of(words[w]);
    out[1][2 * w + 1] = magnitudes.of(words[w] >> 16);
  }
}

}  // namespace minifloat::cuda
