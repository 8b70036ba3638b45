#pragma once

// Which kernel multiplies by warp.

#include "cuda/device/choices.h"
#include "cuda/operators.h"
#include "cuda/products/warp/scores.h"
#include "cuda/products/warp/streamed.h"
#include "cuda/ways.h"

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

// Elements of a row that streams: sums of so many products of bytes, unsigned ones too, fit in an
// int32.
inline constexpr std::int64_t kMostStreamed = 1 << 16;

// Whether rows stream to the lanes that multiply them: few queries, and rows of whole vectors.
inline bool are_streamed(const Sides& sides) {
  constexpr int kVectorBits = 8 * static_cast<int>(sizeof(Words4));
  const int bits = kFormats[sides.format].format.bits();
  return ways().streams_rows && sides.a.count <= kTileQueries && sides.dim > 0 &&
         sides.dim <= kMostStreamed && sides.dim * bits % kVectorBits == 0 &&
         reinterpret_cast<std::uintptr_t>(sides.b.data) % sizeof(Words4) == 0;
}

// Calls use(format, whether queries are packed) with constants.
template <class Use>
void choose_streamed_product(const Sides& sides, Use use) {
  choose_format(sides.format, [&](auto format) {
    choose_bool(sides.a.is_packed, [&](auto packed) { use(format, packed); });
  });
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
