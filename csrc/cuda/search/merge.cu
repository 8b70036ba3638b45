// The best of all slices.

#include <algorithm>
#include <bit>

#include "cuda/search/best.h"
#include "cuda/ways.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 8;  // of each multiprocessor

// Threads of a block where each query has a multiprocessor for itself.
constexpr int kMostThreads = 1024;

// Writes the best of a query, which are sorted, and readies the next round.
MINIFLOAT_DEVICE void write_best(const Found& found, std::int64_t query, const Key* keys,
                                 const Answers& answers) {
  for (int i = thread_index(); i < found.kept; i += thread_count()) {
    const Key key = keys[i];
    const float score = score_of(key);
    const bool is_number = key != 0 && score != -kInfinity;
    answers.scores[query * answers.k + i] = is_number ? score : kNan;
    answers.rows[query * answers.k + i] = key == 0 ? -1 : row_of(key);
  }
  if (thread_index() == 0) found.limits[query] = keys[found.kept - 1];
}

// A sum over the threads of a block, which take one barrier for each.
class BlockSum {
 public:
  static constexpr int kSlots = 3;

  // The slots are in shared memory, and 0.
  MINIFLOAT_DEVICE explicit BlockSum(int* slots) : slots_(slots) {}

  MINIFLOAT_DEVICE int operator()(int mine) {
    const int of_warp = sum_of_lanes(mine);
    if (thread_index() % kWarp == 0) atomic_add(&slots_[turn_], of_warp);
    sync_threads();
    const int all = slots_[turn_];
    turn_ = turn_ + 1 == kSlots ? 0 : turn_ + 1;
    // Of the slot after the next one, all have read the sum, and nobody adds to it before the next
    // barrier.
    if (thread_index() == 0) slots_[turn_ + 1 == kSlots ? 0 : turn_ + 1] = 0;
    return all;
  }

 private:
  int* slots_;
  int turn_ = 0;
};

// Calls use(key) for each key of a query's lists, which have so many, and for some that are 0. A
// warp has several lists at once, so that its loads do not wait for one another.
template <class Use>
MINIFLOAT_DEVICE void for_each_key(const Found& found, std::int64_t query, const int* counts,
                                   Use use) {
  constexpr int kLists = 4, kEach = 2;
  const int lane = thread_index() % kWarp, warps = thread_count() / kWarp;
  const std::int64_t apart = found.queries * found.capacity;
  const Key* const keys = found.keys + query * found.capacity;
  for (int first = thread_index() / kWarp; first < found.slices; first += kLists * warps) {
    Key some[kLists][kEach];
#pragma unroll
    for (int l = 0; l < kLists; ++l) {
      const int list = first + l * warps, count = list < found.slices ? counts[list] : 0;
#pragma unroll
      for (int e = 0; e < kEach; ++e) {
        const int slot = e * kWarp + lane;
        some[l][e] = slot < count ? keys[list * apart + slot] : 0;
      }
    }
#pragma unroll
    for (int i = 0; i < kLists * kEach; ++i) use(some[i / kEach][i % kEach]);
    for (int list = first; list < found.slices && list < first + kLists * warps; list += warps) {
#pragma unroll 4
      for (int slot = kEach * kWarp + lane; slot < counts[list]; slot += kWarp) {
        use(keys[list * apart + slot]);
      }
    }
  }
}

// One block for each query. From its lists go into shared memory, which has `room` for so many,
// those keys that may be among the best; of these no more than `sorted` are then sorted, a power of
// two.
MINIFLOAT_KERNEL(kMostThreads, 1)
merge_lists_kernel(Found found, int room, int sorted, Answers answers) {
  const std::int64_t query = block_index();
  auto* const best = reinterpret_cast<Key*>(shared_memory());
  Key* const keys = best + sorted;
  int* const slots = reinterpret_cast<int*>(keys + room);
  int* const gathered = slots + BlockSum::kSlots;
  int* const chosen = gathered + 1;
  int* const counts = chosen + 1;
  const int thread = thread_index(), threads = thread_count();
  int mine = 0;
  for (int list = thread; list < found.slices; list += threads) {
    counts[list] = found.counts[list * found.queries + query];
    mine += counts[list];
  }
  // 0 is no key.
  Key low = std::max<Key>(1, found.thresholds[query]);
  for (int i = thread; i < sorted; i += threads) best[i] = 0;
  if (slots + thread < counts) slots[thread] = 0;
  sync_threads();

  BlockSum sum(slots);
  const auto reaching = [&](Key key) {
    int some = 0;
    for_each_key(found, query, counts, [&](Key x) { some += x >= key; });
    return sum(some);
  };
  if (sum(mine) > room && reaching(low) > room) low = cut_of(low, found.kept, room, reaching);
  for_each_key(found, query, counts, [&](Key x) {
    if (x >= low) keys[atomic_add(gathered, 1)] = x;
  });
  sync_threads();
  const int count = *gathered;
  if (count > sorted) {
    low = cut_of(low, found.kept, sorted, [&](Key key) {
      int some = 0;
      for (int i = thread; i < count; i += threads) some += keys[i] >= key;
      return sum(some);
    });
  }
  for (int i = thread; i < count; i += threads) {
    if (keys[i] >= low) best[atomic_add(chosen, 1)] = keys[i];
  }
  sync_threads();
  // Few keys are sorted by few threads, which wait for one another more cheaply.
  const int sorters = sorted <= 2 * kWarp ? kWarp : sorted <= 2 * kWarpgroup ? kWarpgroup : threads;
  if (thread < sorters) sort(Group{thread, sorters}, best, sorted);
  sync_threads();
  write_best(found, query, best, answers);
}

void merge_by_list(const Found& found, std::int64_t queries, const Answers& answers,
                   Stream stream) {
  const int sorted = std::bit_ceil(static_cast<unsigned>(std::max(kWarp, found.kept)));
  const int room = std::max(4096, 8 * sorted);
  const int threads = queries <= multiprocessor_count() ? kMostThreads : kThreads;
  const auto counts = static_cast<int>(BlockSum::kSlots + 2 + found.slices);
  const int bytes =
      (sorted + room) * static_cast<int>(sizeof(Key)) + counts * static_cast<int>(sizeof(int));
  launch(merge_lists_kernel, Grid{queries, threads, bytes}, stream, found, room, sorted, answers);
}

// The old way: what may be among the best is gathered until it is sorted, and the rest dropped. One
// block for each query; `gathered` is how many keys it has room for, a power of two.
MINIFLOAT_KERNEL(kThreads, kBlocks)
merge_slots_kernel(Found found, int gathered, Answers answers) {
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
  write_best(found, query, keys, answers);
}

void merge_by_slot(const Found& found, std::int64_t queries, const Answers& answers,
                   Stream stream) {
  int gathered = 1;
  while (gathered < found.kept + kThreads) gathered *= 2;
  const int bytes = gathered * static_cast<int>(sizeof(Key)) + static_cast<int>(sizeof(int));
  launch(merge_slots_kernel, Grid{queries, kThreads, bytes}, stream, found, gathered, answers);
}

}  // namespace

void merge(const Found& found, std::int64_t queries, const Answers& answers, Stream stream) {
  (ways().merges_by_list ? merge_by_list : merge_by_slot)(found, queries, answers, stream);
}

}  // namespace minifloat::cuda
