#pragma once

// What a warp multiplies: 16 rows by 8 queries, in steps of 64 codes. In a step a lane has 16 codes
// of two rows and of one query, in the same places, so their order within a product is free: rows
// are decoded as they are packed, four codes at a time, and queries are laid out alike beforehand.

#include <array>
#include <type_traits>

#include "cuda/device/choices.h"
#include "cuda/device/device.h"
#include "format/lanes.h"
#include "format/packing.h"

namespace minifloat {

inline constexpr int kLaneCodes = 16;
inline constexpr int kStepCodes = 4 * kLaneCodes;

// In an int16 lane an element is a high plane and a low one, which counts so much less.
inline constexpr int kRowShift = 5;

template <Format F>
struct Operand {
  static constexpr Lane kLane = lane(F);
  static constexpr int kBits = F.bits();
  static_assert(kBits % 2 == 0, "a lane's codes must fill words");
  static_assert(F.exponent_bits <= 5, "float16 must hold the values");

  using Sum = std::conditional_t<kLane == Lane::kFloat, float, std::int32_t>;
  static constexpr int kPlanes = kLane == Lane::kInt16 ? 2 : 1;
  static constexpr int kRegisters = kLane == Lane::kFloat ? 8 : 4;  // of each plane
  static constexpr int kWords = kLaneCodes * kBits / 32;            // of packed codes
  static constexpr int kStepBytes = kStepCodes * kBits / 8;

  // Codes of a lane that lie side by side; runs of the four lanes follow one another.
  static constexpr int kRun = kBits == 8 ? 8 : 16;
  static constexpr int kRunWords = kRun * kBits / 32;

  // Which of a step's codes is number i of a lane's.
  MINIFLOAT_HD static constexpr int place(int lane, int i) {
    return i / kRun * 4 * kRun + lane % 4 * kRun + i % kRun;
  }

