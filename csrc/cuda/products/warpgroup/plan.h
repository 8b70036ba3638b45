#pragma once

// Whether warpgroups multiply, and with how much memory.

#include "cuda/products/warpgroup/matches.h"
#include "cuda/search/board.h"

namespace minifloat::cuda {

// Bytes that a block shares on compute capability 9.0, at most.
inline constexpr int kWarpgroupShared = 227 << 10;

// Fewer queries leave most of a block's tiles empty.
inline constexpr std::int64_t kFewestQueries = 65;

// Copies of the next piece at least; more than two of them hide no more of the memory's latency.
inline constexpr int kFewestStages = 2, kMostStages = 4;

// A block's memory, with matches of so many keys.
template <class P>
constexpr std::int64_t block_bytes(std::int64_t dim, int stages, int capacity) {
  const std::int64_t steps = steps_of(dim);
  if (steps * P::kStepBytes > kWarpgroupShared) return steps * P::kStepBytes;
  return WarpgroupMemory<P>::matches_begin(static_cast<int>(steps), stages) +
         kWarpgroups * board_bytes(P::kQueries, capacity);
}

// Calls use(format, whether queries are packed) with constants.
template <class Use>
void choose_operands(const Sides& sides, Use use) {
  choose_format(sides.format, [&](auto format) {
    choose_bool(sides.a.is_packed, [&](auto packed) { use(format, packed); });
  });
}

// Of each block of queries.
inline int warpgroup_tiles(const Sides& sides) {
  int tiles = 0;
  choose_operands(sides, [&](auto format, auto packed) {
    tiles = WarpgroupProduct<format(), packed()>::kTiles;
  });
  return tiles;
}

// Stages of the warps' rings, none where warpgroups had better not multiply: bulk
// copies take whole blocks of 16 bytes.
inline int stages_of(const Sides& sides, int capacity) {
  if (!has_warpgroup_products()) return 0;
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(sides.b.data) % 16 == 0;
  if (sides.a.count < kFewestQueries || sides.dim == 0 || sides.dim % kStepCodes != 0 ||
      !is_aligned) {
    return 0;
  }
  int stages = kMostStages;
  choose_operands(sides, [&](auto format, auto packed) {
    using P = WarpgroupProduct<format(), packed()>;
    while (stages > 0 && block_bytes<P>(sides.dim, stages, capacity) > kWarpgroupShared) --stages;
  });
  return stages < kFewestStages ? 0 : stages;
}

}  // namespace minifloat::cuda
