#pragma once

// Queries as the kernels of products read them.

#include "cuda/device/workspace.h"
#include "cuda/operators.h"
#include "cuda/products/operands.h"

namespace minifloat::cuda {

// Where a lane's registers lie. Both are by block and by step; there
enum class Layout : std::uint8_t {
  kWarps,       // by tile, plane, part and lane: 16 bytes, which a lane loads at once
  kChunks,      // the same, where steps have their codes as chunks of aligned rows have them
  kWarpgroups,  // by plane, register, tile and lane: 4 bytes, as matrix units read them
};

struct Queries {
  Words4* elements;
  float* factors;  // by which a sum is multiplied: the reciprocal norm, in units of sums
  std::int64_t count;
  std::int64_t blocks;
  std::int64_t steps;  // of a row
  int tiles;           // of each block
  int planes;          // of each element; a third one is the sum of two
  Layout layout;

  // With those that fill up the last block.
  MINIFLOAT_HD std::int64_t padded() const { return blocks * tiles * kTileQueries; }
};

// As many planes as an element has without a third one.
int planes_of(const Sides& sides);

// Takes memory for so many queries, in blocks of `tiles` tiles, of elements in so many planes.
Queries take_queries(const Sides& sides, std::int64_t count, int tiles, int planes, Layout layout,
                     Workspace& workspace);

// Lays out as many rows of sides.a, from `first` on.
void lay_out(const Sides& sides, std::int64_t first, const Queries& queries, Stream stream);

}  // namespace minifloat::cuda
