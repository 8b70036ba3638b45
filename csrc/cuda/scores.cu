// Scores of all rows with all queries.

#include <algorithm>

#include "slices.h"

namespace minifloat::cuda {
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
        if (row < end && query < queries.count) out[query * rows.count + row] = score;
      },
      [](int) {});
}

}  // namespace

std::int64_t scores_workspace(const Sides& sides) {
  Workspace workspace(nullptr);
  take_queries(sides, std::min(sides.a_count, kQueries), tiles_for(sides), Order::kWarps,
               workspace);
  return workspace.size();
}

void scores(const Sides& sides, std::uint8_t* workspace, float* out, Stream stream) {
  const Rows rows{sides.b, sides.b_norms, sides.dim, sides.b_count};
  for (std::int64_t first = 0; first < sides.a_count; first += kQueries) {
    Workspace memory(workspace);
    const std::int64_t count = std::min(kQueries, sides.a_count - first);
    const int tiles = tiles_for(sides);
    const Queries queries = take_queries(sides, count, tiles, Order::kWarps, memory);
    lay_out(sides, first, queries, stream);
    choose_product(sides, [&](auto format, auto packed, auto tile_count, auto is_long) {
      const Slices slices =
          slices_of(rows.count, queries.blocks, blocks_of(queries.tiles), Ring::kRows);
      const Grid grid{slices.count * queries.blocks, Ring::kThreads,
                      Piece<kFormatOf<format()>>::kRingBytes};
      launch(scores_kernel<format(), packed(), tile_count(), is_long()>, grid, stream, rows,
             queries, slices.rows, out + first * sides.b_count);
    });
  }
}

}  // namespace minifloat::cuda