  using Registers = std::uint32_t[kPlanes][kRegisters];
};

// What the float16 that a row's code becomes is less than its value: their exponents' bias differs.
constexpr float row_unit(Format f) {
  return lane(f) == Lane::kFloat ? static_cast<float>(1 << (15 - f.bias())) : 1.0f;
}

// The same float16 twice.
constexpr std::uint32_t both_halves(float power_of_two, int mantissa) {
  const int exponent = static_cast<int>(bits_of<std::uint32_t>(power_of_two) >> 23) - 127;
  const std::uint32_t sign = power_of_two < 0 ? 0x8000 : 0;
  return (sign | static_cast<std::uint32_t>(((exponent + 15) & 31) << 10 | mantissa)) * 0x10001;
}

constexpr float power(int exponent) { return bits_of<float>((127 + exponent) << 23); }

// Codes 4 * i to 4 * i + 3 of a lane, two side by side in each half.
template <int kBits, int kWords>
MINIFLOAT_DEVICE std::uint32_t four_codes(const std::uint32_t (&words)[kWords], int i) {
  const int first = 4 * i * kBits, word = first / 32, shift = first % 32;
  const bool spans = shift + 4 * kBits > 32;
  const std::uint32_t codes =
      spans ? window(words[word], words[word + (spans ? 1 : 0)], shift) : words[word] >> shift;
  if constexpr (kBits == 8) return codes;
  constexpr int kGap = 8 - kBits;
  return static_cast<std::uint32_t>(Pairs<2 * kBits, 2 * kGap>::part(codes));
}

// Float16 that have the fields of codes 0 and 2 of four, or of codes 1 and 3.
template <Format F, bool kIsOdd>
MINIFLOAT_DEVICE std::uint32_t halves(std::uint32_t codes) {
  constexpr int kDown = kIsOdd ? F.bits() : 0;
  constexpr int kToMagnitude = 10 - F.mantissa_bits - kDown, kToSign = 16 - F.bits() - kDown;
  constexpr std::uint32_t kMagnitude = ((F.sign_bit() - 1) << (10 - F.mantissa_bits)) * 0x10001;
  const auto moved = [](std::uint32_t x, int by) { return by < 0 ? x >> -by : x << by; };
  return (moved(codes, kToSign) & 0x80008000) | (moved(codes, kToMagnitude) & kMagnitude);
}

// Bytes of eight codes of 4 bits by a table of magnitudes: where a nibble's sign bit is set, a
// look-up gives the top bit of the table's byte, which is 0.
template <Format F>
MINIFLOAT_DEVICE void look_up(std::uint32_t codes, std::uint32_t& first, std::uint32_t& second) {
  static_assert(F.bits() == 4 && lane(F) == Lane::kInt8);
  constexpr auto kTable = [] {
    std::array<std::uint32_t, 2> table{};
    for (int i = 0; i < 8; ++i) {
      const auto entry = static_cast<std::uint32_t>(to_element<F>(static_cast<std::uint8_t>(i)));
      table[i / 4] |= entry << (8 * (i % 4));
    }
    return table;
  }();
  constexpr std::uint32_t kTopBits = 0x80808080;
  const std::uint32_t negated = codes ^ 0x88888888;
  const auto value = [&](int shift) {
    const std::uint32_t plus = permute_bytes(kTable[0], kTable[1], codes >> shift);
    const std::uint32_t minus = permute_bytes(kTable[0], kTable[1], negated >> shift);
    // The top bits keep bytes from borrowing.
    return (plus + kTopBits - minus) ^ kTopBits;
  };
  first = value(0);
  second = value(16);
}

// The low bytes of four float16: of codes 0 and 2, and of codes 1 and 3.
MINIFLOAT_DEVICE std::uint32_t low_bytes(std::uint32_t even, std::uint32_t odd) {
  return permute_bytes(even, odd, 0x6240);
}

// A lane's codes of one row as it multiplies them.
template <Format F>
MINIFLOAT_DEVICE void row_registers(const std::uint32_t (&words)[Operand<F>::kWords],
                                    typename Operand<F>::Registers& out) {
  using Row = Operand<F>;
  // Adding this leaves an integer's low bits as the float16's own; a step of a code is 2^(1 -
  // mantissa_bits) once the float16 is multiplied by 2^15.
  constexpr std::uint32_t kUp = both_halves(power(15), 0);
  constexpr std::uint32_t kMagic = both_halves(power(11 - F.mantissa_bits), 0x200);
  if constexpr (Row::kBits == 4 && Row::kLane == Lane::kInt8) {
#pragma unroll
    for (int w = 0; w < Row::kWords; ++w) look_up<F>(words[w], out[0][2 * w], out[0][2 * w + 1]);
  } else {
#pragma unroll
    for (int i = 0; i < kLaneCodes / 4; ++i) {
      const std::uint32_t codes = four_codes<Row::kBits>(words, i);
      const std::uint32_t even = halves<F, false>(codes), odd = halves<F, true>(codes);
      if constexpr (Row::kLane == Lane::kFloat) {
        out[0][2 * i] = even;
        out[0][2 * i + 1] = odd;
      } else if constexpr (Row::kLane == Lane::kInt8) {
        out[0][i] = low_bytes(multiply_add_halves(even, kUp, kMagic),
                              multiply_add_halves(odd, kUp, kMagic));
      } else {
        // The high plane is the nearest multiple of 2^kRowShift, the low one what is left.
        constexpr std::uint32_t kToHigh = both_halves(power(F.mantissa_bits - 1 - kRowShift), 0);
        constexpr std::uint32_t kFromHigh = both_halves(-power(kRowShift + 1 - F.mantissa_bits), 0);
        constexpr std::uint32_t kHighMagic = both_halves(power(10), 0x200);
        constexpr std::uint32_t kLessMagic = kHighMagic | 0x80008000;
        constexpr std::uint32_t kOne = both_halves(1.0f, 0);
        std::uint32_t high[2], low[2];
        for (int o = 0; o < 2; ++o) {
          const std::uint32_t steps = multiply_add_halves(o ? odd : even, kUp, 0);
          high[o] = multiply_add_halves(steps, kToHigh, kHighMagic);
          const std::uint32_t whole = multiply_add_halves(high[o], kOne, kLessMagic);
          const std::uint32_t rest = multiply_add_halves(whole, kFromHigh, kMagic);
          low[o] = multiply_add_halves(steps, kOne, rest);
        }
        out[0][i] = low_bytes(high[0], high[1]);
        out[1][i] = low_bytes(low[0], low[1]);
      }
    }
  }
}

// How queries are split into planes: codes as rows are, floats in two.
template <Format F, bool kArePacked>
struct QueryPlanes {
  static constexpr int kCount = kArePacked ? Operand<F>::kPlanes : 2;
  // What one of a high plane counts.
  static constexpr int kBase = kArePacked ? 1 << kRowShift : 256;
};

}  // namespace minifloat
