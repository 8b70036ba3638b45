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
scores_kernel(PackedRows rows, Queries queries, std::int64_t slice_rows, float* out,
              Coordinates coordinates) {
  const Share share = share_of_block(rows.count, slice_rows, queries.blocks);
  Matrix matrix{out, rows.count, queries.count, share.end};
  keep_scores_by_warp<kFormat, kArePacked, kTiles, kIsLong, kInFrame>(rows, queries, coordinates,
                                                                      share, matrix);
}

template <int kFormat, bool kArePacked, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroups* kWarpgroup, 1)
warpgroup_scores_kernel(PackedRows rows, Queries queries, std::int64_t slice_rows, float* out,
                        int stages, Coordinates coordinates) {
  if constexpr (multiplies_by_warpgroup()) {
    const Share share = share_of_block(rows.count, slice_rows, queries.blocks);
    Matrix matrix{out, rows.count, queries.count, share.end};
    keep_scores_by_warpgroup<kFormat, kArePacked, kInFrame>(rows, queries, coordinates, share,
                                                            stages, matrix);
  }
}

// Writes the scores of queries that are laid out.
template <bool kInFrame>
void multiply(const Sides& sides, const Plan& plan, float* out, Stream stream) {
  const PackedRows rows = packed_rows(sides);
  if (plan.stages > 0) {
    choose_warpgroup_product(sides, [&](auto format, auto packed) {
      using Sums = WarpgroupSums<format(), packed()>;
      const Grid grid = warpgroup_grid<Sums>(sides, plan, 0);
      launch(warpgroup_scores_kernel<format(), packed(), kInFrame>, grid, stream, rows,
             plan.queries, plan.slices.rows, out, plan.stages, plan.coordinates);
    });
  } else {
    choose_warp_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
      const Grid grid{plan.blocks(), kWarpgroup, BlockRing<kFormatOf<format()>>::kBytes};
      launch(scores_kernel<format(), packed(), tiles(), is_long(), kInFrame>, grid, stream, rows,
             plan.queries, plan.slices.rows, out, plan.coordinates);
    });
  }
}

}  // namespace

std::int64_t scores_workspace(const Sides& sides) {
  Workspace workspace;
  plan_of(sides, std::min(sides.a.count, kMostLaidOut), 0, workspace);
  return workspace.size();
}

void scores(const Sides& sides, const Memory& workspace, float* out, Between between,
            Stream stream) {
  for (std::int64_t first = 0; first < sides.a.count; first += kMostLaidOut) {
    between();
    Workspace memory(workspace.data, workspace.bytes);
    const std::int64_t count = std::min(kMostLaidOut, sides.a.count - first);
    const Plan plan = plan_of(sides, count, 0, memory);
    lay_out(sides, first, plan.queries, stream);
    lay_out_coordinates(sides, first, plan.queries, plan.coordinates, stream);
    choose_bool(sides.b.axes > 0, [&](auto in_frame) {
      multiply<in_frame()>(sides, plan, out + first * sides.b.count, stream);
    });
  }
}

}  // namespace minifloat::cuda
