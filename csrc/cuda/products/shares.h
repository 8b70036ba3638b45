#pragma once

// How rows and queries are shared out among the blocks of a launch.

#include <algorithm>

#include "cuda/device/device.h"

namespace minifloat::cuda {

// Slices of some rows, of whole row blocks.
struct Slices {
  std::int64_t count;
  std::int64_t rows;   // of each but the last
  std::int64_t begin;  // of all of them
  std::int64_t end;
};

// How many blocks of the same queries share the rows, where a device runs so many blocks at once:
// for one turn of all blocks, or for up to three where that leaves a tenth less of a device idle.
inline std::int64_t shares_of(std::int64_t query_blocks, std::int64_t at_once) {
  std::int64_t best = 1, best_busy = 0;
  for (std::int64_t turns = 1; turns <= 3; ++turns) {
    const std::int64_t shares = std::max<std::int64_t>(1, turns * at_once / query_blocks);
    const std::int64_t blocks = shares * query_blocks, taken = (blocks + at_once - 1) / at_once;
    const std::int64_t busy = 100 * blocks / (taken * at_once);  // percent
    if (busy < best_busy + 10) continue;
    best = shares;
    best_busy = busy;
  }
  return best;
}

// As many slices as keep a device busy with all blocks of queries, where a multiprocessor runs so
// many blocks at once and each takes `block_rows` rows at a time.
inline Slices slices_of(std::int64_t rows, std::int64_t query_blocks, int blocks_at_once,
                        std::int64_t block_rows) {
  const std::int64_t at_once = std::int64_t{multiprocessor_count()} * blocks_at_once;
  const std::int64_t shares = shares_of(std::max<std::int64_t>(1, query_blocks), at_once);
  const std::int64_t row_blocks = (rows + block_rows - 1) / block_rows;
  const std::int64_t each = std::max<std::int64_t>(1, (row_blocks + shares - 1) / shares);
  return {(row_blocks + each - 1) / each, each * block_rows, 0, rows};
}

// As many slices of a part of the rows, of which the last ones may have none.
inline Slices slices_of_part(const Slices& all, std::int64_t begin, std::int64_t end,
                             std::int64_t block_rows) {
  const std::int64_t row_blocks = (end - begin + block_rows - 1) / block_rows;
  return {all.count, (row_blocks + all.count - 1) / all.count * block_rows, begin, end};
}

// What a block multiplies: a slice of the rows and a block of queries.
struct Share {
  std::int64_t slice;
  std::int64_t begin;  // rows
  std::int64_t end;
  std::int64_t query_block;
};

// Blocks that follow one another have the same rows, which are then in the second-level cache.
MINIFLOAT_DEVICE Share share_of_block(const Slices& slices, std::int64_t query_blocks) {
  const std::int64_t slice = block_index() / query_blocks;
  const std::int64_t begin = slices.begin + slice * slices.rows, end = begin + slices.rows;
  return {slice, begin, end < slices.end ? end : slices.end, block_index() % query_blocks};
}

}  // namespace minifloat::cuda
