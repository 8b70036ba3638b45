// The best of all slices.

#include <algorithm>
#include <bit>

#include "cuda/search/slots.h"
#include "cuda/search/written.h"
#include "cuda/ways.h"

namespace minifloat::cuda {
namespace {

// Threads of a block where each query has a multiprocessor for itself, and where many share one.
constexpr int kMostThreads = 1024, kFewThreads = 128;

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
  const std::int64_t apart = found.queries * found.lists.capacity;
  const Key* const keys = found.keys + query * found.lists.capacity;
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

// What a block of threads shares to merge a query's lists.
struct Merging {
  Key* best;  // (sorted,)
  Key* keys;  // (room,)
  int* slots;
  int* gathered;
  int* chosen;
  int* counts;  // (slices,)

  MINIFLOAT_DEVICE Merging(std::uint8_t* memory, int room, int sorted)
      : best(reinterpret_cast<Key*>(memory)),
        keys(best + sorted),
        slots(reinterpret_cast<int*>(keys + room)),
        gathered(slots + BlockSum::kSlots),
        chosen(gathered + 1),
        counts(chosen + 1) {}

  static int bytes(int room, int sorted, std::int64_t slices) {
    return (room + sorted) * static_cast<int>(sizeof(Key)) +
           static_cast<int>(BlockSum::kSlots + 2 + slices) * static_cast<int>(sizeof(int));
  }
};

// A key that at least `kept` of some keys reach, or `low` where fewer do, and not many more.
MINIFLOAT_DEVICE Key raised(Key low, int kept, int most, const Key* keys, int count,
                            BlockSum& sum) {
  const auto reaching = [&](Key key) {
    int some = 0;
    for (int i = thread_index(); i < count; i += thread_count()) some += keys[i] >= key;
    return sum(some);
  };
  return reaching(low) > most ? cut_of(low, kept, most, reaching) : low;
}

// Raises `low` by the first keys of each list, as many as there is room for.
MINIFLOAT_DEVICE Key raised_by_some(Key low, const Found& found, std::int64_t query, int room,
                                    const Merging& merging, BlockSum& sum) {
  const int slices = static_cast<int>(found.slices), each = std::max(1, room / slices);
  const int some = std::min(room, each * slices);
  for (int i = thread_index(); i < some; i += thread_count()) {
    const int list = i / each, slot = i % each;
    merging.keys[i] = slot < merging.counts[list]
                          ? found.keys[(list * found.queries + query) * found.lists.capacity + slot]
                          : 0;
  }
  sync_threads();
  return raised(low, found.kept, found.kept + found.kept / 4, merging.keys, some, sum);
}

// One block for each query. From its lists go into shared memory, which has `room` for so many,
// those keys that may be among the best; of these no more than `sorted` are then sorted, a power of
// two.
MINIFLOAT_KERNEL(kMostThreads, 1)
merge_lists_kernel(Found found, int room, int sorted, Answers answers) {
  const std::int64_t query = block_index();
  const Merging merging(shared_memory(), room, sorted);
  const int thread = thread_index(), threads = thread_count();
  int mine = 0;
  for (int list = thread; list < found.slices; list += threads) {
    merging.counts[list] = found.counts[list * found.queries + query];
    mine += merging.counts[list];
  }
  // 0 is no key.
  Key low = std::max<Key>(1, found.thresholds[query]);
  for (int i = thread; i < sorted; i += threads) merging.best[i] = 0;
  if (merging.slots + thread < merging.counts) merging.slots[thread] = 0;
  sync_threads();

  BlockSum sum(merging.slots);
  if (sum(mine) > room) low = raised_by_some(low, found, query, room, merging, sum);
  const auto gathered = [&] {
    for_each_key(found, query, merging.counts, [&](Key x) {
      if (x < low) return;
      const int place = atomic_add(merging.gathered, 1);
      if (place < room) merging.keys[place] = x;
    });
    sync_threads();
    return *merging.gathered;
  };
  int count = gathered();
  if (count > room) {
    low = cut_of(low, found.kept, room, [&](Key key) {
      int some = 0;
      for_each_key(found, query, merging.counts, [&](Key x) { some += x >= key; });
      return sum(some);
    });
    if (thread == 0) *merging.gathered = 0;
    sync_threads();
    count = gathered();
  }
  low = raised(low, found.kept, sorted, merging.keys, count, sum);
  for (int i = thread; i < count; i += threads) {
    if (merging.keys[i] >= low) merging.best[atomic_add(merging.chosen, 1)] = merging.keys[i];
  }
  sync_threads();
  // Few keys are sorted by few threads, which wait for one another more cheaply.
  const int sorters = sorted <= 2 * kWarp ? kWarp : sorted <= 2 * kWarpgroup ? kWarpgroup : threads;
  if (thread < sorters) sort(Group{thread, sorters}, merging.best, sorted);
  sync_threads();
  write_best(found, query, merging.best, answers);
}

void merge_by_list(const Found& found, std::int64_t queries, const Answers& answers,
                   Stream stream) {
  const bool are_few = queries <= multiprocessor_count();
  const int sorted = std::bit_ceil(static_cast<unsigned>(std::max(kWarp, found.kept)));
  const int room = std::max(are_few ? 4096 : 2048, 8 * sorted);
  const Grid grid{queries, are_few ? kMostThreads : kFewThreads,
                  Merging::bytes(room, sorted, found.slices)};
  launch(merge_lists_kernel, grid, stream, found, room, sorted, answers);
}

}  // namespace

void merge(const Found& found, std::int64_t queries, const Answers& answers, Stream stream) {
  (ways().merges_by_list ? merge_by_list : merge_by_slot)(found, queries, answers, stream);
}

void raise_thresholds(const Found& found, std::int64_t queries, Stream stream) {
  merge(found, queries, {}, stream);
}

}  // namespace minifloat::cuda
