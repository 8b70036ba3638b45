#pragma once

// Threads that work together, on every GPU.

namespace minifloat {

// Those that run in step: they exchange registers and multiply matrices together.
inline constexpr int kWarp = 32;

// Those of four warps, which on compute capability 9.0 multiply matrices together.
inline constexpr int kWarpgroup = 128;
inline constexpr int kWarpgroupWarps = kWarpgroup / kWarp;

}  // namespace minifloat
