#pragma once

// Whether warpgroups multiply, and with how much memory.

#include "cuda/device/choices.h"
#include "cuda/operators.h"
#include "cuda/products/warpgroup/scores.h"

namespace minifloat::cuda {

// Bytes that a block may share on compute capability 9.0.
inline constexpr int kMostShared = 227 << 10;

// Fewer queries leave most of a block's tiles empty.
inline constexpr std::int64_t kFewestQueries = 65;

// Two let the next piece be copied while one is multiplied, and more than four hide no more of the
// memory's latency.
inline constexpr int kFewestStages = 2, kMostStages = 4;

// What a block shares, where the keeper of each warpgroup has so many bytes.
template <class Sums>
constexpr std::int64_t block_bytes(std::int64_t dim, int stages, int keeper_bytes) {
  const std::int64_t steps = steps_of(dim);
  // What is too much is not counted further, for its steps may be too many for an int.
  if (steps * Sums::kStepBytes > kMostShared) return steps * Sums::kStepBytes;
  return WarpgroupMemory<Sums>::keepers_begin(static_cast<int>(steps), stages) +
         kWarpgroups * keeper_bytes;
}

// Calls use(format, whether queries are packed) with constants.
template <class Use>
void choose_warpgroup_product(const Sides& sides, Use use) {
  choose_format(sides.format, [&](auto format) {
    choose_bool(sides.a.is_packed, [&](auto packed) { use(format, packed); });
  });
}

// Tiles of each block of queries.
inline int warpgroup_tiles(const Sides& sides) {
  int tiles = 0;
  choose_warpgroup_product(
      sides, [&](auto format, auto packed) { tiles = WarpgroupSums<format(), packed()>::kTiles; });
  return tiles;
}

// Stages of the warps' rings, or 0 where warpgroups had better not multiply, where the keeper of
// each has keeper_bytes(queries of a block).
template <class KeeperBytes>
int stages_of(const Sides& sides, KeeperBytes keeper_bytes) {
  if (!has_warpgroup_products()) return 0;
  // Bulk copies take whole vectors.
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(sides.b.data) % 16 == 0;
  if (sides.a.count < kFewestQueries || sides.dim == 0 || sides.dim % kStepCodes != 0 ||
      !is_aligned) {
    return 0;
  }
  int stages = kMostStages;
  choose_warpgroup_product(sides, [&](auto format, auto packed) {
    using Sums = WarpgroupSums<format(), packed()>;
    const int bytes = keeper_bytes(Sums::kBlockQueries);
    while (stages > 0 && block_bytes<Sums>(sides.dim, stages, bytes) > kMostShared) --stages;
  });
  return stages < kFewestStages ? 0 : stages;
}

}  // namespace minifloat::cuda
