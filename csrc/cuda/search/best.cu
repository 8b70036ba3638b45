// The k best rows of each query. A block has a slice of the rows and a block of queries; blocks
// that run at the same time have the same rows, which are then in the second-level cache.

#include "cuda/search/search.h"

#include <algorithm>
#include <bit>

#include "cuda/products/warpgroup/plan.h"
#include "cuda/search/slices.h"

namespace minifloat::cuda {
namespace {

// Scores are compared with a bound.
struct Bound {
  MINIFLOAT_DEVICE static int place(int query) { return query; }
  MINIFLOAT_DEVICE static float of(float bound, float) { return bound; }
};

template <int kFormat, bool kArePacked, int kTiles, bool kIsLong>
MINIFLOAT_KERNEL(Ring::kThreads, blocks_of(kTiles))
search_kernel(Rows rows, Queries queries, const std::uint8_t* selected, std::int64_t slice_rows,
              Found found) {
  constexpr int kQueryCount = kTiles * kTileQueries;
  const std::int64_t slice = block_index() / queries.blocks;
  const std::int64_t begin = slice * slice_rows;
  const std::int64_t end = begin + slice_rows < rows.count ? begin + slice_rows : rows.count;
  const std::int64_t query_block = block_index() % queries.blocks;
  Board<kQueryCount, Bound> board(shared_memory() + Piece<kFormatOf<kFormat>>::kRingBytes, found,
                                  queries, selected, slice, query_block, end);
  const float* const bounds = board.cuts();
  for_each_score<kFormat, kArePacked, kTiles, kIsLong>(
      rows, queries, begin, end, query_block,
      [&](std::int64_t row, std::int64_t query, float score) {
        // NaN is above every bound, and then below every number's key.
        if (!(score < bounds[query - query_block * kQueryCount])) board.add(row, query, score);
      },
      [&](int row_block) { board.settle(row_block); });
  board.write_counts();
}

// Each warpgroup has matches of its own, as if of two slices.
template <int kFormat, bool kArePacked>
MINIFLOAT_KERNEL((WarpgroupProduct<kFormat, kArePacked>::kThreads), 1)
warpgroup_search_kernel(Rows rows, Queries queries, const std::uint8_t* selected,
                        std::int64_t slice_rows, Found found, int stages) {
  if constexpr (multiplies_by_warpgroup()) {
    using P = WarpgroupProduct<kFormat, kArePacked>;
    const std::int64_t slice = block_index() / queries.blocks;
    const std::int64_t begin = slice * slice_rows;
    const std::int64_t end = begin + slice_rows < rows.count ? begin + slice_rows : rows.count;
    const std::int64_t query_block = block_index() % queries.blocks;
    const int steps = static_cast<int>(steps_of(rows.dim)), group = thread_index() / kWarpgroup;
    std::uint8_t* const memory = shared_memory() +
                                 WarpgroupMemory<P>::matches_begin(steps, stages) +
                                 group * board_bytes(P::kQueries, found.capacity);
    Board<P::kQueries, typename P::FirstLook> board(memory, found, queries, selected,
                                                    slice * kWarpgroups + group, query_block, end);
    for_each_match<kFormat, kArePacked>(rows, queries, begin, end, query_block, stages, board);
    board.write_counts();
  }
}

// What a search of some queries at a time needs.
struct Plan {
  Queries queries;
  Slices slices;
  std::int64_t parts;  // of the matches, by slice
  Found found;
  std::uint8_t* selected;
  int stages;  // of a warp's ring where warpgroups multiply, else 0
};

Plan plan_of(const Sides& sides, std::int64_t count, std::int64_t k, Workspace& workspace) {
  Plan plan{};
  const int kept = static_cast<int>(std::min(k, kMostKept));
  const int fewest = kept + std::max(16, kept / 4) + Ring::kRows;
  plan.found.kept = kept;
  plan.found.capacity = static_cast<int>(std::bit_ceil(static_cast<unsigned>(fewest)));
  // Sorting them costs less than letting many pass that a higher threshold would not.
  plan.found.crowd = std::min(kept + std::max(16, kept / 2), plan.found.capacity - Ring::kRows);
  plan.stages = stages_of(sides, plan.found.capacity);
  if (plan.stages > 0) {
    plan.queries =
        take_queries(sides, count, warpgroup_tiles(sides), Order::kWarpgroups, workspace);
    plan.slices = slices_of(sides.b.count, plan.queries.blocks, 1, kWarpgroups * Ring::kRows);
    plan.parts = plan.slices.count * kWarpgroups;
  } else {
    const int tiles = tiles_for(sides);
    plan.queries = take_queries(sides, count, tiles, Order::kWarps, workspace);
    plan.slices = slices_of(sides.b.count, plan.queries.blocks, blocks_of(tiles), Ring::kRows);
    plan.parts = plan.slices.count;
  }
  const std::int64_t padded = plan.queries.blocks * plan.queries.tiles * kTileQueries;
  plan.found.keys = workspace.take<Key>(plan.parts * padded * plan.found.capacity);
  plan.found.counts = workspace.take<int>(plan.parts * padded);
  plan.found.thresholds = workspace.take<Key>(padded);
  plan.found.limits = workspace.take<Key>(padded);
  plan.selected = workspace.take<std::uint8_t>(sides.b.count);
  return plan;
}

// Gathers matches of all slices.
void find(const Sides& sides, const Plan& plan, const Found& found, const std::uint8_t* selected,
          Stream stream) {
  const Rows rows{static_cast<const std::uint8_t*>(sides.b.data), sides.b.norms, sides.dim,
                  sides.b.count};
  const std::int64_t blocks = plan.slices.count * plan.queries.blocks;
  if (plan.stages > 0) {
    choose_operands(sides, [&](auto format, auto packed) {
      using P = WarpgroupProduct<format(), packed()>;
      const auto bytes = block_bytes<P>(sides.dim, plan.stages, found.capacity);
      const Grid grid{blocks, P::kThreads, static_cast<int>(bytes)};
      launch(warpgroup_search_kernel<format(), packed()>, grid, stream, rows, plan.queries,
             selected, plan.slices.rows, found, plan.stages);
    });
  } else {
    choose_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
      const Grid grid{blocks, Ring::kThreads,
                      Piece<kFormatOf<format()>>::kRingBytes +
                          board_bytes(tiles() * kTileQueries, found.capacity)};
      launch(search_kernel<format(), packed(), tiles(), is_long()>, grid, stream, rows,
             plan.queries, selected, plan.slices.rows, found);
    });
  }
}

}  // namespace

