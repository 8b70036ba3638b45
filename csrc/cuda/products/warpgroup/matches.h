#pragma once

// Matches of a slice of packed rows and a block of many queries, by the matrix units of warpgroups:
// queries stay in shared memory, and rows stream by.

#include "cuda/products/warpgroup/ring.h"
#include "cuda/products/warpgroup/sums.h"

namespace minifloat::cuda {

// A block's memory: queries, the warps' rings, the queries' gate, and of each warpgroup so many
// bytes for its matches.
template <class P>
struct WarpgroupMemory {
  using WarpsRing = WarpRing<P::F>;

  static constexpr int rings_begin(int steps) { return steps * P::kStepBytes; }
  static constexpr int gate_begin(int steps, int stages) {
    return rings_begin(steps) + WarpsRing::bytes(stages);
  }
  // A multiple of 16.
  static constexpr int matches_begin(int steps, int stages) {
    return gate_begin(steps, stages) + 16;
  }
};

// Calls add(pair of tiles, number in it, sum) for a lane's sums that the first look lets pass.
template <class P, class Add>
MINIFLOAT_DEVICE void add_passing(const P& sums, const float (&of_rows)[2],
                                  const float* cuts_of_queries, int place, Add add) {
  const auto* const all_cuts = reinterpret_cast<const Words4*>(cuts_of_queries) + place;
  Words4 next_cuts = all_cuts[0];
#pragma unroll
  for (int pair = 0; pair < P::kTiles / 2; ++pair) {
    const auto cuts = bits_of<std::array<float, 4>>(next_cuts);
    if (pair + 1 < P::kTiles / 2) next_cuts = all_cuts[(pair + 1) * 4];
    const auto passes = [&](int i) {
      return P::FirstLook::passes(sums.whole(8 * pair + i), cuts[i / 4 * 2 + i % 2],
                                  of_rows[i / 2 % 2]);
    };
    bool any = false;
#pragma unroll
    for (int i = 0; i < 8; ++i) any |= passes(i);
    if (!any) continue;
    std::uint32_t passing = 0;
#pragma unroll
    for (int i = 0; i < 8; ++i) passing |= static_cast<std::uint32_t>(passes(i)) << i;
#pragma unroll 1
    for (; passing != 0; passing &= passing - 1) {
      const int i = lowest_bit(passing);
      auto dot = sums.whole(8 * pair);
#pragma unroll
      for (int n = 1; n < 8; ++n) dot = i == n ? sums.whole(8 * pair + n) : dot;
      add(pair, i, dot);
    }
  }
}

// Calls matches.add(row, query, score) for pairs of rows [begin, end) and one block of queries
// that matches.cuts() let pass, and matches.settle(i) when the warpgroup has done so with its row
// block i; or where matches take all, for every pair, also of rows past the end and queries past
// the last.
template <int kFormat, bool kArePacked, class Matches>
MINIFLOAT_DEVICE void for_each_match(const Rows& rows, const Queries& queries, std::int64_t begin,
                                     std::int64_t end, std::int64_t query_block, int stages,
                                     Matches& matches) {
  using P = WarpgroupProduct<kFormat, kArePacked>;
  using Ring16 = WarpRing<P::F>;
  using Memory = WarpgroupMemory<P>;
  using FirstLook = typename P::FirstLook;
  const int steps = static_cast<int>(steps_of(rows.dim));
  const int lane = thread_index() % kWarp, warp = thread_index() / kWarp;
  std::uint8_t* const memory = shared_memory();
  Gate* const gate = reinterpret_cast<Gate*>(memory + Memory::gate_begin(steps, stages));
  if (thread_index() == 0) {
    const int bytes = steps * P::kStepBytes;
    init_gate(gate, 1);
    fence_gates();
    arrive_and_expect(gate, bytes);
    const auto* const elements = reinterpret_cast<const std::uint8_t*>(queries.elements);
    copy_bulk(memory, elements + query_block * bytes, bytes, gate);
  }
  sync_threads();
  std::int64_t block_row = begin + std::int64_t{warp / kGroupWarps} * Ring::kRows;
  Ring16 ring(rows, block_row, end, memory + Memory::rings_begin(steps), stages);
  wait_gate(gate, 0);
  const std::uint64_t image = matrix_at(memory, P::kTiles * P::kCoreBytes, P::kCoreBytes);

  for (int number = 0; block_row < end; ++number, block_row += kWarpgroups * Ring::kRows) {
    const std::int64_t first_row = block_row + warp % kGroupWarps * 16 + lane / 4;
    // Asked for here, looked at after the products.
    float norms[2];
    bool take_part[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const std::int64_t row = first_row + 8 * half;
      norms[half] = row < end ? rows.norms[row] : 0.0f;
      take_part[half] = true;
      if constexpr (!Matches::kTakesAll) take_part[half] = matches.takes(row);
    }
    P sums;
    const std::uint8_t* piece = nullptr;
    const auto decode = [&](int step, typename P::Rows2& out) {
      if (step % Ring16::kSteps == 0) piece = ring.take();
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        std::uint32_t words[P::Row::kWords];
        row_words<P::F>(piece + (lane / 4 + 8 * half) * Ring16::kPitch +
                            step % Ring16::kSteps * P::Row::kStepBytes,
                        lane, true, words);
        row_registers<P::F>(words, out[half]);
      }
    };
    // Products of a step go on while the next one is decoded.
    const auto multiply = [&](int step, const typename P::Rows2& now, typename P::Rows2& next) {
      sums.add(now, image + std::uint64_t(step) * (P::kStepBytes >> 4), step == 0);
      wait_products<1>();
      if (step + 1 < steps) decode(step + 1, next);
      if constexpr (P::kIsFloat) {
        wait_products<0>();
        sums.collect(step == 0);
      }
    };
    typename P::Rows2 even, odd;
    decode(0, even);
#pragma unroll 1
    for (int step = 0; step < steps; step += 2) {
      multiply(step, even, odd);
      if (step + 1 < steps) multiply(step + 1, odd, even);
    }
    const float of_rows[2] = {FirstLook::of_row(norms[0], take_part[0]),
                              FirstLook::of_row(norms[1], take_part[1])};
    wait_products<0>();
    sums.finish();

    // Addresses that follow from it would else stay in registers from one row block to the next.
    const int place = forget(lane % 4);
    const auto add = [&](int pair, int i, auto dot) {
      const std::int64_t query =
          query_block * P::kQueries + 16 * pair + i / 4 * 8 + place * 2 + i % 2;
      const int half = i / 2 % 2;
      matches.add(first_row + 8 * half, query,
                  static_cast<float>(dot) * queries.factors[query] * (half ? norms[1] : norms[0]));
    };
    if constexpr (Matches::kTakesAll) {
#pragma unroll
      for (int i = 0; i < 4 * P::kTiles; ++i) add(i / 8, i % 8, sums.whole(i));
    } else {
      add_passing(sums, of_rows, matches.cuts(), place, add);
      matches.settle(number);
    }
  }
}

}  // namespace minifloat::cuda
