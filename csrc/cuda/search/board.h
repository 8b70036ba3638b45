#pragma once

// A keeper of the best: a warpgroup's lists of matches of a slice of rows, one for each of a block
// of queries. What passes a query's threshold is appended to its list. A list that gets crowded is
// cut, which raises the query's threshold for all blocks.

#include "cuda/products/queries.h"
#include "cuda/products/shares.h"
#include "cuda/search/found.h"

namespace minifloat::cuda {

// Lists of up to so many keys are sorted by one warp each, longer ones by the whole warpgroup.
inline constexpr int kWarpKeys = 512;

// Of those times that a warpgroup may have lists to cut, it looks at the thresholds that others
// have raised this often.
inline constexpr int kLooks = 8;

// Of a query: its threshold, its limit, its cut, and how many keys its list has.
inline constexpr int kQueryBytes = 2 * sizeof(Key) + sizeof(float) + sizeof(int);

// Beside what queries have, whether a list is crowded, as a multiple of 16.
constexpr int board_bytes(int queries, const Lists& lists) {
  const int sorters = !lists.are_sorted ? 0 : lists.capacity <= kWarpKeys ? kWarpgroupWarps : 1;
  return sorters * lists.capacity * static_cast<int>(sizeof(Key)) + queries * kQueryBytes + 16;
}

// FirstLook is that of the products, which compare sums or scores with a number of the query, its
// cut:
//   static float of(float bound, float factor);  // the cut, where scores count from `bound` on
//   static int place(int query);                 // where products look for it
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
        is_crowded_(counts_ + kBlockQueries),
        sorted_(reinterpret_cast<Key*>(is_crowded_ + 4)),
        found_(found),
        queries_(queries),
        mask_(mask),
        first_(share.query_block * kBlockQueries),
        first_list_(share.slice * queries.blocks * kBlockQueries + first_),
        keys_(found.keys + first_list_ * found.lists.capacity),
        end_(share.end) {
    for (int q = thread(); q < kBlockQueries; q += kWarpgroup) {
      counts_[q] = found_.goes_on ? found_.counts[first_list_ + q] : 0;
      if (found_.is_limited) limits_[q] = found_.limits[first_ + q];
      const bool is_there = first_ + q < queries.count;
      raise(q, is_there ? found_.thresholds[first_ + q] : kNever);
    }
    if (thread() == 0) *is_crowded_ = 0;
    sync_warpgroup();
  }

  MINIFLOAT_DEVICE const float* cuts() const { return cuts_; }

  // Whether a row takes part.
  MINIFLOAT_DEVICE bool takes(std::int64_t row) const {
    return row < end_ && !(mask_ && !mask_[row]);
  }

  MINIFLOAT_DEVICE void add(std::int64_t row, std::int64_t query, float score) {
    if (!takes(row)) return;
    const int q = static_cast<int>(query - first_);
    const Key key = key_of(within_one(score), row);
    // Of a query past the last none passes.
    if (key <= thresholds_[q] || (found_.is_limited && key >= limits_[q])) return;
    const int place = atomic_add(&counts_[q], 1);
    keys_[static_cast<std::uint32_t>(q * found_.lists.capacity + place)] = key;
    if (place >= found_.lists.crowd) *is_crowded_ = 1;
  }

  // To be called after each row block, with its number. A row block appends at most one key for
  // each of its rows to a list, for which there must be room until lists are looked at again.
  MINIFLOAT_DEVICE void settle(int row_block) {
    const Lists& lists = found_.lists;
    const int next = row_block + 1;
    if (next & (lists.period - 1)) return;
    const bool looks = (next & (kLooks * lists.period - 1)) == 0;
    // From here on nobody appends, or looks at a cut.
    if (!any_of_warpgroup(looks || lists.are_sorted || *is_crowded_ != 0)) return;
    const int lane = thread() % kWarp, warp = thread() / kWarp;
    // Either each warp has every fourth list, or all lists are everybody's.
    const bool by_warp = !lists.are_sorted || lists.capacity <= kWarpKeys;
    const int apart = by_warp ? kWarpgroupWarps : 1;
    for (int first = by_warp ? warp : 0; first < kBlockQueries; first += apart * kWarp) {
      const int q = first + apart * lane;
      const bool is_mine = by_warp || first / kWarp % kWarpgroupWarps == warp;
      if (looks && q < kBlockQueries && is_mine) {
        const Key others = load_fresh(&found_.thresholds[first_ + q]);
        if (others > thresholds_[q]) raise(q, others);
      }
      std::uint32_t crowded = ballot(q < kBlockQueries && counts_[q] > lists.crowd);
      for (; crowded != 0; crowded &= crowded - 1) {
        const int query = first + apart * lowest_bit(crowded);
        if (lists.are_sorted) {
          sort_list(by_warp ? Group{lane, kWarp} : Group{thread(), kWarpgroup}, query);
        } else {
          halve_list(query);
        }
      }
    }
    if (thread() == 0) *is_crowded_ = 0;
    sync_warpgroup();
  }

