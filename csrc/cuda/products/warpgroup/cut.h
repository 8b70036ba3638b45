#pragma once

// The first look at sums of a warpgroup's products: two instructions for each, which let those pass
// whose scores may reach their query's threshold. Only of these scores are made.

#include "cuda/device/device.h"

namespace minifloat::cuda {

// A sum passes that is not below a number of its query times one of its row, which are rounded so
// that none is lost. Where sums are integers below 2^23, kIsInteger, these numbers are made so
// small that their product is a subnormal float32, whose bits are the integer to compare with; the
// bits of larger products are above all sums, and those of negative ones below.
template <bool kIsInteger>
struct Cut {
  // Beyond all sums, and yet no product of it with a row's number is NaN, whose bits have no order.
  static constexpr float kMost = power_of_two(100);
  static constexpr float kLess = power_of_two(-20);
  static constexpr float kOfQuery = kIsInteger ? power_of_two(-49) : 1.0f;
  static constexpr float kOfRow = kIsInteger ? power_of_two(-100) : 1.0f;

  // Where a query's number is: by pairs of tiles, and there by lane, which reads its four at once.
  MINIFLOAT_DEVICE static int place(int query) {
    return (query / 16 * 4 + query % 8 / 2) * 4 + query / 8 % 2 * 2 + query % 2;
  }

  // The number of a query whose scores count from `bound` on: none do where that is NaN.
  MINIFLOAT_DEVICE static float of(float bound, float factor) {
    // No sum of integers is below -kMost, but a sum of floats may be minus infinity.
    if (!kIsInteger && bound == -kInfinity) return -kInfinity;
    const float quotient = factor > 0 ? bound / factor : bound <= 0 ? -kMost : kMost;
    const float finite = quotient < -kMost ? -kMost : quotient > kMost ? kMost : quotient;
    return (finite - (finite < 0 ? -finite : finite) * kLess) * kOfQuery;
  }

  // The number of a row. NaN, which has its own place in the order of scores, passes where it may
  // count.
  MINIFLOAT_DEVICE static float of_row(float norm, bool takes_part) {
    if constexpr (kIsInteger) {
      if (!takes_part) return kNan;
      return norm > 0 ? kOfRow / norm : 0.0f;
    }
    return takes_part ? kOfRow / norm : kInfinity;
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
