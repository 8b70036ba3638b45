#pragma once

// The sums of a warpgroup's products: its row block, decoded to registers, and many tiles of
// queries in shared memory.

#include "cuda/device/choices.h"
#include "cuda/products/operands.h"
#include "cuda/products/warpgroup/cut.h"

namespace minifloat::cuda {

// Whether elements of both sides are two bytes of the same base. Then the products of a high and a
// low byte count as those of a low and a high one, and three products do for four: of high bytes,
// of low ones, and of the sums of both, less the other two.
template <Format F, bool kArePacked>
inline constexpr bool kHasTwoBytes = kArePacked && Operand<F>::kPlanes == 2;

// The most tiles: the more products a tile takes, the fewer, so that in every lane a step of them
// keeps matrix units busy for as long, and sums fill 128 registers at most.
template <Format F, bool kArePacked>
inline constexpr int kMostTiles =
    32 / (QueryPlanes<F, kArePacked>::kCount * Operand<F>::kPlanes * Operand<F>::kParts);

// With three products, whose sums leave registers for more tiles. With fewer, decoding the third
// plane takes longer than a fourth product.
inline constexpr int kTilesOfThree = 10;

template <int kFormat, bool kArePacked, int kTileCount>
struct WarpgroupSums {
  static constexpr Format F = kFormatOf<kFormat>;
  static constexpr bool kHasThree = kHasTwoBytes<F, kArePacked> && kTileCount == kTilesOfThree;
  using Row = std::conditional_t<kHasThree, ThirdOperand<F>, Operand<F>>;
  using Planes = QueryPlanes<F, kArePacked>;
  using Sum = typename Row::Sum;
  static constexpr bool kIsFloat = Row::kIsFloat;
  static constexpr int kPlanes = kHasThree ? 3 : Planes::kCount;  // of queries

  static constexpr int kTiles = kTileCount;
  static constexpr int kBlockQueries = kTiles * kTileQueries;

  // Queries as matrix units read them: a core matrix has 16 bytes of each query of a tile, and a
  // product takes two of each tile.
  static constexpr int kCoreBytes = kTileQueries * 16;
  static constexpr int kPairBytes = 2 * kTiles * kCoreBytes;
  static constexpr int kStepBytes = kPlanes * Row::kRegisters / 2 * kPairBytes;

  // Whether four products of two planes each have three sums.
  static constexpr bool kIsMerged = !kHasThree && kHasTwoBytes<F, kArePacked>;
  static constexpr int kEach = kIsFloat    ? 1
                               : kHasThree ? 3
                                           : Row::kPlanes * Planes::kCount - kIsMerged;
  using FirstLook = Cut<!kIsFloat && kEach == 1>;

  // Few queries wait for rows to come and to be decoded.
  static constexpr bool kAreFew = kTiles <= kTilesOfThree;

  // Blocks that a multiprocessor runs at once, as far as registers go, of which scores in a frame
  // take more: other warps go on while one waits.
  static constexpr int blocks(bool in_frame) {
    return (kEach + kIsFloat) * 4 * kTiles <= (in_frame ? 16 : 32) ? 2 : 1;
  }

  // Whether sums of rows of that dim are what they should be: all planes together fit an int32, and
  // are below 2^23 where the first look compares integers.
  static constexpr bool hold(std::int64_t dim) {
    if constexpr (kIsFloat) {
      return true;
    } else {
      const std::int64_t of_query = kArePacked ? max_fixed(F) : query_max(F, dim);
      const std::int64_t most = kEach == 1 ? 1 << 23 : std::numeric_limits<std::int32_t>::max();
      return max_fixed(F) * of_query * dim < most;
    }
  }

  Sum each[kEach][4 * kTiles];
  // Floats that are not in `each` yet, for a matrix unit's sums are not rounded to nearest.
  Sum step_sums[kIsFloat ? 4 * kTiles : 1];

  // Begins to add the products of one step, whose queries the descriptor names.
  MINIFLOAT_DEVICE void add(const typename Row::TwoRows& rows, std::uint64_t descriptor,
                            bool is_first) {
    fence_products();
#pragma unroll
    for (int p = 0; p < kPlanes; ++p) {
#pragma unroll
      for (int at = 0; at < Row::kRegisters; at += 2) {
        const std::uint64_t pair =
            descriptor + ((p * Row::kRegisters / 2 + at / 2) * kPairBytes >> 4);
#pragma unroll
        for (int plane = 0; plane < Row::kPlanes; ++plane) {
          if (kHasThree && plane != p) continue;
          const bool is_begun = at > 0 || (kIsFloat && p > 0) || (kIsMerged && p > plane);
          multiply_by_warpgroup(sums_of(plane, p), rows[0][plane][at], rows[1][plane][at],
                                rows[0][plane][at + 1], rows[1][plane][at + 1], pair,
                                is_begun || (!kIsFloat && !is_first));
        }
      }
    }
    commit_products();
  }

  // To be called when the step's products are there: no use of them is moved to before this.
  MINIFLOAT_DEVICE void collect(bool is_first) {
    if constexpr (kIsFloat) {
#pragma unroll
      for (int i = 0; i < 4 * kTiles; ++i) {
        const float sum = opaque(step_sums[i]);
        each[0][i] = is_first ? sum : each[0][i] + sum;
      }
    }
  }

  // To be called when all products are there: no use of sums is moved to before this.
  MINIFLOAT_DEVICE void finish() {
    if constexpr (!kIsFloat) {
#pragma unroll
      for (auto& sums : each) {
#pragma unroll
        for (int i = 0; i < 4 * kTiles; ++i) sums[i] = opaque(sums[i]);
      }
    }
  }

  // What the sums of all planes come to, which is of few enough products for an int32.
  MINIFLOAT_DEVICE Sum whole(int i) const {
    if constexpr (kEach == 1) {
      return each[0][i];
    } else {
      const auto sum = [&](int n) { return static_cast<std::uint32_t>(each[n][i]); };
      constexpr std::uint32_t kBase = Planes::kBase;
      if constexpr (kHasThree) {
        return static_cast<Sum>(sum(0) * (kBase * kBase - kBase) + sum(2) * kBase -
                                sum(1) * (kBase - 1));
      } else if constexpr (kIsMerged) {
        return static_cast<Sum>((sum(0) * kBase + sum(1)) * kBase + sum(2));
      } else if constexpr (kEach == 2) {
        return static_cast<Sum>(sum(0) * kBase + sum(1));
      } else {
        const std::uint32_t high = sum(0) * kBase + sum(1), low = sum(2) * kBase + sum(3);
        return static_cast<Sum>((high << kRowShift) + low);
      }
    }
  }

 private:
  MINIFLOAT_DEVICE Sum (&sums_of(int plane, int p))[4 * kTiles] {
    if constexpr (kIsFloat) {
      return step_sums;
    } else {
      return each[kHasThree ? p : kIsMerged ? plane + p : plane * Planes::kCount + p];
    }
  }
};

}  // namespace minifloat::cuda
