#include "cpu/search/blocks.h"

namespace minifloat::cpu {

Blocks blocks_of(const Plan& plan, const Selection& selection) {
  const std::int64_t rows = plan.sides.b.count, most_rows = plan.way.most_rows;
  if (!selection.mask && !selection.ranges) return {rows, most_rows};
  std::vector<Block> blocks;
  const auto add = [&](std::int64_t first, std::int64_t end) {
    for (; first < end && keep_going(); first += most_rows) {
      Block block{first, std::min(most_rows, end - first), ~0ull};
      if (selection.mask) {
        block.selected = 0;
        for (std::int64_t r = 0; r < block.count; ++r) {
          block.selected |= std::uint64_t{selection.mask[first + r]} << r;
        }
      }
      if (block.selected) blocks.push_back(block);
    }
  };
  if (!selection.ranges) add(0, rows);
  for (std::int64_t i = 0; i < selection.range_count; ++i) {
    add(selection.ranges[2 * i], selection.ranges[2 * i + 1]);
  }
  return Blocks(std::move(blocks));
}

const void* Scorer::in_lane(const std::uint8_t* packed, std::int64_t count) {
  const Layout& layout = plan_.way.layout;
  const std::int64_t dim = plan_.sides.dim;
  const std::int64_t padded = (dim + layout.step - 1) / layout.step * layout.step;
  if (lane_.empty()) lane_ = lines_for(plan_.way.most_rows * padded * layout.row_size);
  layout.rows_to_lane(packed, count, dim, lane_.data());
  return lane_.data();
}

}  // namespace minifloat::cpu
