#pragma once

// Whether warpgroups multiply, how many queries at a time, and with how much memory.

#include <bit>
#include <type_traits>

#include "cuda/operators.h"
#include "cuda/products/warpgroup/scores.h"
#include "cuda/ways.h"

namespace minifloat::cuda {

// What blocks on a multiprocessor of compute capability 9.0 may share at most, where it runs so
// many at once: it keeps 1 KB of its 228 for each.
constexpr int most_shared(int blocks) { return (228 << 10) / blocks - (1 << 10); }

// Two let the next piece be copied while one is multiplied, and more than four hide no more of the
// memory's latency.
inline constexpr int kFewestStages = 2, kMostStages = 4;

// With fewer, decoding rows takes longer than multiplying them, and no registers are saved.
inline constexpr int kFewestTiles = 4;

// What a block shares, where the keeper of each warpgroup has so many bytes.
template <class Sums>
constexpr std::int64_t block_bytes(std::int64_t dim, int stages, int keeper_bytes) {
  const std::int64_t steps = steps_of(dim);
  // What is too much is not counted further, for its steps may be too many for an int.
  if (steps * Sums::kStepBytes > most_shared(1)) return steps * Sums::kStepBytes;
  return WarpgroupMemory<Sums>::keepers_begin(static_cast<int>(steps), stages) +
         kWarpgroups * keeper_bytes;
}

constexpr int fewer_tiles(int tiles) {
  return static_cast<int>(std::bit_floor(static_cast<unsigned>(tiles - 1)));
}

// Calls use(std::type_identity<Sums>) for kTiles tiles, and then for fewer and fewer.
template <int kFormat, bool kArePacked, int kTiles, class Use>
void each_sums(Use use) {
  if constexpr (kTiles >= kFewestTiles) {
    use(std::type_identity<WarpgroupSums<kFormat, kArePacked, kTiles>>{});
    each_sums<kFormat, kArePacked, fewer_tiles(kTiles)>(use);
  }
}

// The same for all that multiply such rows and queries.
template <class Use>
void each_warpgroup_sums(const Sides& sides, Use use) {
  choose_format(sides.format, [&](auto format) {
    choose_bool(sides.a.is_packed, [&](auto packed) {
      constexpr Format F = kFormatOf<format()>;
      constexpr int kMost = kHasTwoBytes<F, packed()> ? kTilesOfThree : kMostTiles<F, packed()>;
      each_sums<format(), packed(), kMost>(use);
    });
  });
}

// Calls use(std::type_identity<Sums>) for those of so many tiles.
template <class Use>
void choose_warpgroup_sums(const Sides& sides, int tiles, Use use) {
  each_warpgroup_sums(sides, [&]<class Sums>(std::type_identity<Sums> sums) {
    if (Sums::kTiles == tiles) use(sums);
  });
}

struct WarpgroupPlan {
  int tiles;   // of each block of queries
  int planes;  // of queries
  int stages;  // of the warps' rings, or 0 where warpgroups had better not multiply
  int blocks;  // that a multiprocessor runs at once
};

// As many blocks at once as there are registers for, unless a block's memory leaves no room for
// them, and then as many stages.
template <class Sums>
WarpgroupPlan plan_with(const Sides& sides, int keeper_bytes) {
  int blocks = Sums::hold(sides.dim) ? Sums::blocks(sides.b.axes > 0) : 0;
  for (; blocks > 0; --blocks) {
    for (int stages = kMostStages; stages >= kFewestStages; --stages) {
      if (block_bytes<Sums>(sides.dim, stages, keeper_bytes) <= most_shared(blocks)) {
        return {Sums::kTiles, Sums::kPlanes, stages, blocks};
      }
    }
  }
  return {};
}

// For so many queries at a time, where the keeper of each warpgroup has keeper_bytes(queries of a
// block): the fewest tiles that hold them, or else the most, and fewer where memory has no room.
template <class KeeperBytes>
WarpgroupPlan warpgroup_plan(const Sides& sides, std::int64_t count, KeeperBytes keeper_bytes) {
  WarpgroupPlan plan{};
  // Bulk copies take whole vectors.
  const bool are_aligned = reinterpret_cast<std::uintptr_t>(sides.b.data) % 16 == 0;
  if (!has_warpgroup_products() || sides.a.count < ways().fewest_by_warpgroup || sides.dim == 0 ||
      sides.dim % kStepCodes != 0 || !are_aligned) {
    return plan;
  }
  int wanted = 0;
  each_warpgroup_sums(sides, [&]<class Sums>(std::type_identity<Sums>) {
    const bool are_too_many =
        Sums::kTiles > kFewestTiles && count <= fewer_tiles(Sums::kTiles) * kTileQueries;
    if (plan.stages > 0 || are_too_many) return;
    if (Sums::kHasThree && !ways().has_three_products) return;
    if (wanted == 0) wanted = Sums::kTiles;
    if (Sums::kTiles < wanted && !ways().narrows_tiles) return;
    plan = plan_with<Sums>(sides, keeper_bytes(Sums::kBlockQueries));
  });
  return plan;
}

}  // namespace minifloat::cuda
