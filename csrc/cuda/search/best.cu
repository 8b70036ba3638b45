// The k best rows of each query.

#include "cuda/search/best.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "cuda/search/board.h"
#include "cuda/search/parts.h"
#include "cuda/search/plan.h"

namespace minifloat::cuda {
namespace {

template <int kFormat, bool kArePacked, int kTiles, bool kIsLong, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(kTiles))
search_kernel(PackedRows rows, Queries queries, Coordinates coordinates, const std::uint8_t* mask,
              Slices slices, Found found, int) {
  const Share share = share_of_block(slices, queries.blocks);
  std::uint8_t* const memory = shared_memory() + BlockRing<kFormatOf<kFormat>>::kBytes;
  Board<kTiles * kTileQueries, Bound> board(memory, found, queries, mask, share);
  keep_scores_by_warp<kFormat, kArePacked, kTiles, kIsLong, kInFrame>(rows, queries, coordinates,
                                                                      share, board);
  board.write_counts();
}

template <int kFormat, bool kArePacked, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroup, blocks_of(1))
streamed_search_kernel(PackedRows rows, Queries queries, Coordinates coordinates,
                       const std::uint8_t* mask, Slices slices, Found found, int) {
  const Share share = share_of_block(slices, queries.blocks);
  std::uint8_t* const memory = shared_memory() + WarpStream<kFormatOf<kFormat>>::kBytes;
  Board<kTileQueries, Bound> board(memory, found, queries, mask, share);
  keep_scores_by_stream<kFormat, kArePacked, kInFrame>(rows, queries, coordinates, share, board);
  board.write_counts();
}

template <class Sums, bool kInFrame>
MINIFLOAT_KERNEL(kWarpgroups* kWarpgroup, Sums::blocks(kInFrame))
warpgroup_search_kernel(PackedRows rows, Queries queries, Coordinates coordinates,
                        const std::uint8_t* mask, Slices slices, Found found, int stages) {
  if constexpr (multiplies_by_warpgroup()) {
    const Share share = share_of_block(slices, queries.blocks);
    const int steps = static_cast<int>(steps_of(rows.dim)), group = thread_index() / kWarpgroup;
    std::uint8_t* const memory = shared_memory() +
                                 WarpgroupMemory<Sums>::keepers_begin(steps, stages) +
                                 group * board_bytes(Sums::kBlockQueries, found.lists);
    // Each warpgroup has lists of its own, as if of two slices.
    const Share mine{share.slice * kWarpgroups + group, share.begin, share.end, share.query_block};
    using FirstLook = std::conditional_t<kInFrame, Bound, typename Sums::FirstLook>;
    Board<Sums::kBlockQueries, FirstLook> board(memory, found, queries, mask, mine);
    keep_scores_by_warpgroup<Sums, kInFrame>(rows, queries, coordinates, share, stages, board);
    board.write_counts();
  }
}

using SearchProducts =
    Products<PackedRows, Queries, Coordinates, const std::uint8_t*, Slices, Found, int>;

// The kernel that gathers matches.
template <bool kInFrame>
SearchProducts products_of(const Sides& sides, std::int64_t count, const Lists& lists) {
  SearchProducts chosen{};
  const auto keeper_bytes = [&](int queries) { return board_bytes(queries, lists); };
  const WarpgroupPlan plan = warpgroup_plan(sides, count, keeper_bytes);
  if (plan.stages > 0) {
    choose_warpgroup_sums(sides, plan.tiles, [&]<class Sums>(std::type_identity<Sums>) {
      chosen = {warpgroup_search_kernel<Sums, kInFrame>,
                shape_by_warpgroup<Sums>(sides.dim, plan, keeper_bytes(Sums::kBlockQueries))};
    });
  } else if (are_streamed(sides)) {
    choose_streamed_product(sides, [&](auto format, auto packed) {
      chosen = {streamed_search_kernel<format(), packed(), kInFrame>,
                shape_by_stream<kFormatOf<format()>>(keeper_bytes(kTileQueries))};
    });
  } else {
    choose_warp_product(sides, [&](auto format, auto packed, auto tiles, auto is_long) {
      chosen = {search_kernel<format(), packed(), tiles(), is_long(), kInFrame>,
                shape_by_warp<kFormatOf<format()>>(tiles(), keeper_bytes(tiles() * kTileQueries))};
    });
  }
  return chosen;
}

