#pragma once

// Scores of a slice of packed rows and a block of queries.

#include "cuda/products/queries.h"
#include "cuda/products/warp_ring.h"

namespace minifloat::cuda {

// Steps after which products of integers might not add up in an int32: of bytes up to 60 and 128.
inline constexpr int kExactSteps = (1 << 18) / kStepCodes;

// Sums of products of a warp's 16 rows and kTiles tiles of queries.
template <int kFormat, bool kArePacked, int kTiles>
struct Sums {
  static constexpr Format F = kFormatOf<kFormat>;
  using Row = Operand<F>;
  using Planes = QueryPlanes<F, kArePacked>;
  static constexpr bool kIsFloat = Row::kLane == Lane::kFloat;
  // Sums of a high plane count more; floats of both planes add up at once.
  static constexpr int kEach = kIsFloat ? 1 : Row::kPlanes * Planes::kCount;
  static constexpr int kParts = Row::kRegisters / 4;

  typename Row::Sum each[kTiles][kEach][4] = {};

  // Adds the products of one step of two rows; `queries` are the step's.
  MINIFLOAT_DEVICE void add(const std::uint8_t* const (&packed)[2], bool is_aligned,
                            const Words4* queries) {
    const int lane = thread_index() % kWarp;
    typename Row::Registers rows[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      std::uint32_t words[Row::kWords];
      row_words<F>(packed[r], lane, is_aligned, words);
      row_registers<F>(words, rows[r]);
    }
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
      // A matrix unit's float sums are not rounded to nearest: short ones go to float32.
      typename Row::Sum short_sums[4] = {};
#pragma unroll
      for (int p = 0; p < Planes::kCount; ++p) {
#pragma unroll
        for (int part = 0; part < kParts; ++part) {
          const Words4 query =
              load16(queries + ((tile * Planes::kCount + p) * kParts + part) * kWarp + lane);
#pragma unroll
          for (int plane = 0; plane < Row::kPlanes; ++plane) {
            auto& sums =
                kIsFloat ? short_sums : each[tile][kIsFloat ? 0 : plane * Planes::kCount + p];
#pragma unroll
            for (int i = 0; i < 4; i += 2) {
              const int at = part * 4 + i;
              multiply_matrices(sums, rows[0][plane][at], rows[1][plane][at],
                                rows[0][plane][at + 1], rows[1][plane][at + 1], query.each[i],
                                query.each[i + 1]);
            }
          }
        }
      }
      if constexpr (kIsFloat) {
#pragma unroll
        for (int i = 0; i < 4; ++i) each[tile][0][i] += short_sums[i];
      }
    }
  }

  // What the sums of all planes come to.
  MINIFLOAT_DEVICE auto whole(int tile, int i) const {
    if constexpr (kEach == 1) {
      return each[tile][0][i];
    } else {
      std::int64_t whole = 0;
#pragma unroll
      for (int plane = 0; plane < Row::kPlanes; ++plane) {
        std::int64_t sum = 0;
#pragma unroll
        for (int p = 0; p < Planes::kCount; ++p) {
          sum = sum * Planes::kBase + each[tile][plane * Planes::kCount + p][i];
        }
        whole = (whole << kRowShift) + sum;
      }
      return whole;
    }
  }
};

