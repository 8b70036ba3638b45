#pragma once

// Which kernel multiplies by warp.

#include "cuda/device/choices.h"
#include "cuda/operators.h"
#include "cuda/products/warp/scores.h"

namespace minifloat::cuda {

// Tiles of a block of many queries: as many as there are registers for the sums, which are four of
// each product in an int16 lane.
constexpr int many_tiles(Format f) { return lane(f) == Lane::kInt16 ? 4 : 8; }

// Blocks that a multiprocessor runs at once: as many as registers, and shared memory for the rings,
// allow.
constexpr int blocks_of(int tiles) { return tiles == 1 ? 4 : 2; }

// Whether sums of integers may not fit in an int32.
inline bool is_long(const Sides& sides) {
  return lane(kFormats[sides.format].format) != Lane::kFloat && steps_of(sides.dim) > kExactSteps;
}

// Tiles of each block of queries; long sums leave registers for one only.
inline int warp_tiles(const Sides& sides) {
  const int many = many_tiles(kFormats[sides.format].format);
  return sides.a.count <= kTileQueries || is_long(sides) ? 1 : many;
}

// Calls use(format, whether queries are packed, tiles, whether sums are long) with constants.
template <class Use>
void choose_warp_product(const Sides& sides, Use use) {
  choose_format(sides.format, [&](auto format) {
    choose_bool(sides.a.is_packed, [&](auto packed) {
      if (warp_tiles(sides) > 1) {
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

}  // namespace minifloat::cuda
