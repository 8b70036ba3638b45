#pragma once

// Scores of a slice of packed rows and a block of many queries, by the matrix units of warpgroups:
// queries stay in shared memory, and rows stream by.

#include <array>

#include "cuda/products/bound.h"
#include "cuda/products/coordinates.h"
#include "cuda/products/queries.h"
#include "cuda/products/shares.h"
#include "cuda/products/warpgroup/lane_ring.h"
#include "cuda/products/warpgroup/ring.h"
#include "cuda/products/warpgroup/sums.h"

namespace minifloat::cuda {

// By which packed rows come.
template <class Sums>
using RingOf = std::conditional_t<Sums::kAreFew, LaneRing<Sums::F>, WarpRing<Sums::F>>;

// A block's memory: queries, the warps' rings, the queries' gate, and what each warpgroup's keeper
// has, which begins at a multiple of 16.
template <class Sums>
struct WarpgroupMemory {
  static constexpr int rings_begin(int steps) { return steps * Sums::kStepBytes; }
  static constexpr int gate_begin(int steps, int stages) {
    return rings_begin(steps) + RingOf<Sums>::bytes(stages);
  }
  static constexpr int keepers_begin(int steps, int stages) {
    return gate_begin(steps, stages) + 16;
  }
};

// Asks for a copy of a block of queries, of which the gate will tell.
MINIFLOAT_DEVICE void copy_queries(const Queries& queries, std::int64_t query_block, int bytes,
                                   std::uint8_t* memory, Gate* gate) {
  if (thread_index() == 0) {
    init_gate(gate, 1);
    fence_gates();
    arrive_and_expect(gate, bytes);
    const auto* const elements = reinterpret_cast<const std::uint8_t*>(queries.elements);
    copy_bulk(memory, elements + query_block * bytes, bytes, gate);
  }
  sync_threads();
}

// Multiplies a row block. Its last products still go on afterwards: the registers of rows and sums
// are theirs until wait_products.
template <class Sums>
MINIFLOAT_DEVICE void begin_products(RingOf<Sums>& ring, std::uint64_t descriptor, int steps,
                                     typename Sums::Row::TwoRows& even,
                                     typename Sums::Row::TwoRows& odd, Sums& sums) {
  using Piece = cuda::Piece<Sums::F>;
  using Rows = typename Sums::Row::TwoRows;
  const std::uint8_t* piece = nullptr;
  const auto decode = [&](int step, Rows& out) {
    if (step % Piece::kSteps == 0) piece = ring.take();
    const std::uint8_t* const at = piece + thread_index() % kWarp / 4 * Piece::kPitch +
                                   step % Piece::kSteps * Sums::Row::kStepBytes;
    decode_rows<Sums::F, typename Sums::Row>({at, at + 8 * Piece::kPitch}, true, out);
  };
  // Products of a step go on while the next one is decoded.
  const auto multiply = [&](int step, const Rows& now, Rows& next) {
    sums.add(now, descriptor + std::uint64_t(step) * (Sums::kStepBytes >> 4), step == 0);
    wait_products<1>();
    if (step + 1 < steps) decode(step + 1, next);
    if constexpr (Sums::kIsFloat) {
      wait_products<0>();
      sums.collect(step == 0);
    }
  };
  decode(0, even);
#pragma unroll 1
  for (int step = 0; step < steps; step += 2) {
    multiply(step, even, odd);
    if (step + 1 < steps) multiply(step + 1, odd, even);
  }
}

// A lane's sums or scores of a pair of tiles are eight, of two rows and four queries: which row
// number i is of, and which query.
MINIFLOAT_DEVICE constexpr int half_of(int i) { return i >> 1 & 1; }
MINIFLOAT_DEVICE constexpr int column_of(int i) { return (i >> 2) * 2 + (i & 1); }

// Calls add(i, what(i)) for those of a pair of tiles for which passes(i).
template <class What, class Passes, class Add>
MINIFLOAT_DEVICE void add_passing_of_pair(What what, Passes passes, Add add) {
  bool any = false;
#pragma unroll
  for (int i = 0; i < 8; ++i) any |= passes(i);
  if (!any) return;
  std::uint32_t passing = 0;
#pragma unroll
  for (int i = 0; i < 8; ++i) passing |= static_cast<std::uint32_t>(passes(i)) << i;
#pragma unroll 1
  for (; passing != 0; passing &= passing - 1) {
    const int i = lowest_bit(passing);
    auto chosen = what(0);
#pragma unroll
    for (int n = 1; n < 8; ++n) chosen = i == n ? what(n) : chosen;
    add(i, chosen);
  }
}

// Calls add(pair of tiles, number in it, sum) for a lane's sums that the first look lets pass.
template <class Sums, class Add>
MINIFLOAT_DEVICE void add_passing(const Sums& sums, const float (&of_rows)[2],
                                  const float* cuts_of_queries, int place, Add add) {
  const auto* const all_cuts = reinterpret_cast<const Words4*>(cuts_of_queries) + place;
  Words4 next_cuts = all_cuts[0];
#pragma unroll
  for (int pair = 0; pair < Sums::kTiles / 2; ++pair) {
    const auto cuts = bits_of<std::array<float, 4>>(next_cuts);
    if (pair + 1 < Sums::kTiles / 2) next_cuts = all_cuts[(pair + 1) * 4];
    const auto sum = [&](int i) { return sums.whole(8 * pair + i); };
    const auto passes = [&](int i) {
      return Sums::FirstLook::passes(sum(i), cuts[column_of(i)], of_rows[half_of(i)]);
    };
    add_passing_of_pair(sum, passes, [&](int i, auto dot) { add(pair, i, dot); });
  }
}

// Tiles whose scores a lane has at once beside its sums: registers hold no more than four.
template <class Sums>
inline constexpr int kFramedTiles = Sums::kTiles % 4 == 0 ? 4 : 2;

// Axes on which coordinates of rows are asked for before the products, as registers allow.
template <class Sums>
inline constexpr int kAxesAhead = Sums::kHasThree ? 0 : 2;

// What a lane asks of its two rows before their products, and looks at after these.
template <int kAxes>
struct LaneRows {
  float norms[2];
  bool take_part[2];
  RowCoordinates<kAxes> coordinates;

