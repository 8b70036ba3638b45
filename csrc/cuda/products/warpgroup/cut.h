#pragma once

// The first look at sums of a warpgroup's products: two instructions for each, which let pass what
// may reach its query's threshold. A score is looked at only then.

#include "cuda/device/device.h"
#include "format/lanes.h"

namespace minifloat::cuda {

// Sums are compared with a number of the query times one of the row, rounded so that nothing is
// lost. kIsInteger where sums are integers below 2^23: the product is then a subnormal float32 of
// the smallest step, whose bits are that integer, and larger or negative ones are in order too.
template <bool kIsInteger>
struct Cut {
  // Beyond all sums, and yet no product of it with a row's number is NaN, whose bits have no order.
  static constexpr float kMost = bits_of<float>((127 + 100) << 23);
  static constexpr float kLess = bits_of<float>((127 - 20) << 23);
  static constexpr float kOfQuery = kIsInteger ? bits_of<float>((127 - 49) << 23) : 1.0f;
  static constexpr float kOfRow = kIsInteger ? bits_of<float>((127 - 100) << 23) : 1.0f;

  // By pairs of tiles, and there by lane, so that a lane reads its four at once.
  MINIFLOAT_DEVICE static int place(int query) {
    return (query / 16 * 4 + query % 8 / 2) * 4 + query / 8 % 2 * 2 + query % 2;
  }

  // Of a query whose scores are looked at from `bound` on: never where that is NaN.
  MINIFLOAT_DEVICE static float of(float bound, float factor) {
    // No sum of integers is below -kMost, but a sum of floats may be minus infinity.
    constexpr float kLowest = bits_of<float>(0xff800000);
    if (!kIsInteger && bound == kLowest) return kLowest;
    const float quotient = factor > 0 ? bound / factor : bound <= 0 ? -kMost : kMost;
    const float finite = quotient < -kMost ? -kMost : quotient > kMost ? kMost : quotient;
    return (finite - (finite < 0 ? -finite : finite) * kLess) * kOfQuery;
  }

  // Of a row: NaN has its own place in the order of scores, and is let pass where it may count.
  MINIFLOAT_DEVICE static float of_row(float norm, bool takes_part) {
    if constexpr (kIsInteger) {
      if (!takes_part) return bits_of<float>(0x7fc00000);
      return norm > 0 ? kOfRow / norm : 0.0f;
    }
    return takes_part ? kOfRow / norm : bits_of<float>(0x7f800000);
  }

  template <class Sum>
  MINIFLOAT_DEVICE static bool passes(Sum sum, float of_query, float of_row) {
    if constexpr (kIsInteger) {
      return sum >= bits_of<std::int32_t>(of_query * of_row);
    } else {
      return !(static_cast<float>(sum) < of_query * of_row);
    }
  }
};

}  // namespace minifloat::cuda