// Calls use(row, query, score) for rows [begin, end) and one block of queries, once each, and
// then(i) when this one has done so with row block i; both are called for rows past the end
// and queries past the last. kIsLong where sums may not fit.
template <int kFormat, bool kArePacked, int kTiles, bool kIsLong, class Use, class Then>
MINIFLOAT_DEVICE void for_each_score(const Rows& rows, const Queries& queries, std::int64_t begin,
                                     std::int64_t end, std::int64_t query_block, Use use,
                                     Then then) {
  using S = Sums<kFormat, kArePacked, kTiles>;
  constexpr Format F = S::F;
  using P = Piece<F>;
  constexpr int kStepVectors = kTiles * S::Planes::kCount * S::kParts * kWarp;
  const int steps = static_cast<int>(steps_of(rows.dim));
  const int pieces = static_cast<int>((steps + P::kSteps - 1) / P::kSteps);
  const int blocks = static_cast<int>((end - begin + Ring::kRows - 1) / Ring::kRows);
  const std::int64_t bytes = row_bytes(rows.dim, F.bits());
  const bool is_aligned = (reinterpret_cast<std::uintptr_t>(rows.packed) | bytes) % 16 == 0;
  const int lane = thread_index() % kWarp, warp = thread_index() / kWarp;
  std::uint8_t* const ring = shared_memory();
  const Words4* const elements = queries.elements + query_block * steps * kStepVectors;

  // The piece that is asked for next, by its row block, its number there, and its stage.
  int next_block = 0, next_piece = 0, next_stage = 0;
  const auto ask = [&] {
    if (next_block < blocks) {
      copy_piece<F>(rows, begin + std::int64_t{next_block} * Ring::kRows, end,
                    std::int64_t{next_piece} * P::kBytes, ring + next_stage * P::kStageBytes);
    }
    commit_copies();
    next_stage = next_stage + 1 == Ring::kStages ? 0 : next_stage + 1;
    if (++next_piece == pieces) {
      next_piece = 0;
      ++next_block;
    }
  };
  for (int i = 0; i + 1 < Ring::kStages; ++i) ask();

  int stage = 0;
  for (int block = 0; block < blocks; ++block) {
    const std::int64_t first_of_block = begin + std::int64_t{block} * Ring::kRows;
    // A lane's two rows, and where they start in a stage.
    const std::int64_t first_row = first_of_block + warp * 16 + lane / 4;
    int starts[2];
    for (int half = 0; half < 2; ++half) {
      const std::int64_t row = first_row + 8 * half < end ? first_row + 8 * half : end - 1;
      const auto at = reinterpret_cast<std::uintptr_t>(rows.packed) + row * bytes;
      starts[half] = (warp * 16 + lane / 4 + 8 * half) * P::kPitch + static_cast<int>(at % 16);
    }
    S sums;
    std::int64_t totals[kTiles][4] = {};
    for (int piece = 0; piece < pieces; ++piece) {
      wait_copies<Ring::kStages - 2>();
      // From here on the piece is there for all, and nobody reads the one before any more.
      sync_threads();
      ask();
      const int first = piece * P::kSteps;
      const int taken = steps - first < P::kSteps ? steps - first : P::kSteps;
#pragma unroll 1
      for (int s = 0; s < taken; ++s) {
        const std::uint8_t* const at = ring + stage * P::kStageBytes + s * P::Row::kStepBytes;
        sums.add({at + starts[0], at + starts[1]}, is_aligned,
                 elements + std::int64_t{first + s} * kStepVectors);
      }
      stage = stage + 1 == Ring::kStages ? 0 : stage + 1;
      if constexpr (kIsLong) {
        if ((first + P::kSteps) % kExactSteps == 0) {
          for (int tile = 0; tile < kTiles; ++tile) {
            for (int i = 0; i < 4; ++i) totals[tile][i] += sums.whole(tile, i);
          }
          sums = {};
        }
      }
    }
    // Addresses that follow from it would else stay in registers from one row block to the next.
    const int column = forget(lane % 4 * 2);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const std::int64_t row = first_row + 8 * half;
      const float norm = row < end ? rows.norms[row] : 0.0f;
#pragma unroll
      for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const std::int64_t query = (query_block * kTiles + tile) * kTileQueries + column + i;
          const auto dot = [&] {
            if constexpr (kIsLong) {
              return totals[tile][2 * half + i] + sums.whole(tile, 2 * half + i);
            } else {
              return sums.whole(tile, 2 * half + i);
            }
          }();
          use(row, query, static_cast<float>(dot) * queries.factors[query] * norm);
        }
      }
    }
    then(block);
  }
}

}  // namespace minifloat::cuda