std::int64_t chunk_workspace(const Sides& sides, std::int64_t count, std::int64_t k) {
  Workspace workspace;
  plan_of(sides, count, k, workspace);
  return workspace.size();
}

std::int64_t best_workspace(const Sides& sides, std::int64_t k) {
  // The last chunk has fewer queries, and so may have more slices and need more.
  return std::max(chunk_workspace(sides, std::min(sides.a.count, kMostQueries), k),
                  chunk_workspace(sides, sides.a.count % kMostQueries, k));
}

void best(const Best& asked, const Memory& workspace, float* scores, std::int64_t* rows_out,
          Between between, Stream stream) {
  const auto& [sides, selection, k] = asked;
  for (std::int64_t first = 0; first < sides.a.count; first += kMostQueries) {
    between();
    Workspace memory(workspace.data, workspace.bytes);
    const std::int64_t count = std::min(kMostQueries, sides.a.count - first);
    const Plan plan = plan_of(sides, count, k, memory);
    const std::int64_t padded = plan.queries.blocks * plan.queries.tiles * kTileQueries;
    lay_out(sides, first, plan.queries, stream);
    const bool has_ranges = selection.ranges != nullptr;
    if (has_ranges) select(selection, sides.b.count, plan.selected, stream);
    const std::uint8_t* const selected = has_ranges ? plan.selected : selection.mask;
    fill_memory(plan.found.limits, 0xff, padded * sizeof(Key), stream);
    for (std::int64_t done = 0; done < k; done += kMostKept) {
      Found found = plan.found;
      found.kept = static_cast<int>(std::min(kMostKept, k - done));
      fill_memory(found.thresholds, 0, padded * sizeof(Key), stream);
      find(sides, plan, found, selected, stream);
      merge(found, plan.parts, count, padded, k, scores + first * k + done,
            rows_out + first * k + done, stream);
    }
  }
}

}  // namespace minifloat::cuda
