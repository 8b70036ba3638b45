#pragma once

// Ways of doing the same: both are there until a GPU has shown which is faster, and all answers are
// the same. Each is the new one unless something else is said.

namespace minifloat::cuda {

struct Ways {
  // Few queries: warps copy aligned rows, each its own; else a block copies for all its warps.
  bool streams_rows = true;
  // Thresholds rise to the best of all slices after parts of the rows; else each slice raises them
  // by its own.
  bool starts_early = true;
  // Lists are halved by counting when they are crowded, and looked at only then; else they are as
  // short as they can be, looked at after each row block, and sorted.
  bool has_long_lists = true;
  // Slices are merged list by list; else slot by slot.
  bool merges_by_list = true;
  // The fewest queries that warpgroups multiply.
  int fewest_by_warpgroup = 9;
  // Wide rows leave warpgroups fewer queries at a time; else warps multiply them.
  bool narrows_tiles = true;
  // Elements of two bytes take three products of bytes, 80 queries at a time; else four, and 64.
  bool has_three_products = true;
  // The driver is asked how many blocks a multiprocessor runs; else that is a constant.
  bool asks_occupancy = true;
  // Float queries and rows in a frame are made by a kernel each; else by operators of torch.
  bool prepares_at_once = true;
  // What reaches a threshold is appended to a list; else blocks of scores are looked through.
  bool appends_hits = true;
  // Rows that fill their bytes are packed in registers; else through shared memory.
  bool packs_in_registers = true;
};

// Those of this process.
inline Ways& ways() {
  static Ways chosen;
  return chosen;
}

}  // namespace minifloat::cuda
