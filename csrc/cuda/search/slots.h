#pragma once

// Slices merged slot by slot: the way that merges were made before they went list by list.

#include "cuda/search/written.h"

namespace minifloat::cuda {

inline constexpr int kSlotThreads = 256;
inline constexpr int kSlotBlocks = 8;  // of each multiprocessor

// What may be among the best is gathered until it is sorted, and the rest dropped. One
// block for each query; `gathered` is how many keys it has room for, a power of two.
MINIFLOAT_KERNEL(kSlotThreads, kSlotBlocks)
merge_slots_kernel(Found found, int gathered, Answers answers) {
  auto* const keys = reinterpret_cast<Key*>(shared_memory());
  int* const count = reinterpret_cast<int*>(keys + gathered);
  const std::int64_t query = block_index();
  const Group group{thread_index(), kSlotThreads};
  const Key threshold = found.thresholds[query];
  if (thread_index() == 0) *count = 0;
  sync_threads();
  const auto keep_best = [&] {
    const int there = *count;
    for (int i = there + thread_index(); i < gathered; i += kSlotThreads) keys[i] = 0;
    sort(group, keys, gathered);
    if (thread_index() == 0) *count = there < found.kept ? there : found.kept;
    sync_threads();
  };
  for (std::int64_t first = 0; first < found.slices * found.lists.capacity; first += kSlotThreads) {
    const std::int64_t i = first + thread_index();
    const std::int64_t list = i / found.lists.capacity * found.queries + query;
    const int slot = static_cast<int>(i % found.lists.capacity);
    if (i < found.slices * found.lists.capacity && slot < found.counts[list]) {
      const Key key = found.keys[list * found.lists.capacity + slot];
      if (key >= threshold) keys[atomic_add(count, 1)] = key;
    }
    sync_threads();
    const bool is_full = *count + kSlotThreads > gathered;
    sync_threads();
    if (is_full) keep_best();
  }
  keep_best();
  write_best(found, query, keys, answers);
}

inline void merge_by_slot(const Found& found, std::int64_t queries, const Answers& answers,
                          Stream stream) {
  int gathered = 1;
  while (gathered < found.kept + kSlotThreads) gathered *= 2;
  const int bytes = gathered * static_cast<int>(sizeof(Key)) + static_cast<int>(sizeof(int));
  launch(merge_slots_kernel, Grid{queries, kSlotThreads, bytes}, stream, found, gathered, answers);
}

}  // namespace minifloat::cuda
