// All scores that reach their query's threshold.

#include <algorithm>
#include <type_traits>

#include "cuda/search/best.h"
#include "cuda/search/plan.h"
#include "cuda/search/reaching.h"

namespace minifloat::cuda {
namespace {

// A keeper of some scores is planned for as a board is, and is smaller than that of the shortest
// lists.
constexpr int kShortest = 1;

// Whole scores are compared here, with coordinates or without, so one kernel does for both.
template <int kFormat, bool kArePacked, int kTiles, bool kIsLong>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(kTiles))
above_kernel(PackedRows rows, Queries queries, std::int64_t slice_rows, Coordinates coordinates,
             Reach reach, Hits hits) {
  const Share share = share_of_block(rows.count, slice_rows, queries.blocks);
  std::uint8_t* const memory = shared_memory() + BlockRing<kFormatOf<kFormat>>::kBytes;
  Reaching<kTiles * kTileQueries, Bound> reaching(memory, reach, hits, queries, share);
  keep_scores_by_warp<kFormat, kArePacked, kTiles, kIsLong, true>(rows, queries, coordinates, share,
                                                                  reaching);
}

template <int kFormat, bool kArePacked>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(1))
streamed_above_kernel(PackedRows rows, Queries queries, std::int64_t slice_rows,
                      Coordinates coordinates, Reach reach, Hits hits) {
  const Share share = share_of_block(rows.count, slice_rows, queries.blocks);
  std::uint8_t* const memory = shared_memory() + WarpStream<kFormatOf<kFormat>>::kBytes;
  Reaching<kTileQueries, Bound> reaching(memory, reach, hits, queries, share);
  keep_scores_by_stream<kFormat, kArePacked, true>(rows, queries, coordinates, share, reaching);
}

template <int kFormat, bool kArePacked, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroups* kWarpgroup, 1)
warpgroup_above_kernel(PackedRows rows, Queries queries, std::int64_t slice_rows,
                       Coordinates coordinates, Reach reach, Hits hits, int stages) {
  if constexpr (multiplies_by_warpgroup()) {
    using Sums = WarpgroupSums<kFormat, kArePacked>;
    using FirstLook = std::conditional_t<kInFrame, Bound, typename Sums::FirstLook>;
    using Keeper = Reaching<Sums::kBlockQueries, FirstLook>;
    static_assert(Keeper::kBytes <= board_bytes(Sums::kBlockQueries, kShortest));
    const Share share = share_of_block(rows.count, slice_rows, queries.blocks);
    const int steps = static_cast<int>(steps_of(rows.dim)), group = thread_index() / kWarpgroup;
    std::uint8_t* const memory = shared_memory() +
                                 WarpgroupMemory<Sums>::keepers_begin(steps, stages) +
                                 group * Keeper::kBytes;
    Keeper reaching(memory, reach, hits, queries, share);
    keep_scores_by_warpgroup<kFormat, kArePacked, kInFrame>(rows, queries, coordinates, share,
                                                            stages, reaching);
  }
}

// Appends the hits of queries that are laid out.
void append(const Sides& sides, const Plan& plan, const Reach& reach, const Hits& hits,
            Stream stream) {
  const PackedRows rows = packed_rows(sides);
  const auto start = [&](auto kernel, const Grid& grid, auto... more) {
    launch(kernel, grid, stream, rows, plan.queries, plan.slices.rows, plan.coordinates, reach,
           hits, more...);
  };
  if (plan.stages > 0) {
    choose_warpgroup_product(sides, [&](auto format, auto packed) {
      const Grid grid = warpgroup_grid<WarpgroupSums<format(), packed()>>(sides, plan, kShortest);
      choose_bool(sides.b.axes > 0, [&](auto in_frame) {
        start(warpgroup_above_kernel<format(), packed(), in_frame()>, grid, plan.stages);
      });
    });
  } else if (plan.are_streamed) {
    choose_streamed_product(sides, [&](auto format, auto packed) {
      const int bytes =
          WarpStream<kFormatOf<format()>>::kBytes + Reaching<kTileQueries, Bound>::kBytes;
      start(streamed_above_kernel<format(), packed()>, Grid{plan.blocks(), kWarpgroup, bytes});
    });
  } else {
    choose_warp_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
      const int bytes =
          BlockRing<kFormatOf<format()>>::kBytes + Reaching<tiles() * kTileQueries, Bound>::kBytes;
      start(above_kernel<format(), packed(), tiles(), is_long()>,
            Grid{plan.blocks(), kWarpgroup, bytes});
    });
  }
}

struct Work {
  Plan plan;
  std::uint8_t* mask;
};

Work work_of(const Sides& sides, std::int64_t count, Workspace& workspace) {
  const Plan plan = plan_of(sides, count, kShortest, workspace);
  return {plan, workspace.take<std::uint8_t>(sides.b.count)};
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
    append(sides, plan, reach, hits, stream);
  }
}

}  // namespace minifloat::cuda
