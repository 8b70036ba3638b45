// All scores that reach their query's threshold.

#include <algorithm>
#include <type_traits>

#include "cuda/search/best.h"
#include "cuda/search/plan.h"
#include "cuda/search/reaching.h"

namespace minifloat::cuda {
namespace {

// Whole scores are compared here, with coordinates or without, so one kernel does for both.
template <int kFormat, bool kArePacked, int kTiles, bool kIsLong>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(kTiles))
above_kernel(PackedRows rows, Queries queries, Coordinates coordinates, Slices slices, Reach reach,
             Hits hits, int) {
  const Share share = share_of_block(slices, queries.blocks);
  std::uint8_t* const memory = shared_memory() + BlockRing<kFormatOf<kFormat>>::kBytes;
  Reaching<kTiles * kTileQueries, Bound> reaching(memory, reach, hits, queries, share);
  keep_scores_by_warp<kFormat, kArePacked, kTiles, kIsLong, true>(rows, queries, coordinates, share,
                                                                  reaching);
}

template <int kFormat, bool kArePacked>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(1))
streamed_above_kernel(PackedRows rows, Queries queries, Coordinates coordinates, Slices slices,
                      Reach reach, Hits hits, int) {
  const Share share = share_of_block(slices, queries.blocks);
  std::uint8_t* const memory = shared_memory() + WarpStream<kFormatOf<kFormat>>::kBytes;
  Reaching<kTileQueries, Bound> reaching(memory, reach, hits, queries, share);
  keep_scores_by_stream<kFormat, kArePacked, true>(rows, queries, coordinates, share, reaching);
}

template <class Sums, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroups* kWarpgroup, Sums::blocks(kInFrame))
warpgroup_above_kernel(PackedRows rows, Queries queries, Coordinates coordinates, Slices slices,
                       Reach reach, Hits hits, int stages) {
  if constexpr (multiplies_by_warpgroup()) {
    using FirstLook = std::conditional_t<kInFrame, Bound, typename Sums::FirstLook>;
    using Keeper = Reaching<Sums::kBlockQueries, FirstLook>;
    const Share share = share_of_block(slices, queries.blocks);
    const int steps = static_cast<int>(steps_of(rows.dim)), group = thread_index() / kWarpgroup;
    std::uint8_t* const memory = shared_memory() +
                                 WarpgroupMemory<Sums>::keepers_begin(steps, stages) +
                                 group * Keeper::kBytes;
    Keeper reaching(memory, reach, hits, queries, share);
    keep_scores_by_warpgroup<Sums, kInFrame>(rows, queries, coordinates, share, stages, reaching);
  }
}

using AboveProducts = Products<PackedRows, Queries, Coordinates, Slices, Reach, Hits, int>;

// The kernel that appends hits.
AboveProducts products_of(const Sides& sides, std::int64_t count) {
  AboveProducts chosen{};
  const WarpgroupPlan plan = warpgroup_plan(sides, count, reaching_bytes);
  if (plan.stages > 0) {
    choose_warpgroup_sums(sides, plan.tiles, [&]<class Sums>(std::type_identity<Sums>) {
      choose_bool(sides.b.axes > 0, [&](auto in_frame) {
        chosen = {warpgroup_above_kernel<Sums, in_frame()>,
                  shape_by_warpgroup<Sums>(sides.dim, plan, reaching_bytes(Sums::kBlockQueries))};
      });
    });
  } else if (are_streamed(sides)) {
    choose_streamed_product(sides, [&](auto format, auto packed) {
      chosen = {streamed_above_kernel<format(), packed()>,
                shape_by_stream<kFormatOf<format()>>(reaching_bytes(kTileQueries))};
    });
  } else {
    choose_warp_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
      chosen = {
          above_kernel<format(), packed(), tiles(), is_long()>,
          shape_by_warp<kFormatOf<format()>>(tiles(), reaching_bytes(tiles() * kTileQueries))};
    });
  }
  return chosen;
}

struct Work {
  AboveProducts products;
  Plan plan;
  std::uint8_t* mask;
};

Work work_of(const Sides& sides, std::int64_t count, Workspace& workspace) {
  const AboveProducts products = products_of(sides, count);
  const Plan plan = plan_of(sides, count, products, workspace);
  return {products, plan, workspace.take<std::uint8_t>(sides.b.count)};
}

}  // namespace

std::int64_t above_workspace(const Sides& sides) {
  Workspace workspace;
  work_of(sides, std::min(sides.a.count, kMostQueries), workspace);
  return workspace.size();
}

void above(const Above& asked, const Memory& workspace, const Hits& hits, Between between,
           Stream stream) {
  const Sides& sides = asked.sides;
  fill_memory(hits.total, 0, sizeof(std::int64_t), stream);
  for (std::int64_t first = 0; first < sides.a.count; first += kMostQueries) {
    between();
    Workspace memory(workspace.data, workspace.bytes);
    const Work work = work_of(sides, std::min(kMostQueries, sides.a.count - first), memory);
    const Plan& plan = work.plan;
    lay_out(sides, first, plan.queries, stream);
    lay_out_coordinates(sides, first, plan.queries, plan.coordinates, stream);
    Reach reach{asked.thresholds, first, asked.selection.mask};
    if (asked.selection.ranges) {
      write_mask(asked.selection, sides.b.count, work.mask, stream);
      reach.mask = work.mask;
    }
    const Shape& shape = work.products.shape;
    launch(work.products.kernel, plan.grid(shape), stream, packed_rows(sides), plan.queries,
           plan.coordinates, plan.slices, reach, hits, shape.stages);
  }
}

}  // namespace minifloat::cuda
