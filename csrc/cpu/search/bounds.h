#pragma once

// Which of the scores that have been made are above bounds.

#include <array>
#include <bit>
#include <cstdint>

#include "cpu/search/blocks.h"

namespace minifloat::cpu {

// Calls use(i, row, score) for each score of a selected row and query i of a part that is above the
// query's bound, or NaN. The call may raise bounds, which need not be heeded at once.
template <class Use>
void for_each_above(const Isa& isa, const Block& block, const Queries::Part& part,
                    const float* scores, const float* bounds, Use use) {
  const int width = part.panel.width;
  if (width == 1) {
    // Rows are compared side by side where queries are not.
    std::array<float, kMostBlockRows> same;
    same.fill(bounds[0]);
    std::uint64_t found;
    isa.find_above(scores, 1, same.size(), same.data(), static_cast<int>(block.count), &found);
    for (found &= block.selected; found; found &= found - 1) {
      const int r = std::countr_zero(found);
      use(0, block.first + r, scores[r]);
    }
    return;
  }
  std::array<std::uint64_t, kMostBlockRows> found;
  isa.find_above(scores, block.count, width, bounds, part.count, found.data());
  for (std::int64_t r = 0; r < block.count; ++r) {
    if (!(block.selected >> r & 1)) continue;
    for (std::uint64_t bits = found[r]; bits; bits &= bits - 1) {
      const int query = std::countr_zero(bits);
      use(query, block.first + r, scores[r * width + query]);
    }
  }
}

}  // namespace minifloat::cpu
