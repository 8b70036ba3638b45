#pragma once

// How long a search's lists are, and in which parts it goes through the rows.

#include <algorithm>
#include <bit>
#include <vector>

#include "cuda/products/operands.h"
#include "cuda/products/shares.h"
#include "cuda/search/found.h"
#include "cuda/ways.h"

namespace minifloat::cuda {

// Row blocks after which lists are looked at where queries are few: warps need not wait for one
// another meanwhile.
inline constexpr int kLongPeriod = 2;

// Lists of which so many keys are kept.
inline Lists lists_of(int kept, bool are_few) {
  if (!ways().has_long_lists) {
    const int fewest = kept + std::max(16, kept / 4) + kBlockRows;
    const auto capacity = static_cast<int>(std::bit_ceil(static_cast<unsigned>(fewest)));
    // Sorting costs less than letting pass what a higher threshold would not.
    const int crowd = std::min(kept + std::max(16, kept / 2), capacity - kBlockRows);
    return {capacity, crowd, kept, 1, true};
  }
  const int crowd = std::max(kBlockRows, 2 * kept), period = are_few ? kLongPeriod : 1;
  return {crowd + period * kBlockRows, crowd, kept + (crowd - kept) / 8, period, false};
}

// Thresholds of fewer queries start from nothing: keeping what then passes takes no longer than two
// launches more, which are 2 us each and what a merge takes.
inline constexpr std::int64_t kFewestEarly = 32;

// Each part of the rows ends at so many times as many rows as the one before.
inline constexpr std::int64_t kGrowth = 4;

// Where fewer keys will pass in a warpgroup, a higher threshold does not pay for those launches.
inline constexpr std::int64_t kFewestPassing = 400;

// What parts depend on beside the rows.
struct Sought {
  std::int64_t queries;
  std::int64_t block_queries;
  std::int64_t lists;  // of each query
  int kept;
};

// Parts of the rows, after each of which all thresholds rise to the last of the best so far. The
// first one has as few row blocks as keep the device busy, and rows enough for a threshold.
inline std::vector<Slices> parts_of(const Slices& all, std::int64_t block_rows,
                                    const Sought& sought) {
  std::vector<Slices> parts;
  std::int64_t begin = 0;
  if (ways().starts_early && sought.queries >= kFewestEarly) {
    const std::int64_t fewest = std::max(all.count * block_rows, std::int64_t{4} * sought.kept);
    std::int64_t end = (fewest + block_rows - 1) / block_rows * block_rows;
    // As many keys reach the last of the best of so many rows as are kept.
    const auto passing = [&](std::int64_t rows) {
      return (all.end - rows) / sought.lists * sought.block_queries * sought.kept / rows;
    };
    while (2 * end <= all.end && (begin == 0 || passing(begin) >= kFewestPassing)) {
      parts.push_back(slices_of_part(all, begin, end, block_rows));
      begin = end;
      end *= kGrowth;
    }
  }
  if (all.count > 0) parts.push_back(slices_of_part(all, begin, all.end, block_rows));
  return parts;
}

}  // namespace minifloat::cuda
