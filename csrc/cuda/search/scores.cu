// Scores of all rows with all queries.

#include <algorithm>

#include "cuda/products/warpgroup/plan.h"
#include "cuda/search/slices.h"

namespace minifloat::cuda {

// Takes every score. Not in the namespace below, of which the compiler wants all to be called also
// where warpgroups do not multiply.
struct Matrix {
  static constexpr bool kTakesAll = true;
  float* out;
  std::int64_t rows;
  std::int64_t end;
  std::int64_t queries;

  MINIFLOAT_DEVICE void add(std::int64_t row, std::int64_t query, float score) const {
    if (row < end && query < queries) out[query * rows + row] = within_one(score);
  }
};

namespace {

// Queries that are laid out at once.
constexpr std::int64_t kQueries = 1 << 14;

// Consecutive blocks have the same rows, which are then in the second-level cache.
template <int kFormat, bool kArePacked, int kTiles, bool kIsLong>
MINIFLOAT_KERNEL(Ring::kThreads, blocks_of(kTiles))
scores_kernel(Rows rows, Queries queries, std::int64_t slice_rows, float* out) {
  const std::int64_t begin = block_index() / queries.blocks * slice_rows;
  const std::int64_t end = begin + slice_rows < rows.count ? begin + slice_rows : rows.count;
  for_each_score<kFormat, kArePacked, kTiles, kIsLong>(
      rows, queries, begin, end, block_index() % queries.blocks,
      [&](std::int64_t row, std::int64_t query, float score) {
        if (row < end && query < queries.count) out[query * rows.count + row] = within_one(score);
      },
      [](int) {});
}

template <int kFormat, bool kArePacked>
MINIFLOAT_KERNEL((WarpgroupProduct<kFormat, kArePacked>::kThreads), 1)
warpgroup_scores_kernel(Rows rows, Queries queries, std::int64_t slice_rows, float* out,
                        int stages) {
  if constexpr (multiplies_by_warpgroup()) {
    const std::int64_t begin = block_index() / queries.blocks * slice_rows;
    const std::int64_t end = begin + slice_rows < rows.count ? begin + slice_rows : rows.count;
    const Matrix matrix{out, rows.count, end, queries.count};
    for_each_match<kFormat, kArePacked>(rows, queries, begin, end, block_index() % queries.blocks,
                                        stages, matrix);
  }
}

// What scores of some queries at a time need.
struct Plan {
  Queries queries;
  Slices slices;
  int stages;  // of a warp's ring where warpgroups multiply, else 0
};

Plan plan_of(const Sides& sides, std::int64_t count, Workspace& workspace) {
  Plan plan{};
  plan.stages = stages_of(sides, 0);
  if (plan.stages > 0) {
    plan.queries =
        take_queries(sides, count, warpgroup_tiles(sides), Order::kWarpgroups, workspace);
    plan.slices = slices_of(sides.b.count, plan.queries.blocks, 1, kWarpgroups * Ring::kRows);
  } else {
    const int tiles = tiles_for(sides);
    plan.queries = take_queries(sides, count, tiles, Order::kWarps, workspace);
    plan.slices = slices_of(sides.b.count, plan.queries.blocks, blocks_of(tiles), Ring::kRows);
  }
  return plan;
}

}  // namespace

std::int64_t scores_workspace(const Sides& sides) {
  Workspace workspace;
  plan_of(sides, std::min(sides.a.count, kQueries), workspace);
  return workspace.size();
}

void scores(const Sides& sides, const Memory& workspace, float* out, Between between,
            Stream stream) {
  const Rows rows{static_cast<const std::uint8_t*>(sides.b.data), sides.b.norms, sides.dim,
                  sides.b.count};
  for (std::int64_t first = 0; first < sides.a.count; first += kQueries) {
    between();
    Workspace memory(workspace.data, workspace.bytes);
    const std::int64_t count = std::min(kQueries, sides.a.count - first);
    const Plan plan = plan_of(sides, count, memory);
    const std::int64_t blocks = plan.slices.count * plan.queries.blocks;
    float* const part = out + first * sides.b.count;
    lay_out(sides, first, plan.queries, stream);
    if (plan.stages > 0) {
      choose_operands(sides, [&](auto format, auto packed) {
        using P = WarpgroupProduct<format(), packed()>;
        const auto bytes = block_bytes<P>(sides.dim, plan.stages, 0);
        const Grid grid{blocks, P::kThreads, static_cast<int>(bytes)};
        launch(warpgroup_scores_kernel<format(), packed()>, grid, stream, rows, plan.queries,
               plan.slices.rows, part, plan.stages);
      });
    } else {
      choose_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
        const Grid grid{blocks, Ring::kThreads, Piece<kFormatOf<format()>>::kRingBytes};
        launch(scores_kernel<format(), packed(), tiles(), is_long()>, grid, stream, rows,
               plan.queries, plan.slices.rows, part);
      });
    }
  }
}

}  // namespace minifloat::cuda
