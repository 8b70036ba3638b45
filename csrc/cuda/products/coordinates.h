#pragma once

// Rows in a frame: their coordinates, and scores of which these are part.

#include "cuda/products/queries.h"

namespace minifloat::cuda {

struct Coordinates {
  const float* of_rows;  // (rows, axes)
  float* of_queries;     // (axes, queries with those that fill up the last block)
  std::int64_t axes;     // 0 where there is no frame
};

// Takes memory for those of queries.
Coordinates take_coordinates(const Sides& sides, const Queries& queries, Workspace& workspace);

// Lays out those of as many rows of sides.a, from `first` on.
void lay_out_coordinates(const Sides& sides, std::int64_t first, const Queries& queries,
                         const Coordinates& coordinates, Stream stream);

// What a lane has scores of: the rows `row` and row + 8, of those before `end`, and two queries
// that follow one another of each tile, of which `query` is the very first.
struct LanePlace {
  std::int64_t row;
  std::int64_t end;
  std::int64_t query;
};

// Writes a lane's scores, as its sums lie: of each tile two of the first row, then two of the
// second. Of a row past the end they are anything. sum(tile, i) is what the products come to.
template <int kTiles, class Sum>
MINIFLOAT_DEVICE void score_in_frame(const LanePlace& at, const float (&norms)[2],
                                     const Queries& queries, const Coordinates& coordinates,
                                     Sum sum, float (&scores)[kTiles][4]) {
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
  const float* of_rows[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const std::int64_t row = at.row + 8 * half;
    of_rows[half] = coordinates.of_rows + (row < at.end ? row : at.end - 1) * coordinates.axes;
  }
  const float* of_queries = coordinates.of_queries + at.query;
  // Each product and each sum is rounded by itself, axis after axis.
#pragma unroll 1
  for (std::int64_t axis = 0; axis < coordinates.axes; ++axis) {
    const float of_row[2] = {of_rows[0][axis], of_rows[1][axis]};
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        scores[tile][i] += of_queries[tile * kTileQueries + i % 2] * of_row[i / 2];
      }
    }
    of_queries += queries.padded();
  }
}

}  // namespace minifloat::cuda
