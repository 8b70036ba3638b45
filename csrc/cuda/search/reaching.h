#pragma once

// A keeper of what reaches a threshold: the scores of a block of queries that do are appended to
// one list, which is that of all blocks.

#include "cuda/products/queries.h"
#include "cuda/products/shares.h"
#include "cuda/search/keys.h"

namespace minifloat::cuda {

// What scores must reach, and of which rows: all where the mask is null.
struct Reach {
  const float* thresholds;   // of all queries
  std::int64_t first_query;  // that is laid out
  const std::uint8_t* mask;
};

constexpr int reaching_bytes(int queries) { return queries * 2 * static_cast<int>(sizeof(float)); }

// FirstLook is that of the products, as in Board.
template <int kBlockQueries, class FirstLook>
class Reaching {
 public:
  static constexpr bool kTakesAll = false;
  static constexpr int kBytes = reaching_bytes(kBlockQueries);

  MINIFLOAT_DEVICE Reaching(std::uint8_t* memory, const Reach& reach, const Hits& hits,
                            const Queries& queries, const Share& share)
      : cuts_(reinterpret_cast<float*>(memory)),
        thresholds_(cuts_ + kBlockQueries),
        hits_(hits),
        mask_(reach.mask),
        first_(share.query_block * kBlockQueries),
        first_query_(reach.first_query),
        queries_(queries.count),
        end_(share.end) {
    for (int q = thread_index() % kWarpgroup; q < kBlockQueries; q += kWarpgroup) {
      const bool is_there = first_ + q < queries_;
      const float threshold = is_there ? reach.thresholds[first_query_ + first_ + q] : kNan;
      thresholds_[q] = threshold;
      // What is below -1 by rounding counts as -1. Nothing reaches what is no number.
      const float bound = threshold > -1 ? threshold : threshold <= -1 ? -kInfinity : kInfinity;
      cuts_[FirstLook::place(q)] = FirstLook::of(bound, queries.factors[first_ + q]);
    }
    sync_warpgroup();
  }

  MINIFLOAT_DEVICE const float* cuts() const { return cuts_; }

  // Whether a row takes part.
  MINIFLOAT_DEVICE bool takes(std::int64_t row) const {
    return row < end_ && !(mask_ && !mask_[row]);
  }

  MINIFLOAT_DEVICE void add(std::int64_t row, std::int64_t query, float score) const {
    if (query >= queries_ || !takes(row)) return;
    const float found = within_one(score);
    // NaN reaches nothing, and nothing reaches NaN.
    if (!(found >= thresholds_[query - first_])) return;
    const std::int64_t at = atomic_add(hits_.total, 1);
    if (at >= hits_.room) return;
    hits_.keys[at] = (first_query_ + query) << 32 | row;
    hits_.scores[at] = found;
  }

  MINIFLOAT_DEVICE void settle(int) const {}

 private:
  float* cuts_;
  float* thresholds_;
  Hits hits_;
  const std::uint8_t* mask_;
  std::int64_t first_;        // query of the block, of those that are laid out
  std::int64_t first_query_;  // that is laid out
  std::int64_t queries_;
  std::int64_t end_;  // of the rows
};

}  // namespace minifloat::cuda
