#pragma once

// Scores of a slice of packed rows and a block of queries, by the matrix units of warps: rows
// stream through shared memory, and queries come from the caches.

#include "cuda/products/bound.h"
#include "cuda/products/coordinates.h"
#include "cuda/products/queries.h"
#include "cuda/products/warp/ring.h"
#include "cuda/products/warp/sums.h"

namespace minifloat::cuda {

// Adds up the products of a row block, of which this lane has the rows `first` and first + 8.
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

// Gives a keeper this lane's scores of a row block, of whose rows it has the norms.
template <int kTiles, class Sums, class Keeper>
MINIFLOAT_DEVICE void keep_scores_of_block(const Sums& sums, const float (&norms)[2],
                                           const Queries& queries, const Share& share,
                                           std::int64_t first, Keeper& keeper) {
  // Addresses that follow from it would else stay in registers from one row block to the next.
  const int column = opaque(thread_index() % kWarp % 4 * 2);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const std::int64_t row = first + 8 * half;
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const std::int64_t query = (share.query_block * kTiles + tile) * kTileQueries + column + i;
        const auto dot = sums.whole(tile, 2 * half + i);
        const float score = static_cast<float>(dot) * queries.factors[query] * norms[half];
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

// The same of rows in a frame.
template <int kTiles, class Sums, class Keeper>
MINIFLOAT_DEVICE void keep_framed_scores_of_block(const Sums& sums, const float (&norms)[2],
                                                  const Queries& queries,
                                                  const Coordinates& coordinates,
                                                  const Share& share, std::int64_t first,
                                                  Keeper& keeper) {
  const int column = opaque(thread_index() % kWarp % 4 * 2);
  const LanePlace at{first, share.end, share.query_block * kTiles * kTileQueries + column};
  float scores[kTiles][4];
  score_in_frame(
      at, norms, queries, coordinates, [&](int tile, int i) { return sums.whole(tile, i); },
      scores);
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int place = tile * kTileQueries + i % 2;
      const float score = scores[tile][i];
      if constexpr (!Keeper::kTakesAll) {
        if (!Bound::passes(score, keeper.cuts()[Bound::place(column + place)])) continue;
      }
      keeper.add(first + i / 2 * 8, at.query + place, score);
    }
  }
}

// Gives a keeper the scores of a share's rows and queries: all of them where it takes all, else
// those that the first look lets pass. Some are of rows past the end or of queries past the last,
// which it leaves out. After each row block it settles.
template <int kFormat, bool kArePacked, int kTiles, bool kIsLong, bool kInFrame, class Keeper>
MINIFLOAT_DEVICE void keep_scores_by_warp(const PackedRows& rows, const Queries& queries,
                                          const Coordinates& coordinates, const Share& share,
                                          Keeper& keeper) {
  using Sums = WarpSums<kFormat, kArePacked, kTiles, kIsLong>;
  const int steps = static_cast<int>(steps_of(rows.dim));
  const int lane = thread_index() % kWarp, warp = thread_index() / kWarp;
  const Words4* const elements =
      queries.elements + share.query_block * steps * Sums::kStepVectors + lane;
  BlockRing<Sums::F> ring(rows, share, shared_memory());
  std::int64_t block_row = share.begin;
  for (int number = 0; block_row < share.end; ++number, block_row += kBlockRows) {
    const std::int64_t first = block_row + warp * kWarpRows + lane / 4;
    const auto sums = sums_of_block<Sums>(ring, first, share.end, steps, elements);
    const float norms[2] = {first < share.end ? rows.norms[first] : 0.0f,
                            first + 8 < share.end ? rows.norms[first + 8] : 0.0f};
    if constexpr (kInFrame) {
      keep_framed_scores_of_block<kTiles>(sums, norms, queries, coordinates, share, first, keeper);
    } else {
      keep_scores_of_block<kTiles>(sums, norms, queries, share, first, keeper);
    }
    if constexpr (!Keeper::kTakesAll) keeper.settle(number);
  }
}

}  // namespace minifloat::cuda
