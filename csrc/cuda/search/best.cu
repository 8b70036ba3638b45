// The k best rows of each query.

#include "cuda/search/best.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "cuda/search/plan.h"

namespace minifloat::cuda {
namespace {

template <int kFormat, bool kArePacked, int kTiles, bool kIsLong, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(kTiles))
search_kernel(PackedRows rows, Queries queries, const std::uint8_t* mask, std::int64_t slice_rows,
              Found found, Coordinates coordinates) {
  const Share share = share_of_block(rows.count, slice_rows, queries.blocks);
  std::uint8_t* const memory = shared_memory() + BlockRing<kFormatOf<kFormat>>::kBytes;
  Board<kTiles * kTileQueries, Bound> board(memory, found, queries, mask, share);
  keep_scores_by_warp<kFormat, kArePacked, kTiles, kIsLong, kInFrame>(rows, queries, coordinates,
                                                                      share, board);
  board.write_counts();
}

template <int kFormat, bool kArePacked, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(1))
streamed_search_kernel(PackedRows rows, Queries queries, const std::uint8_t* mask,
                       std::int64_t slice_rows, Found found, Coordinates coordinates) {
  const Share share = share_of_block(rows.count, slice_rows, queries.blocks);
  std::uint8_t* const memory = shared_memory() + WarpStream<kFormatOf<kFormat>>::kBytes;
  Board<kTileQueries, Bound> board(memory, found, queries, mask, share);
  keep_scores_by_stream<kFormat, kArePacked, kInFrame>(rows, queries, coordinates, share, board);
  board.write_counts();
}

template <int kFormat, bool kArePacked, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroups* kWarpgroup, 1)
warpgroup_search_kernel(PackedRows rows, Queries queries, const std::uint8_t* mask,
                        std::int64_t slice_rows, Found found, int stages, Coordinates coordinates) {
  if constexpr (multiplies_by_warpgroup()) {
    using Sums = WarpgroupSums<kFormat, kArePacked>;
    const Share share = share_of_block(rows.count, slice_rows, queries.blocks);
    const int steps = static_cast<int>(steps_of(rows.dim)), group = thread_index() / kWarpgroup;
    std::uint8_t* const memory = shared_memory() +
                                 WarpgroupMemory<Sums>::keepers_begin(steps, stages) +
                                 group * board_bytes(Sums::kBlockQueries, found.capacity);
    // Each warpgroup has lists of its own, as if of two slices.
    const Share mine{share.slice * kWarpgroups + group, share.begin, share.end, share.query_block};
    using FirstLook = std::conditional_t<kInFrame, Bound, typename Sums::FirstLook>;
    Board<Sums::kBlockQueries, FirstLook> board(memory, found, queries, mask, mine);
    keep_scores_by_warpgroup<kFormat, kArePacked, kInFrame>(rows, queries, coordinates, share,
                                                            stages, board);
    board.write_counts();
  }
}

// What a search of some queries at a time needs.
struct Search {
  Plan plan;
  Found found;
  std::uint8_t* mask;
};

Search search_of(const Sides& sides, std::int64_t count, std::int64_t k, Workspace& workspace) {
  Found found{};
  found.kept = static_cast<int>(std::min(k, kMostKept));
  const int fewest = found.kept + std::max(16, found.kept / 4) + kBlockRows;
  found.capacity = static_cast<int>(std::bit_ceil(static_cast<unsigned>(fewest)));
  // Sorting costs less than letting pass what a higher threshold would not.
  found.crowd = std::min(found.kept + std::max(16, found.kept / 2), found.capacity - kBlockRows);
  const Plan plan = plan_of(sides, count, found.capacity, workspace);
  found.slices = plan.slices.count * (plan.stages > 0 ? kWarpgroups : 1);
  found.queries = plan.queries.padded();
  found.keys = workspace.take<Key>(found.slices * found.queries * found.capacity);
  found.counts = workspace.take<int>(found.slices * found.queries);
  found.thresholds = workspace.take<Key>(found.queries);
  found.limits = workspace.take<Key>(found.queries);
  return {plan, found, workspace.take<std::uint8_t>(sides.b.count)};
}

