#pragma once

// The matches that a warpgroup gathers of a slice of rows, for a block of queries: what passes a
// query's threshold is appended, and sorted when there are so many, which raises the threshold of
// all blocks.

#include "cuda/search/search.h"

namespace minifloat::cuda {

// Up to so many keys are sorted by a warp, with others beside it, and more by the whole group.
inline constexpr int kWarpKeys = 512;

// Row blocks after which a warpgroup looks at the thresholds that others have raised.
inline constexpr int kLooks = 8;

// A query's threshold, limit, cut, and how many matches it has.
inline constexpr int kQueryBytes = 2 * sizeof(Key) + sizeof(float) + sizeof(int);

constexpr int board_bytes(int queries, int capacity) {
  const int groups = capacity <= kWarpKeys ? kWarpgroup / kWarp : 1;
  return groups * capacity * static_cast<int>(sizeof(Key)) + queries * kQueryBytes;
}

// Cut is what a score's sum is compared with before all else, at a place of its own:
//   static int place(int query);
//   static float of(float bound, float factor);
template <int kQueryCount, class Cut>
class Board {
 public:
  static constexpr bool kTakesAll = false;

  // `slice` and `query_block` say which matches are this warpgroup's.
  MINIFLOAT_DEVICE Board(std::uint8_t* memory, const Found& found, const Queries& queries,
                         const std::uint8_t* selected, std::int64_t slice, std::int64_t query_block,
                         std::int64_t end)
      : limits_(reinterpret_cast<Key*>(memory)),
        thresholds_(limits_ + kQueryCount),
        cuts_(reinterpret_cast<float*>(thresholds_ + kQueryCount)),
        counts_(reinterpret_cast<int*>(cuts_ + kQueryCount)),
        sorted_(reinterpret_cast<Key*>(counts_ + kQueryCount)),
        found_(found),
        queries_(queries),
        selected_(selected),
        first_(query_block * kQueryCount),
        mine_(slice * queries.blocks * kQueryCount + first_),
        end_(end) {
    for (int q = thread(); q < kQueryCount; q += kWarpgroup) {
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
    return row < end_ && !(selected_ && !selected_[row]);
  }

  MINIFLOAT_DEVICE void add(std::int64_t row, std::int64_t query, float score) {
    if (query >= queries_.count || !takes(row)) return;
    const int q = static_cast<int>(query - first_);
    const Key key = key_of(within_one(score), row);
    if (key <= thresholds_[q] || key >= limits_[q]) return;
    keys(q)[atomic_add(&counts_[q], 1)] = key;
  }

  // After each row block, by its number; it adds at most one match for each of its rows.
  MINIFLOAT_DEVICE void settle(int row_block) {
    sync_warpgroup();
    const bool alone = found_.capacity <= kWarpKeys;
    const int lane = thread() % kWarp, warp = thread() / kWarp;
    const int apart = alone ? kWarpgroup / kWarp : 1;
    const Group group = alone ? Group{lane, kWarp} : Group{thread(), kWarpgroup};
    for (int first = alone ? warp : 0; first < kQueryCount; first += apart * kWarp) {
      const int q = first + apart * lane;
      const bool is_mine = alone || first / kWarp % (kWarpgroup / kWarp) == warp;
      if (row_block % kLooks == 0 && q < kQueryCount && is_mine) {
        const Key others = load_fresh(&found_.thresholds[first_ + q]);
        if (others > thresholds_[q]) raise(q, others);
      }
      std::uint32_t crowded = ballot(q < kQueryCount && counts_[q] > found_.crowd);
      for (; crowded != 0; crowded &= crowded - 1) {
        keep_best(group, first + apart * lowest_bit(crowded));
      }
    }
    sync_warpgroup();
  }

  MINIFLOAT_DEVICE void write_counts() const {
    for (int q = thread(); q < kQueryCount; q += kWarpgroup) found_.counts[mine_ + q] = counts_[q];
  }

 private:
  // Above every match.
  static constexpr Key kNever = ~Key{0};

  MINIFLOAT_DEVICE static int thread() { return thread_index() % kWarpgroup; }

  MINIFLOAT_DEVICE Key* keys(int query) const {
    return found_.keys + (mine_ + query) * found_.capacity;
  }

  MINIFLOAT_DEVICE void raise(int query, Key threshold) {
    thresholds_[query] = threshold;
    const float score = score_of(threshold);
    // What is below -1 by rounding counts as -1, and may be of a lower row.
    const float bound = threshold == 0 || score <= -1.0f ? bits_of<float>(0xff800000) : score;
    cuts_[Cut::place(query)] = Cut::of(bound, queries_.factors[first_ + query]);
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
  const std::uint8_t* selected_;
  std::int64_t first_;  // query of the block
  std::int64_t mine_;   // match of the first query
  std::int64_t end_;    // of the rows
};

}  // namespace minifloat::cuda
