#pragma once

// The narrowest type that holds every value of a format exactly, in which its dot products run.

#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>

#include "format/codec.h"

namespace minifloat {

enum class Lane : std::uint8_t { kInt8, kInt16, kFloat };

constexpr std::string_view name_of(Lane lane) {
  constexpr std::string_view kNames[] = {"int8", "int16", "float"};
  return kNames[static_cast<int>(lane)];
}

// log2 of how many smallest steps make 1: value << fraction_bits is an integer.
MINIFLOAT_INLINE int fraction_bits(Format f) { return f.bias() - 1 + f.mantissa_bits; }

// The largest of those integers.
MINIFLOAT_INLINE std::int64_t max_fixed(Format f) {
  const unsigned exponent = f.max_code() >> f.mantissa_bits;
  const unsigned mantissa = f.max_code() & ((1u << f.mantissa_bits) - 1);
  return static_cast<std::int64_t>((1u << f.mantissa_bits) | mantissa) << (exponent - 1);
}

MINIFLOAT_INLINE Lane lane(Format f) {
  return max_fixed(f) <= std::numeric_limits<std::int8_t>::max()    ? Lane::kInt8
         : max_fixed(f) <= std::numeric_limits<std::int16_t>::max() ? Lane::kInt16
                                                                    : Lane::kFloat;
}

// What a row of codes, or a float query, is turned into before it is multiplied.
template <Format F>
using Element = std::conditional_t<lane(F) == Lane::kFloat, float, std::int16_t>;

// The value of 1 in an element.
MINIFLOAT_INLINE float element_unit(Format f) {
  return lane(f) == Lane::kFloat ? 1.0f : 1.0f / static_cast<float>(1 << fraction_bits(f));
}

// A float query in an integer lane has magnitudes up to this: two int8 halves hold it.
inline constexpr std::int64_t kQueryMax = 127 << 8;

// A multiple of the codes that any instruction set takes from a row in one step.
MINIFLOAT_INLINE std::int64_t chunk_unit(Format f) { return f.bits() == 4 ? 128 : 64; }

// What a float query's largest element becomes: less than kQueryMax where all products with a row
// then add up in an int32, but never less than 11 bits.
MINIFLOAT_INLINE std::int64_t query_max(Format f, std::int64_t dim) {
  const std::int64_t exact = std::numeric_limits<std::int32_t>::max() / (max_fixed(f) * dim) - 128;
  return exact < 1024 ? 1024 : exact > kQueryMax ? kQueryMax : exact;
}

// A cosine: roundings may leave a score beyond -1 or 1. NaN stays.
MINIFLOAT_INLINE float within_one(float score) {
  return score > 1.0f ? 1.0f : score < -1.0f ? -1.0f : score;
}

// One code in its lane. Codes that are not finite become anything: their row's norm is NaN.
template <Format F>
MINIFLOAT_INLINE Element<F> to_element(std::uint8_t code) {
  const float value = decode<F>(code);
  if constexpr (lane(F) == Lane::kFloat) {
    return value;
  } else {
    const bool finite = (code & (F.sign_bit() - 1)) <= F.max_code();
    const float number = finite ? value : 0.0f;
    return static_cast<std::int16_t>(
        static_cast<std::int32_t>(number * static_cast<float>(1 << fraction_bits(F))));
  }
}

constexpr bool every_format(bool (*holds)(Format)) {
  for (const NamedFormat& one : kFormats) {
    if (!holds(one.format)) return false;
  }
  return true;
}

// What the kernels of all backends take, so that the compiler refuses any other format.
static_assert(every_format([](Format f) {
                return f.bits() == 4 || f.bits() == 6 || f.bits() == 8;
              }),
              "rows are packed and unpacked for codes of 4, 6 or 8 bits");
static_assert(every_format([](Format f) { return f.mantissa_bits >= 1; }),
              "ties go to even by the lowest bit of the mantissa, so that there must be one");
static_assert(every_format([](Format f) {
                return f.exponent_bits > 1 || f.specials != Specials::kIeee;
              }),
              "infinity and NaN would take the only exponent of normal numbers");
static_assert(every_format([](Format f) {
                return f.exponent_bits < 5 ||
                       (f.exponent_bits == 5 && f.specials == Specials::kIeee);
              }),
              "matrix units multiply values as float16, which has no larger ones");
static_assert(every_format([](Format f) { return lane(f) != Lane::kFloat || f.bits() == 8; }),
              "lanes of floats are made of codes of 8 bits");
static_assert(every_format([](Format f) { return lane(f) != Lane::kInt8 || max_fixed(f) < 64; }),
              "products of 2^18 bytes of a row and of a query, up to 128, must fit into an int32");
static_assert(every_format([](Format f) {
                return lane(f) == Lane::kFloat ||
                       max_fixed(f) * (kQueryMax + 128) * chunk_unit(f) <=
                           std::numeric_limits<std::int32_t>::max();
              }),
              "a step's products with a float query must add up in an int32");

}  // namespace minifloat
