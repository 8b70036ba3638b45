#pragma once

// Queries as the kernels of products read them.

#include "cuda/device/workspace.h"
#include "cuda/operators.h"
#include "cuda/products/operands.h"

namespace minifloat::cuda {

// Queries of a tile: the columns of a product of matrices.
inline constexpr int kTileQueries = 8;

// By block and by step; then for warps by tile, by plane, 16 bytes of each lane after those of the
// one before; for warpgroups by plane, by register, by tile, 4 bytes of each lane.
enum class Order : std::uint8_t { kWarps, kWarpgroups };

struct Queries {
  Words4* elements;
  float* factors;  // reciprocal norms of one step of a product
  std::int64_t count;
  std::int64_t blocks;
  int tiles;  // of each block
  Order order;
};

constexpr std::int64_t steps_of(std::int64_t dim) { return (dim + kStepCodes - 1) / kStepCodes; }

// Memory for so many queries, with whole blocks of `tiles` tiles.
Queries take_queries(const Sides& sides, std::int64_t count, int tiles, Order order,
                     Workspace& workspace);

// Lays out rows of sides.a from `first` on.
void lay_out(const Sides& sides, std::int64_t first, const Queries& queries, Stream stream);

}  // namespace minifloat::cuda