  template <class Keeper>
  MINIFLOAT_DEVICE LaneRows(const PackedRows& rows, const LanePlace& at, const Coordinates& all,
                            const Keeper& keeper)
      : coordinates(at, all) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const std::int64_t row = at.row + 8 * half;
      norms[half] = row < at.end ? rows.norms[row] : 0.0f;
      take_part[half] = true;
      if constexpr (!Keeper::kTakesAll) take_part[half] = keeper.takes(row);
    }
  }
};

// Gives a keeper a lane's scores of rows in a frame and of some tiles from `first_tile` on, but for
// rows that do not take part.
template <class Sums, int kAxes, class Keeper>
MINIFLOAT_DEVICE void keep_framed_scores(const Sums& sums, int first_tile, LanePlace at,
                                         const LaneRows<kAxes>& rows, const Queries& queries,
                                         const Coordinates& coordinates, Keeper& keeper) {
  constexpr int kTiles = kFramedTiles<Sums>;
  at.query += first_tile * kTileQueries;
  float scores[kTiles][4];
  const auto sum = [&](int tile, int i) { return sums.whole(4 * (first_tile + tile) + i); };
  score_in_frame(at, rows.norms, queries, coordinates, rows.coordinates, sum, scores);
#pragma unroll
  for (int pair = 0; pair < kTiles / 2; ++pair) {
    const auto score = [&](int i) { return scores[2 * pair + i / 4][i % 4]; };
    const auto query = [&](int i) { return 16 * pair + i / 4 * 8 + i % 2; };
    const auto add = [&](int i, float found) {
      keeper.add(at.row + 8 * half_of(i), at.query + query(i), found);
    };
    if constexpr (Keeper::kTakesAll) {
#pragma unroll
      for (int i = 0; i < 8; ++i) add(i, score(i));
    } else {
      const auto in_block = static_cast<int>(at.query % Sums::kBlockQueries);
      const auto passes = [&](int i) {
        const float bound = keeper.cuts()[Bound::place(in_block + query(i))];
        return rows.take_part[half_of(i)] && Bound::passes(score(i), bound);
      };
      add_passing_of_pair(score, passes, add);
    }
  }
}

