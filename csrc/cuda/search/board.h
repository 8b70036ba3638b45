#pragma once

// A keeper of the best: a warpgroup's lists of matches of a slice of rows, one for each of a block
// of queries. What passes a query's threshold is appended to its list. A list that gets crowded is
// sorted and cut, which raises the query's threshold for all blocks.

#include "cuda/products/queries.h"
#include "cuda/products/shares.h"
#include "cuda/search/found.h"

namespace minifloat::cuda {

// Lists of up to so many keys are sorted by one warp each, longer ones by the whole warpgroup.
inline constexpr int kWarpKeys = 512;

// Row blocks after which a warpgroup looks at the thresholds that others have raised.
inline constexpr int kLooks = 8;

// Of a query: its threshold, its limit, its cut, and how many keys its list has.
inline constexpr int kQueryBytes = 2 * sizeof(Key) + sizeof(float) + sizeof(int);

constexpr int board_bytes(int queries, int capacity) {
  const int sorters = capacity <= kWarpKeys ? kWarpgroupWarps : 1;
  return sorters * capacity * static_cast<int>(sizeof(Key)) + queries * kQueryBytes;
}

// FirstLook is how products let those sums or scores pass that may count: by a number of each
// query, its cut, which is
//   static float of(float bound, float factor);
// where the query's scores count from `bound` on, and is looked for at
//   static int place(int query);
template <int kBlockQueries, class FirstLook>
class Board {
 public:
  static constexpr bool kTakesAll = false;

  // The share is this warpgroup's; the mask says which rows take part, and all do where it is null.
  MINIFLOAT_DEVICE Board(std::uint8_t* memory, const Found& found, const Queries& queries,
                         const std::uint8_t* mask, const Share& share)
      : limits_(reinterpret_cast<Key*>(memory)),
        thresholds_(limits_ + kBlockQueries),
        cuts_(reinterpret_cast<float*>(thresholds_ + kBlockQueries)),
        counts_(reinterpret_cast<int*>(cuts_ + kBlockQueries)),
        sorted_(reinterpret_cast<Key*>(counts_ + kBlockQueries)),
        found_(found),
        queries_(queries),
        mask_(mask),
        first_(share.query_block * kBlockQueries),
        first_list_(share.slice * queries.blocks * kBlockQueries + first_),
        end_(share.end) {
    for (int q = thread(); q < kBlockQueries; q += kWarpgroup) {
      counts_[q] = 0;
      limits_[q] = found_.limits[first_ + q];
      const bool is_there = first_ + q < queries.count;
      raise(q, is_there ? found_.thresholds[first_ + q] : kNever);
    }
    sync_warpgroup();
  }

  MINIFLOAT_DEVICE const float* cuts() const { return cuts_; }

  // Whether a row takes part.
  MINIFLOAT_DEVICE bool takes(std::int64_t row) const {
    return row < end_ && !(mask_ && !mask_[row]);
  }

  MINIFLOAT_DEVICE void add(std::int64_t row, std::int64_t query, float score) {
    if (query >= queries_.count || !takes(row)) return;
    const int q = static_cast<int>(query - first_);
    const Key key = key_of(within_one(score), row);
    if (key <= thresholds_[q] || key >= limits_[q]) return;
    keys(q)[atomic_add(&counts_[q], 1)] = key;
  }

  // To be called after each row block, with its number. A row block appends at most one key for
  // each of its rows to a list, for which there must be room before the next one.
  MINIFLOAT_DEVICE void settle(int row_block) {
    sync_warpgroup();
    const int lane = thread() % kWarp, warp = thread() / kWarp;
    // Either each warp has every fourth list, or all lists are everybody's.
    const bool by_warp = found_.capacity <= kWarpKeys;
    const int apart = by_warp ? kWarpgroupWarps : 1;
    const Group group = by_warp ? Group{lane, kWarp} : Group{thread(), kWarpgroup};
    for (int first = by_warp ? warp : 0; first < kBlockQueries; first += apart * kWarp) {
      const int q = first + apart * lane;
      const bool is_mine = by_warp || first / kWarp % kWarpgroupWarps == warp;
      if (row_block % kLooks == 0 && q < kBlockQueries && is_mine) {
        const Key others = load_fresh(&found_.thresholds[first_ + q]);
        if (others > thresholds_[q]) raise(q, others);
      }
      std::uint32_t crowded = ballot(q < kBlockQueries && counts_[q] > found_.crowd);
      for (; crowded != 0; crowded &= crowded - 1) {
        keep_best(group, first + apart * lowest_bit(crowded));
      }
    }
    sync_warpgroup();
  }

  MINIFLOAT_DEVICE void write_counts() const {
    for (int q = thread(); q < kBlockQueries; q += kWarpgroup) {
      found_.counts[first_list_ + q] = counts_[q];
    }
  }

 private:
  // Above every match.
  static constexpr Key kNever = ~Key{0};

  MINIFLOAT_DEVICE static int thread() { return thread_index() % kWarpgroup; }

  MINIFLOAT_DEVICE Key* keys(int query) const {
    return found_.keys + (first_list_ + query) * found_.capacity;
  }

  MINIFLOAT_DEVICE void raise(int query, Key threshold) {
    thresholds_[query] = threshold;
    const float score = score_of(threshold);
    // What is below -1 by rounding counts as -1, and may be of a lower row.
    const float bound = threshold == 0 || score <= -1.0f ? -kInfinity : score;
    cuts_[FirstLook::place(query)] = FirstLook::of(bound, queries_.factors[first_ + query]);
  }

  MINIFLOAT_DEVICE void keep_best(const Group& group, int query) {
    const bool is_warp = group.threads == kWarp;
    Key* const sorted = sorted_ + (is_warp ? thread() / kWarp * found_.capacity : 0);
    const int count = counts_[query];
    int padded = kWarp;
    while (padded < count) padded *= 2;
    for (int i = group.thread; i < padded; i += group.threads) {
      sorted[i] = i < count ? keys(query)[i] : 0;
    }
    sort(group, sorted, padded);
    for (int i = group.thread; i < found_.kept; i += group.threads) keys(query)[i] = sorted[i];
    if (group.thread == 0) {
      counts_[query] = found_.kept;
      const Key last = sorted[found_.kept - 1];
      if (last > thresholds_[query]) {
        raise(query, last);
        atomic_max(&found_.thresholds[first_ + query], last);
      }
    }
    group.sync();
  }

  Key* limits_;
  Key* thresholds_;
  float* cuts_;
  int* counts_;
  Key* sorted_;
  Found found_;
  Queries queries_;
  const std::uint8_t* mask_;
  std::int64_t first_;       // query of the block
  std::int64_t first_list_;  // in Found, which is that query's
  std::int64_t end_;         // of the rows
};

}  // namespace minifloat::cuda
