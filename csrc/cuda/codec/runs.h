#pragma once

// Runs of bytes, in global or in shared memory, that a block's threads move 16 bytes at a time.

#include <cstdint>

#include "cuda/device/device.h"

namespace minifloat {

MINIFLOAT_HD inline bool is_aligned(const void* at) {
  return reinterpret_cast<std::uintptr_t>(at) % sizeof(Words4) == 0;
}

// The number of this thread among all of the launch, and how many there are.
MINIFLOAT_DEVICE std::int64_t launch_index() {
  return block_index() * thread_count() + thread_index();
}
MINIFLOAT_DEVICE std::int64_t launch_size() { return block_count() * thread_count(); }

// Copies by all threads of a block; others see them after the next sync_threads.
MINIFLOAT_DEVICE void copy_bytes(std::uint8_t* to, const std::uint8_t* from, std::int64_t count) {
  const std::int64_t vectors =
      is_aligned(to) && is_aligned(from) ? count / static_cast<int>(sizeof(Words4)) : 0;
  for (std::int64_t i = thread_index(); i < vectors; i += thread_count()) {
    reinterpret_cast<Words4*>(to)[i] = reinterpret_cast<const Words4*>(from)[i];
  }
  const std::int64_t moved = vectors * static_cast<int>(sizeof(Words4));
  for (std::int64_t i = moved + thread_index(); i < count; i += thread_count()) to[i] = from[i];
}

// The blocks that fill a device, but not more than there are pieces of work.
inline std::int64_t blocks_for(std::int64_t pieces, int blocks_a_multiprocessor) {
  const std::int64_t full = std::int64_t{multiprocessor_count()} * blocks_a_multiprocessor;
  return pieces < full ? pieces : full;
}

}  // namespace minifloat