// Gives each warpgroup's keeper the scores of its rows of a share and of all queries: all of them
// where it takes all, else those that the first look lets pass. Some are of rows past the end or of
// queries past the last, which it leaves out. After each row block it settles.
template <class Sums, bool kInFrame, class Keeper>
MINIFLOAT_DEVICE void keep_scores_by_warpgroup(const PackedRows& rows, const Queries& queries,
                                               const Coordinates& coordinates, const Share& share,
                                               int stages, Keeper& keeper) {
  using FirstLook = typename Sums::FirstLook;
  using Memory = WarpgroupMemory<Sums>;
  const int steps = static_cast<int>(steps_of(rows.dim));
  const int lane = thread_index() % kWarp, warp = thread_index() / kWarp;
  std::uint8_t* const memory = shared_memory();
  Gate* const gate = reinterpret_cast<Gate*>(memory + Memory::gate_begin(steps, stages));
  copy_queries(queries, share.query_block, steps * Sums::kStepBytes, memory, gate);
  std::int64_t block_row = share.begin + std::int64_t{warp / kWarpgroupWarps} * kBlockRows;
  RingOf<Sums> ring(rows, block_row, share.end, memory + Memory::rings_begin(steps), stages);
  wait_gate(gate, 0);
  const std::uint64_t descriptor =
      matrix_at(memory, Sums::kTiles * Sums::kCoreBytes, Sums::kCoreBytes);

  for (int number = 0; block_row < share.end; ++number, block_row += kWarpgroups * kBlockRows) {
    const std::int64_t first = block_row + warp % kWarpgroupWarps * kWarpRows + lane / 4;
    const LaneRows<kInFrame ? kAxesAhead<Sums> : 0> mine(rows, {first, share.end, 0}, coordinates,
                                                         keeper);
    typename Sums::Row::TwoRows even, odd;
    Sums sums;
    begin_products(ring, descriptor, steps, even, odd, sums);
    const float of_rows[2] = {FirstLook::of_row(mine.norms[0], mine.take_part[0]),
                              FirstLook::of_row(mine.norms[1], mine.take_part[1])};
    wait_products<0>();
    sums.finish();

    // Addresses that follow from it would else stay in registers from one row block to the next.
    const int place = opaque(lane % 4);
    const auto add = [&](int pair, int i, auto dot) {
      const std::int64_t query =
          share.query_block * Sums::kBlockQueries + 16 * pair + (i >> 2) * 8 + place * 2 + (i & 1);
      const int half = half_of(i);
      const float norm = half ? mine.norms[1] : mine.norms[0];
      keeper.add(first + 8 * half, query, static_cast<float>(dot) * queries.factors[query] * norm);
    };
    if constexpr (kInFrame) {
#pragma unroll
      for (int tile = 0; tile < Sums::kTiles; tile += kFramedTiles<Sums>) {
        const std::int64_t query = share.query_block * Sums::kBlockQueries + opaque(place * 2);
        keep_framed_scores(sums, tile, {first, share.end, query}, mine, queries, coordinates,
                           keeper);
      }
    } else if constexpr (Keeper::kTakesAll) {
#pragma unroll
      for (int i = 0; i < 4 * Sums::kTiles; ++i) add(i / 8, i % 8, sums.whole(i));
    } else {
      add_passing(sums, of_rows, keeper.cuts(), place, add);
    }
    if constexpr (!Keeper::kTakesAll) keeper.settle(number);
  }
}

}  // namespace minifloat::cuda
