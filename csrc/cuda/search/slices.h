#pragma once

// How scores and search are shared out among blocks, and which kernel multiplies.

#include <algorithm>

#include "cuda/codec/runs.h"
#include "cuda/products/warp.h"

namespace minifloat::cuda {

// Tiles of queries that a block of many queries multiplies with each row: as many as registers have
// sums for, which are four of each product in an int16 lane.
constexpr int many_tiles(Format f) { return lane(f) == Lane::kInt16 ? 4 : 8; }

// Blocks that a multiprocessor runs at once: registers, and shared memory for the ring, allow so
// many.
constexpr int blocks_of(int tiles) { return tiles == 1 ? 4 : 2; }

inline bool is_long(const Sides& sides) {
  return lane(kFormats[sides.format].format) != Lane::kFloat && steps_of(sides.dim) > kExactSteps;
}

// Long sums leave registers for one tile only.
inline int tiles_for(const Sides& sides) {
  const int many = many_tiles(kFormats[sides.format].format);
  return sides.a.count <= kTileQueries || is_long(sides) ? 1 : many;
}

// Calls use(format, whether queries are packed, tiles, whether sums are long) with constants.
template <class Use>
void choose_product(const Sides& sides, Use use) {
  choose_format(sides.format, [&](auto format) {
    choose_bool(sides.a.is_packed, [&](auto packed) {
      if (tiles_for(sides) > 1) {
        use(format, packed, Index<many_tiles(kFormatOf<format()>)>{}, std::false_type{});
      } else if constexpr (lane(kFormatOf<format()>) == Lane::kFloat) {
        use(format, packed, Index<1>{}, std::false_type{});
      } else {
        choose_bool(is_long(sides),
                    [&](auto is_long) { use(format, packed, Index<1>{}, is_long); });
      }
    });
  });
}

// Slices of the rows, of whole row blocks: as many as keep a device busy.
struct Slices {
  std::int64_t count;
  std::int64_t rows;  // of each but the last
};

inline Slices slices_of(std::int64_t rows, std::int64_t query_blocks, int blocks_at_once,
                        std::int64_t block_rows) {
  const std::int64_t wanted = std::int64_t{multiprocessor_count()} * blocks_at_once;
  const std::int64_t shares =
      std::max<std::int64_t>(1, wanted / std::max<std::int64_t>(1, query_blocks));
  const std::int64_t row_blocks = (rows + block_rows - 1) / block_rows;
  const std::int64_t each = std::max<std::int64_t>(1, (row_blocks + shares - 1) / shares);
  return {(row_blocks + each - 1) / each, each * block_rows};
}

}  // namespace minifloat::cuda
