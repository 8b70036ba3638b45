#pragma once

// The sums of a warp's products: its 16 rows, decoded to registers, and some tiles of queries.

#include "cuda/device/choices.h"
#include "cuda/products/operands.h"

namespace minifloat::cuda {

// Steps after which sums of integers might not fit in an int32: products are of bytes up to 60 and
// 128.
inline constexpr int kExactSteps = (1 << 18) / kStepCodes;

// kIsLong where there may be more steps than that.
template <int kFormat, bool kArePacked, int kTiles, bool kIsLong,
          class RowOperand = Operand<kFormatOf<kFormat>>>
class WarpSums {
 public:
  static constexpr Format F = kFormatOf<kFormat>;
  using Row = RowOperand;
  using Planes = QueryPlanes<F, kArePacked>;
  static constexpr int kStepVectors = kTiles * Planes::kTileVectors;

  // Adds the products of one step; `queries` are the step's, from this lane's first on.
  MINIFLOAT_DEVICE void add(const typename Row::TwoRows& rows, const Words4* queries) {
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
      // A matrix unit's float sums are not rounded to nearest: short ones go to float32.
      typename Row::Sum short_sums[4] = {};
#pragma unroll
      for (int p = 0; p < Planes::kCount; ++p) {
#pragma unroll
        for (int part = 0; part < Row::kParts; ++part) {
          const Words4 query =
              load16(queries + ((tile * Planes::kCount + p) * Row::kParts + part) * kWarp);
#pragma unroll
          for (int plane = 0; plane < Row::kPlanes; ++plane) {
            auto& sums = Row::kIsFloat
                             ? short_sums
                             : each_[tile][Row::kIsFloat ? 0 : plane * Planes::kCount + p];
#pragma unroll
            for (int i = 0; i < 4; i += 2) {
              const int at = part * 4 + i;
              multiply_matrices<Row::kIsUnsigned>(sums, rows[0][plane][at], rows[1][plane][at],
                                                  rows[0][plane][at + 1], rows[1][plane][at + 1],
                                                  query.each[i], query.each[i + 1]);
            }
          }
        }
      }
      if constexpr (Row::kIsFloat) {
#pragma unroll
        for (int i = 0; i < 4; ++i) each_[tile][0][i] += short_sums[i];
      }
    }
  }

  // After so many steps: sums of integers that might not fit any longer go to int64.
  MINIFLOAT_DEVICE void carry(int steps) {
    if constexpr (kIsLong) {
      if (steps % kExactSteps != 0) return;
      for (int tile = 0; tile < kTiles; ++tile) {
        for (int i = 0; i < 4; ++i) totals_[tile][i] += recent(tile, i);
      }
      for (auto& tile : each_) {
        for (auto& plane : tile) {
          for (auto& sum : plane) sum = 0;
        }
      }
    }
  }

  // What all products come to.
  MINIFLOAT_DEVICE auto whole(int tile, int i) const {
    if constexpr (kIsLong) {
      return totals_[tile][i] + recent(tile, i);
    } else {
      return recent(tile, i);
    }
  }

 private:
  // Sums of a high plane count more; floats of both planes add up at once.
  static constexpr int kEach = Row::kIsFloat ? 1 : Row::kPlanes * Planes::kCount;

  MINIFLOAT_DEVICE auto recent(int tile, int i) const {
    if constexpr (kEach == 1) {
      return each_[tile][0][i];
    } else {
      // Sums of products of two bytes hold in an int32, but elements of float queries may be any.
      constexpr bool kFits = Row::kLane == Lane::kInt8 && kArePacked && !kIsLong;
      using Whole = std::conditional_t<kFits, std::int32_t, std::int64_t>;
      Whole whole = 0;
#pragma unroll
      for (int plane = 0; plane < Row::kPlanes; ++plane) {
        Whole sum = 0;
#pragma unroll
        for (int p = 0; p < Planes::kCount; ++p) {
          sum = sum * Planes::kBase + each_[tile][plane * Planes::kCount + p][i];
        }
        whole = whole * Row::kPlaneBase + sum;
      }
      return whole;
    }
  }

  typename Row::Sum each_[kTiles][kEach][4] = {};
  std::int64_t totals_[kIsLong ? kTiles : 1][4] = {};
};

}  // namespace minifloat::cuda
