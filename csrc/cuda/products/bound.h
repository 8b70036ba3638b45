#pragma once

// The first look at scores themselves, by the bound that each query has.

#include "cuda/device/device.h"

namespace minifloat::cuda {

struct Bound {
  MINIFLOAT_DEVICE static int place(int query) { return query; }
  MINIFLOAT_DEVICE static float of(float bound, float) {
    return bound == bound ? bound : kInfinity;
  }
  // NaN is above every bound, and then below every number's key.
  MINIFLOAT_DEVICE static bool passes(float score, float bound) { return !(score < bound); }
};

}  // namespace minifloat::cuda