// What a search of some queries at a time needs.
struct Search {
  SearchProducts products;
  Plan plan;
  Found found;
  std::uint8_t* mask;
};

Search search_of(const Sides& sides, std::int64_t count, std::int64_t k, Workspace& workspace) {
  Search search{};
  Found& found = search.found;
  found.kept = static_cast<int>(std::min(k, kMostKept));
  found.lists = lists_of(found.kept, sides.a.count <= kTileQueries);
  choose_bool(sides.b.axes > 0, [&](auto in_frame) {
    search.products = products_of<in_frame()>(sides, count, found.lists);
  });
  search.plan = plan_of(sides, count, search.products, workspace);
  found.slices = search.plan.slices.count * search.products.shape.keepers();
  found.queries = search.plan.queries.padded();
  found.keys = workspace.take<Key>(found.slices * found.queries * found.lists.capacity);
  found.counts = workspace.take<int>(found.slices * found.queries);
  found.thresholds = workspace.take<Key>(found.queries);
  found.limits = workspace.take<Key>(found.queries);
  search.mask = workspace.take<std::uint8_t>(sides.b.count);
  return search;
}

Sought sought_of(const Search& search, const Found& round) {
  return {search.plan.queries.count, search.products.shape.tiles * kTileQueries, round.slices,
          round.kept};
}

// Finds the best of those that take part and are below the limits.
void find(const Sides& sides, const Search& search, const Found& round, const std::uint8_t* mask,
          const Answers& answers, Stream stream) {
  const Plan& plan = search.plan;
  const Shape& shape = search.products.shape;
  Found found = round;
  for (const Slices& part : parts_of(plan.slices, shape.block_rows, sought_of(search, round))) {
    found.goes_on = part.begin > 0;
    launch(search.products.kernel, plan.grid(shape), stream, packed_rows(sides), plan.queries,
           plan.coordinates, mask, part, found, shape.stages);
    if (part.end < plan.slices.end) raise_thresholds(found, plan.queries.count, stream);
  }
  merge(found, plan.queries.count, answers, stream);
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

Course course_of(const Sides& sides, std::int64_t count, std::int64_t k) {
  Workspace workspace;
  const Search search = search_of(sides, count, k, workspace);
  const Sought sought = sought_of(search, search.found);
  const int block_rows = search.products.shape.block_rows;
  return {search.found.lists, sought, block_rows, parts_of(search.plan.slices, block_rows, sought)};
}

void best(const Best& asked, const Memory& workspace, float* scores, std::int64_t* rows,
          Between between, Stream stream) {
  const auto& [sides, selection, k] = asked;
  for (std::int64_t first = 0; first < sides.a.count; first += kMostQueries) {
    between();
    Workspace memory(workspace.data, workspace.bytes);
    const std::int64_t count = std::min(kMostQueries, sides.a.count - first);
    const Search search = search_of(sides, count, k, memory);
    const Plan& plan = search.plan;
    lay_out(sides, first, plan.queries, stream);
    lay_out_coordinates(sides, first, plan.queries, plan.coordinates, stream);
    const std::uint8_t* mask = selection.mask;
    if (selection.ranges) {
      write_mask(selection, sides.b.count, search.mask, stream);
      mask = search.mask;
    }
    // No threshold yet.
    fill_memory(search.found.thresholds, 0, search.found.queries * sizeof(Key), stream);
    for (std::int64_t done = 0; done < k; done += kMostKept) {
      Found round = search.found;
      round.kept = static_cast<int>(std::min(kMostKept, k - done));
      round.is_limited = done > 0;
      const std::int64_t at = first * k + done;
      find(sides, search, round, mask, {scores + at, rows + at, k}, stream);
    }
  }
}

}  // namespace minifloat::cuda
