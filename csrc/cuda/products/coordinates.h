#pragma once

// Rows in a frame: their coordinates, and scores of which these are part.

#include "cuda/products/queries.h"

namespace minifloat::cuda {

// What a lane has scores of: the rows `row` and row + 8, of those before `end`, and two queries
// that follow one another of each tile, of which `query` is the very first.
struct LanePlace {
  std::int64_t row;
  std::int64_t end;
  std::int64_t query;
};

struct Coordinates {
  const float* of_rows;  // (rows, axes)
  float* of_queries;     // (axes, queries with those that fill up the last block)
  std::int64_t axes;     // 0 where there is no frame

  // Of a lane's first or second row, or of the last row where that is past the end.
  MINIFLOAT_DEVICE const float* of_row(const LanePlace& at, int half) const {
    const std::int64_t row = at.row + 8 * half;
    return of_rows + (row < at.end ? row : at.end - 1) * axes;
  }
};

// Takes memory for those of queries.
Coordinates take_coordinates(const Sides& sides, const Queries& queries, Workspace& workspace);

// Lays out those of as many rows of sides.a, from `first` on.
void lay_out_coordinates(const Sides& sides, std::int64_t first, const Queries& queries,
                         const Coordinates& coordinates, Stream stream);

// Coordinates of a lane's two rows on the first kAxes axes, as far as there are so many. They are
// asked for when this is made and may be used much later.
template <int kAxes>
struct RowCoordinates {
  float on[kAxes > 0 ? kAxes : 1][2];

  MINIFLOAT_DEVICE RowCoordinates(const LanePlace& at, const Coordinates& coordinates) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float* const of_row = coordinates.of_row(at, half);
#pragma unroll
      for (int axis = 0; axis < kAxes; ++axis) {
        on[axis][half] = axis < coordinates.axes ? of_row[axis] : 0.0f;
      }
    }
  }
};

// Writes a lane's scores, as its sums lie: of each tile two of the first row, then two of the
// second. Of a row past the end they are anything. sum(tile, i) is what the products come to.
template <int kTiles, int kAxes, class Sum>
MINIFLOAT_DEVICE void score_in_frame(const LanePlace& at, const float (&norms)[2],
                                     const Queries& queries, const Coordinates& coordinates,
                                     const RowCoordinates<kAxes>& first, Sum sum,
                                     float (&scores)[kTiles][4]) {
  const float* const factors = queries.factors + at.query;
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const auto dot = sum(tile, i);
      scores[tile][i] =
          static_cast<float>(dot) * factors[tile * kTileQueries + i % 2] * norms[i / 2];
    }
  }
  const float* of_queries = coordinates.of_queries + at.query;
  // Each product and each sum is rounded by itself, axis after axis.
  const auto add = [&](const float (&of_row)[2]) {
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        scores[tile][i] += of_queries[tile * kTileQueries + i % 2] * of_row[i / 2];
      }
    }
    of_queries += queries.padded();
  };
#pragma unroll
  for (int axis = 0; axis < kAxes; ++axis) {
    if (axis < coordinates.axes) add(first.on[axis]);
  }
  if (coordinates.axes <= kAxes) return;
  const float* const of_rows[2] = {coordinates.of_row(at, 0), coordinates.of_row(at, 1)};
#pragma unroll 1
  for (std::int64_t axis = kAxes; axis < coordinates.axes; ++axis) {
    add({of_rows[0][axis], of_rows[1][axis]});
  }
}

// The same where no coordinates have been asked for.
template <int kTiles, class Sum>
MINIFLOAT_DEVICE void score_in_frame(const LanePlace& at, const float (&norms)[2],
                                     const Queries& queries, const Coordinates& coordinates,
                                     Sum sum, float (&scores)[kTiles][4]) {
  score_in_frame(at, norms, queries, coordinates, RowCoordinates<0>(at, coordinates), sum, scores);
}

}  // namespace minifloat::cuda