  // To be called at the end.
  MINIFLOAT_DEVICE void write_counts() {
    sync_warpgroup();
    // Lists of few queries are many: what is left in each is what a merge has to read.
    if (kBlockQueries == kTileQueries && !found_.lists.are_sorted) {
      for (int q = thread() / kWarp; q < kBlockQueries; q += kWarpgroupWarps) {
        const Key others = load_fresh(&found_.thresholds[first_ + q]);
        if (thread() % kWarp == 0 && others > thresholds_[q]) raise(q, others);
        sync_warp();
        if (counts_[q] > found_.lists.left) halve_list(q);
      }
      sync_warpgroup();
    }
    for (int q = thread(); q < kBlockQueries; q += kWarpgroup) {
      found_.counts[first_list_ + q] = counts_[q];
    }
  }

 private:
  // Above every match.
  static constexpr Key kNever = ~Key{0};

  MINIFLOAT_DEVICE static int thread() { return thread_index() % kWarpgroup; }

  MINIFLOAT_DEVICE Key* keys(int query) const { return keys_ + query * found_.lists.capacity; }

  MINIFLOAT_DEVICE void raise(int query, Key threshold) {
    thresholds_[query] = threshold;
    const float score = score_of(threshold);
    // What is below -1 by rounding counts as -1, and may be of a lower row.
    const float bound = threshold == 0 || score <= -1.0f ? -kInfinity : score;
    cuts_[FirstLook::place(query)] = FirstLook::of(bound, queries_.factors[first_ + query]);
  }

  // Raises the threshold that a list was cut at, for all blocks. One thread does.
  MINIFLOAT_DEVICE void cut(int query, int count, Key threshold) {
    counts_[query] = count;
    if (threshold <= thresholds_[query]) return;
    raise(query, threshold);
    atomic_max(&found_.thresholds[first_ + query], threshold);
  }

  // Drops keys of a list until few more are left than are kept, as a warp.
  MINIFLOAT_DEVICE void halve_list(int query) {
    const int lane = thread() % kWarp, count = counts_[query];
    Key* const list = keys(query);
    const auto reaching = [&](Key key) {
      int some = 0;
#pragma unroll 4
      for (int i = lane; i < count; i += kWarp) some += list[i] >= key;
      return sum_of_lanes(some);
    };
    // A list may have been long before its threshold was raised.
    Key threshold = thresholds_[query];
    const int there = reaching(threshold);
    if (there > found_.lists.left) {
      threshold = cut_of(threshold, found_.kept, found_.lists.left, reaching);
    }
    int left = 0;
    for (int first = 0; first < count; first += kWarp) {
      const Key key = first + lane < count ? list[first + lane] : 0;
      const bool stays = key != 0 && key >= threshold;
      const std::uint32_t staying = ballot(stays);
      // What is written over has been read.
      if (stays) list[left + count_bits(staying & ((1u << lane) - 1))] = key;
      left += count_bits(staying);
    }
    if (lane == 0) cut(query, left, threshold);
    sync_warp();
  }

  // The same by sorting, down to as many as are kept.
  MINIFLOAT_DEVICE void sort_list(const Group& group, int query) {
    const bool is_warp = group.threads == kWarp;
    Key* const sorted = sorted_ + (is_warp ? thread() / kWarp * found_.lists.capacity : 0);
    const int count = counts_[query];
    int padded = kWarp;
    while (padded < count) padded *= 2;
    for (int i = group.thread; i < padded; i += group.threads) {
      sorted[i] = i < count ? keys(query)[i] : 0;
    }
    sort(group, sorted, padded);
    for (int i = group.thread; i < found_.kept; i += group.threads) keys(query)[i] = sorted[i];
    if (group.thread == 0) cut(query, found_.kept, sorted[found_.kept - 1]);
    group.sync();
  }

  Key* limits_;
  Key* thresholds_;
  float* cuts_;
  int* counts_;
  int* is_crowded_;
  Key* sorted_;
  Found found_;
  Queries queries_;
  const std::uint8_t* mask_;
  std::int64_t first_;       // query of the block
  std::int64_t first_list_;  // in Found, which is that query's
  Key* keys_;                // of that list
  std::int64_t end_;         // of the rows
};

}  // namespace minifloat::cuda
