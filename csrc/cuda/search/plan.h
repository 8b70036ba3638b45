#pragma once

// Who multiplies so many queries at a time with all rows, and how the work is shared out.

#include "cuda/products/warp/plan.h"
#include "cuda/products/warpgroup/plan.h"
#include "cuda/ways.h"

namespace minifloat::cuda {

// How a kernel of products is launched.
struct Shape {
  Layout layout;
  int tiles;       // of a block of queries
  int block_rows;  // that a block takes at a time
  int threads;
  int shared_bytes;
  int blocks_at_once;  // of a multiprocessor, where nobody is asked
  int stages;          // of a warp's ring where warpgroups multiply, else 0
  bool has_third;      // plane of queries

  // Each warpgroup has a keeper of its own, as if of a slice of its own.
  int keepers() const { return threads / kWarpgroup; }
};

// That of products by warp, with a keeper of so many bytes.
template <Format F>
Shape shape_by_warp(int tiles, int keeper_bytes) {
  return {Layout::kWarps,   tiles, kBlockRows, kWarpgroup, BlockRing<F>::kBytes + keeper_bytes,
          blocks_of(tiles), 0,     false};
}

// The same of rows that stream.
template <Format F>
Shape shape_by_stream(int keeper_bytes) {
  return {Layout::kChunks, 1, kBlockRows, kWarpgroup, WarpStream<F>::kBytes + keeper_bytes,
          blocks_of(1),    0, false};
}

// That of products by warpgroup, each with a keeper of so many bytes.
template <class Sums>
Shape shape_by_warpgroup(std::int64_t dim, const WarpgroupPlan& plan, int keeper_bytes) {
  const auto bytes = static_cast<int>(block_bytes<Sums>(dim, plan.stages, keeper_bytes));
  return {
      Layout::kWarpgroups, Sums::kTiles, kWarpgroups * kBlockRows, kWarpgroups * kWarpgroup, bytes,
      plan.blocks,         plan.stages,  Sums::kHasThree};
}

// A kernel of products for some rows and queries.
template <class... Parameters>
struct Products {
  void (*kernel)(Parameters...);
  Shape shape;

  int blocks_at_once() const {
    return ways().asks_occupancy ? resident_blocks(kernel, shape.threads, shape.shared_bytes)
                                 : shape.blocks_at_once;
  }
};

struct Plan {
  Queries queries;
  Coordinates coordinates;
  Slices slices;

  Grid grid(const Shape& shape) const {
    return {slices.count * queries.blocks, shape.threads, shape.shared_bytes};
  }
};

// With memory for the queries.
template <class Products>
Plan plan_of(const Sides& sides, std::int64_t count, const Products& products,
             Workspace& workspace) {
  const Shape& shape = products.shape;
  Plan plan{};
  const int planes = planes_of(sides) + static_cast<int>(shape.has_third);
  plan.queries = take_queries(sides, count, shape.tiles, planes, shape.layout, workspace);
  plan.slices =
      slices_of(sides.b.count, plan.queries.blocks, products.blocks_at_once(), shape.block_rows);
  plan.coordinates = take_coordinates(sides, plan.queries, workspace);
  return plan;
}

inline PackedRows packed_rows(const Sides& sides) {
  return {static_cast<const std::uint8_t*>(sides.b.data), sides.b.norms, sides.dim, sides.b.count};
}

}  // namespace minifloat::cuda
