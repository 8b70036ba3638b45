#pragma once

// Launches of as many blocks as a device runs at once, whose threads share out the work in turns.

#include "cuda/device/device.h"

namespace minifloat {

// The number of this thread among all of the launch, and how many there are.
MINIFLOAT_DEVICE std::int64_t launch_index() {
  return block_index() * thread_count() + thread_index();
}
MINIFLOAT_DEVICE std::int64_t launch_size() { return block_count() * thread_count(); }

// The blocks that fill a device, but not more than there are pieces of work.
inline std::int64_t blocks_for(std::int64_t pieces, int blocks_a_multiprocessor) {
  const std::int64_t full = std::int64_t{multiprocessor_count()} * blocks_a_multiprocessor;
  return pieces < full ? pieces : full;
}

// Of such blocks, for the work of so many threads.
inline Grid grid_for(std::int64_t work, int threads, int blocks_a_multiprocessor) {
  return {blocks_for((work + threads - 1) / threads, blocks_a_multiprocessor), threads, 0};
}

}  // namespace minifloat
