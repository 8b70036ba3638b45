#pragma once

// Scores of a slice of packed rows and a block of queries, by the matrix units of warps: rows
// stream through shared memory, and queries come from the caches.

#include "cuda/products/queries.h"
#include "cuda/products/warp/ring.h"
#include "cuda/products/warp/sums.h"

namespace minifloat::cuda {

// The first look of a warp: at scores themselves, by the bound that each query has.
struct Bound {
  MINIFLOAT_DEVICE static int place(int query) { return query; }
  MINIFLOAT_DEVICE static float of(float bound, float) { return bound; }
  // NaN is above every bound, and then below every number's key.
  MINIFLOAT_DEVICE static bool passes(float score, float bound) { return !(score < bound); }
};

// Adds up the products of a row block, whose rows of this lane are `first` and 8 more.
template <class Sums>
MINIFLOAT_DEVICE Sums sums_of_block(BlockRing<Sums::F>& ring, std::int64_t first, std::int64_t end,
                                    int steps, const Words4* elements) {
  using Ring = BlockRing<Sums::F>;
  const int number = thread_index() / kWarp * kWarpRows + thread_index() % kWarp / 4;
  int starts[2];
  for (int half = 0; half < 2; ++half) {
    const std::int64_t row = first + 8 * half < end ? first + 8 * half : end - 1;
    starts[half] = ring.place(row, number + 8 * half);
  }
  Sums sums;
  for (int begin = 0; begin < steps; begin += Ring::kSteps) {
    const std::uint8_t* const piece = ring.take();
    const int taken = steps - begin < Ring::kSteps ? steps - begin : Ring::kSteps;
#pragma unroll 1
    for (int s = 0; s < taken; ++s) {
      const std::uint8_t* const at = piece + s * Sums::Row::kStepBytes;
      typename Sums::Row::TwoRows rows;
      decode_rows<Sums::F>({at + starts[0], at + starts[1]}, ring.is_aligned(), rows);
      sums.add(rows, elements + std::int64_t{begin + s} * Sums::kStepVectors);
    }
    sums.carry(begin + Ring::kSteps);
  }
  return sums;
}

// Gives a keeper the scores of a row block, whose rows of this lane are `first` and 8 more.
template <int kTiles, class Sums, class Keeper>
MINIFLOAT_DEVICE void keep_scores_of_block(const Sums& sums, const PackedRows& rows,
                                           const Queries& queries, const Share& share,
                                           std::int64_t first, Keeper& keeper) {
  // Addresses that follow from it would else stay in registers from one row block to the next.
  const int column = opaque(thread_index() % kWarp % 4 * 2);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const std::int64_t row = first + 8 * half;
    const float norm = row < share.end ? rows.norms[row] : 0.0f;
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const std::int64_t query = (share.query_block * kTiles + tile) * kTileQueries + column + i;
        const auto dot = sums.whole(tile, 2 * half + i);
        const float score = static_cast<float>(dot) * queries.factors[query] * norm;
        if constexpr (Keeper::kTakesAll) {
          keeper.add(row, query, score);
        } else {
          const float bound = keeper.cuts()[Bound::place(tile * kTileQueries + column + i)];
          if (Bound::passes(score, bound)) keeper.add(row, query, score);
        }
      }
    }
  }
}

// Gives a keeper the scores of all rows of a share with all of its queries, also of rows past the
// end and queries past the last; unless it takes all, those that the first look lets pass. After
// each row block it settles, by the number of that.
template <int kFormat, bool kArePacked, int kTiles, bool kIsLong, class Keeper>
MINIFLOAT_DEVICE void keep_scores_by_warp(const PackedRows& rows, const Queries& queries,
                                          const Share& share, Keeper& keeper) {
  using Sums = WarpSums<kFormat, kArePacked, kTiles, kIsLong>;
  const int steps = static_cast<int>(steps_of(rows.dim));
  const int lane = thread_index() % kWarp, warp = thread_index() / kWarp;
  const Words4* const elements = queries.elements + share.query_block * steps * Sums::kStepVectors;
  BlockRing<Sums::F> ring(rows, share, shared_memory());
  std::int64_t block_row = share.begin;
  for (int number = 0; block_row < share.end; ++number, block_row += kBlockRows) {
    const std::int64_t first = block_row + warp * kWarpRows + lane / 4;
    const auto sums = sums_of_block<Sums>(ring, first, share.end, steps, elements);
    keep_scores_of_block<kTiles>(sums, rows, queries, share, first, keeper);
    if constexpr (!Keeper::kTakesAll) keeper.settle(number);
  }
}

}  // namespace minifloat::cuda