// Gathers the matches of all slices.
template <bool kInFrame>
void gather(const Sides& sides, const Plan& plan, const Found& found, const std::uint8_t* mask,
            Stream stream) {
  const PackedRows rows = packed_rows(sides);
  if (plan.stages > 0) {
    choose_warpgroup_product(sides, [&](auto format, auto packed) {
      using Sums = WarpgroupSums<format(), packed()>;
      const Grid grid = warpgroup_grid<Sums>(sides, plan, found.capacity);
      launch(warpgroup_search_kernel<format(), packed(), kInFrame>, grid, stream, rows,
             plan.queries, mask, plan.slices.rows, found, plan.stages, plan.coordinates);
    });
  } else if (plan.are_streamed) {
    choose_streamed_product(sides, [&](auto format, auto packed) {
      const Grid grid{
          plan.blocks(), kWarpgroup,
          WarpStream<kFormatOf<format()>>::kBytes + board_bytes(kTileQueries, found.capacity)};
      launch(streamed_search_kernel<format(), packed(), kInFrame>, grid, stream, rows, plan.queries,
             mask, plan.slices.rows, found, plan.coordinates);
    });
  } else {
    choose_warp_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
      const Grid grid{plan.blocks(), kWarpgroup,
                      BlockRing<kFormatOf<format()>>::kBytes +
                          board_bytes(tiles() * kTileQueries, found.capacity)};
      launch(search_kernel<format(), packed(), tiles(), is_long(), kInFrame>, grid, stream, rows,
             plan.queries, mask, plan.slices.rows, found, plan.coordinates);
    });
  }
}

}  // namespace

std::int64_t chunk_workspace(const Sides& sides, std::int64_t count, std::int64_t k) {
  Workspace workspace;
  search_of(sides, count, k, workspace);
  return workspace.size();
}

std::int64_t best_workspace(const Sides& sides, std::int64_t k) {
  // The last chunk has fewer queries, and so may have more slices and need more.
  return std::max(chunk_workspace(sides, std::min(sides.a.count, kMostQueries), k),
                  chunk_workspace(sides, sides.a.count % kMostQueries, k));
}

void best(const Best& asked, const Memory& workspace, float* scores, std::int64_t* rows,
          Between between, Stream stream) {
  const auto& [sides, selection, k] = asked;
  for (std::int64_t first = 0; first < sides.a.count; first += kMostQueries) {
    between();
    Workspace memory(workspace.data, workspace.bytes);
    const std::int64_t count = std::min(kMostQueries, sides.a.count - first);
    const Search search = search_of(sides, count, k, memory);
    const std::int64_t key_bytes = search.found.queries * sizeof(Key);
    const Plan& plan = search.plan;
    lay_out(sides, first, plan.queries, stream);
    lay_out_coordinates(sides, first, plan.queries, plan.coordinates, stream);
    const std::uint8_t* mask = selection.mask;
    if (selection.ranges) {
      write_mask(selection, sides.b.count, search.mask, stream);
      mask = search.mask;
    }
    fill_memory(search.found.limits, 0xff, key_bytes, stream);
    for (std::int64_t done = 0; done < k; done += kMostKept) {
      Found found = search.found;
      found.kept = static_cast<int>(std::min(kMostKept, k - done));
      fill_memory(found.thresholds, 0, key_bytes, stream);
      choose_bool(sides.b.axes > 0,
                  [&](auto in_frame) { gather<in_frame()>(sides, plan, found, mask, stream); });
      const std::int64_t at = first * k + done;
      merge(found, count, {scores + at, rows + at, k}, stream);
    }
  }
}

}  // namespace minifloat::cuda
