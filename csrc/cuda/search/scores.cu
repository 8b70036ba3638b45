// Scores of all rows with all queries.

#include <algorithm>

#include "cuda/search/matrix.h"
#include "cuda/search/plan.h"

namespace minifloat::cuda {
namespace {

// Queries that are laid out at once.
constexpr std::int64_t kMostLaidOut = 1 << 14;

template <int kFormat, bool kArePacked, int kTiles, bool kIsLong, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(kTiles))
scores_kernel(PackedRows rows, Queries queries, Coordinates coordinates, Slices slices, float* out,
              int) {
  const Share share = share_of_block(slices, queries.blocks);
  Matrix matrix{out, rows.count, queries.count, share.end};
  keep_scores_by_warp<kFormat, kArePacked, kTiles, kIsLong, kInFrame>(rows, queries, coordinates,
                                                                      share, matrix);
}

template <class Sums, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroups* kWarpgroup, Sums::blocks(kInFrame))
warpgroup_scores_kernel(PackedRows rows, Queries queries, Coordinates coordinates, Slices slices,
                        float* out, int stages) {
  if constexpr (multiplies_by_warpgroup()) {
    const Share share = share_of_block(slices, queries.blocks);
    Matrix matrix{out, rows.count, queries.count, share.end};
    keep_scores_by_warpgroup<Sums, kInFrame>(rows, queries, coordinates, share, stages, matrix);
  }
}

using ScoresProducts = Products<PackedRows, Queries, Coordinates, Slices, float*, int>;

// The kernel that writes scores.
template <bool kInFrame>
ScoresProducts products_of(const Sides& sides, std::int64_t count) {
  ScoresProducts chosen{};
  const WarpgroupPlan plan = warpgroup_plan(sides, count, [](int) { return 0; });
  if (plan.stages > 0) {
    choose_warpgroup_sums(sides, plan.tiles, [&]<class Sums>(std::type_identity<Sums>) {
      chosen = {warpgroup_scores_kernel<Sums, kInFrame>,
                shape_by_warpgroup<Sums>(sides.dim, plan, 0)};
    });
  } else {
    choose_warp_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
      chosen = {scores_kernel<format(), packed(), tiles(), is_long(), kInFrame>,
                shape_by_warp<kFormatOf<format()>>(tiles(), 0)};
    });
  }
  return chosen;
}

ScoresProducts products_of(const Sides& sides) {
  const std::int64_t count = std::min(sides.a.count, kMostLaidOut);
  return sides.b.axes > 0 ? products_of<true>(sides, count) : products_of<false>(sides, count);
}

}  // namespace

std::int64_t scores_workspace(const Sides& sides) {
  Workspace workspace;
  plan_of(sides, std::min(sides.a.count, kMostLaidOut), products_of(sides), workspace);
  return workspace.size();
}

void scores(const Sides& sides, const Memory& workspace, float* out, Between between,
            Stream stream) {
  const ScoresProducts products = products_of(sides);
  for (std::int64_t first = 0; first < sides.a.count; first += kMostLaidOut) {
    between();
    Workspace memory(workspace.data, workspace.bytes);
    const std::int64_t count = std::min(kMostLaidOut, sides.a.count - first);
    const Plan plan = plan_of(sides, count, products, memory);
    lay_out(sides, first, plan.queries, stream);
    lay_out_coordinates(sides, first, plan.queries, plan.coordinates, stream);
    launch(products.kernel, plan.grid(products.shape), stream, packed_rows(sides), plan.queries,
           plan.coordinates, plan.slices, out + first * sides.b.count, products.shape.stages);
  }
}

}  // namespace minifloat::cuda
