// Before and after a search's products: which rows take part, and the best of all slices.

#include "cuda/codec/runs.h"
#include "cuda/search/search.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 8;  // of each multiprocessor

MINIFLOAT_KERNEL(kThreads, kBlocks)
select_kernel(Selection selection, std::int64_t rows, std::uint8_t* selected) {
  for (std::int64_t row = launch_index(); row < rows; row += launch_size()) {
    // The last range that does not begin after the row.
    std::int64_t first = 0, last = selection.range_count;
    while (first < last) {
      const std::int64_t middle = (first + last) / 2;
      if (selection.ranges[2 * middle] <= row) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    // Before it others may begin where it does, and be empty.
    const bool is_inside = first > 0 && row < selection.ranges[2 * first - 1];
    selected[row] = is_inside && (!selection.mask || selection.mask[row]);
  }
}

// One block for each query: what may be among the best is gathered until it is sorted, and the rest
// dropped.
MINIFLOAT_KERNEL(kThreads, kBlocks)
merge_kernel(Found found, std::int64_t slices, std::int64_t padded, int gathered, std::int64_t k,
             float* scores, std::int64_t* rows) {
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
  for (std::int64_t first = 0; first < slices * found.capacity; first += kThreads) {
    const std::int64_t i = first + thread_index();
    const std::int64_t slice = i / found.capacity * padded + query;
    const int slot = static_cast<int>(i % found.capacity);
    if (i < slices * found.capacity && slot < found.counts[slice]) {
      const Key key = found.keys[slice * found.capacity + slot];
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
    const bool is_number = key != 0 && score != bits_of<float>(0xff800000);
    scores[query * k + i] = is_number ? score : bits_of<float>(0x7fc00000);
    rows[query * k + i] = key == 0 ? -1 : row_of(key);
  }
  if (thread_index() == 0) found.limits[query] = keys[found.kept - 1];
}

}  // namespace

void select(const Selection& selection, std::int64_t rows, std::uint8_t* selected, Stream stream) {
  const Grid grid{blocks_for((rows + kThreads - 1) / kThreads, kBlocks), kThreads, 0};
  launch(select_kernel, grid, stream, selection, rows, selected);
}

void merge(const Found& found, std::int64_t slices, std::int64_t queries, std::int64_t padded,
           std::int64_t k, float* scores, std::int64_t* rows, Stream stream) {
  int gathered = 1;
  while (gathered < found.kept + kThreads) gathered *= 2;
  const int bytes = gathered * static_cast<int>(sizeof(Key)) + static_cast<int>(sizeof(int));
  launch(merge_kernel, Grid{queries, kThreads, bytes}, stream, found, slices, padded, gathered, k,
         scores, rows);
}

}  // namespace minifloat::cuda
