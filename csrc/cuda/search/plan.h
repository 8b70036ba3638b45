#pragma once

// Who multiplies so many queries at a time with all rows, and how the work is shared out.

#include "cuda/products/warp/plan.h"
#include "cuda/products/warpgroup/plan.h"
#include "cuda/search/board.h"

namespace minifloat::cuda {

struct Plan {
  Queries queries;
  Coordinates coordinates;
  Slices slices;
  int stages;  // of a warp's ring where warpgroups multiply, else 0
  bool are_streamed;

  std::int64_t blocks() const { return slices.count * queries.blocks; }
};

// With memory for the queries; lists of a board have room for so many keys, none where there is no
// board.
inline Plan plan_of(const Sides& sides, std::int64_t count, int capacity, Workspace& workspace) {
  Plan plan{};
  plan.stages = stages_of(sides, [&](int queries) { return board_bytes(queries, capacity); });
  if (plan.stages > 0) {
    plan.queries =
        take_queries(sides, count, warpgroup_tiles(sides), Layout::kWarpgroups, workspace);
    plan.slices = slices_of(sides.b.count, plan.queries.blocks, 1, kWarpgroups * kBlockRows);
  } else {
    const int tiles = warp_tiles(sides);
    plan.are_streamed = capacity > 0 && are_streamed(sides);
    const Layout layout = plan.are_streamed ? Layout::kChunks : Layout::kWarps;
    plan.queries = take_queries(sides, count, tiles, layout, workspace);
    plan.slices = slices_of(sides.b.count, plan.queries.blocks, blocks_of(tiles), kBlockRows);
  }
  plan.coordinates = take_coordinates(sides, plan.queries, workspace);
  return plan;
}

inline PackedRows packed_rows(const Sides& sides) {
  return {static_cast<const std::uint8_t*>(sides.b.data), sides.b.norms, sides.dim, sides.b.count};
}

// Of the kernel in which warpgroups multiply.
template <class Sums>
Grid warpgroup_grid(const Sides& sides, const Plan& plan, int capacity) {
  const auto bytes =
      block_bytes<Sums>(sides.dim, plan.stages, board_bytes(Sums::kBlockQueries, capacity));
  return {plan.blocks(), kWarpgroups * kWarpgroup, static_cast<int>(bytes)};
}

}  // namespace minifloat::cuda
