#pragma once

// Threads that do something together.

#include "cuda/device/device.h"

namespace minifloat {

// A warp, a warpgroup or a whole block that is larger.
struct Group {
  int thread;
  int threads;

  MINIFLOAT_DEVICE void sync() const {
    if (threads == kWarp) {
      sync_warp();
    } else if (threads == kWarpgroup) {
      sync_warpgroup();
    } else {
      sync_threads();
    }
  }
};

// The sum of a value of all lanes of a warp, in all of them.
template <class T>
MINIFLOAT_DEVICE T sum_of_warp(T x) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) x += exchange(x, mask);
  return x;
}

}  // namespace minifloat
