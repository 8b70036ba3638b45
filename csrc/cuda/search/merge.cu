// The best of all slices: what may be among them is gathered until it is sorted, and the rest
// dropped.

#include "cuda/search/best.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 8;  // of each multiprocessor

// One block for each query; `gathered` is how many keys it has room for, a power of two.
MINIFLOAT_KERNEL(kThreads, kBlocks)
merge_kernel(Found found, int gathered, Answers answers) {
  auto* const keys = reinterpret_cast<Key*>(shared_memory());
  int* const count = reinterpret_cast<int*>(keys + gathered);
  const std::int64_t query = block_index();
  const Group group{thread_index(), kThreads};
  const Key threshold = found.thresholds[query];
  if (thread_index() == 0) *count = 0;
  sync_threads();
  const auto keep_best = [&] {
    const int there = *count;
    for (int i = there + thread_index(); i < gathered; i += kThreads) keys[i] = 0;
    sort(group, keys, gathered);
    if (thread_index() == 0) *count = there < found.kept ? there : found.kept;
    sync_threads();
  };
  for (std::int64_t first = 0; first < found.slices * found.capacity; first += kThreads) {
    const std::int64_t i = first + thread_index();
    const std::int64_t list = i / found.capacity * found.queries + query;
    const int slot = static_cast<int>(i % found.capacity);
    if (i < found.slices * found.capacity && slot < found.counts[list]) {
      const Key key = found.keys[list * found.capacity + slot];
      if (key >= threshold) keys[atomic_add(count, 1)] = key;
    }
    sync_threads();
    const bool is_full = *count + kThreads > gathered;
    sync_threads();
    if (is_full) keep_best();
  }
  keep_best();
  for (int i = thread_index(); i < found.kept; i += kThreads) {
    const Key key = keys[i];
    const float score = score_of(key);
    const bool is_number = key != 0 && score != -kInfinity;
    answers.scores[query * answers.k + i] = is_number ? score : kNan;
    answers.rows[query * answers.k + i] = key == 0 ? -1 : row_of(key);
  }
  if (thread_index() == 0) found.limits[query] = keys[found.kept - 1];
}

}  // namespace

void merge(const Found& found, std::int64_t queries, const Answers& answers, Stream stream) {
  int gathered = 1;
  while (gathered < found.kept + kThreads) gathered *= 2;
  const int bytes = gathered * static_cast<int>(sizeof(Key)) + static_cast<int>(sizeof(int));
  launch(merge_kernel, Grid{queries, kThreads, bytes}, stream, found, gathered, answers);
}

}  // namespace minifloat::cuda
