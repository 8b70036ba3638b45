// Which rows take part in a search, where there are ranges of them.

#include "cuda/device/launches.h"
#include "cuda/search/best.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 8;  // of each multiprocessor

MINIFLOAT_KERNEL(kThreads, kBlocks)
mask_kernel(Selection selection, std::int64_t rows, std::uint8_t* mask) {
  for (std::int64_t row = launch_index(); row < rows; row += launch_size()) {
    // The last range that does not begin after the row.
    std::int64_t first = 0, last = selection.range_count;
    while (first < last) {
      const std::int64_t middle = (first + last) / 2;
      if (selection.ranges[2 * middle] <= row) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    // Before it others may begin where it does, and be empty.
    const bool is_inside = first > 0 && row < selection.ranges[2 * first - 1];
    mask[row] = is_inside && (!selection.mask || selection.mask[row]);
  }
}

}  // namespace

void write_mask(const Selection& selection, std::int64_t rows, std::uint8_t* mask, Stream stream) {
  launch(mask_kernel, grid_for(rows, kThreads, kBlocks), stream, selection, rows, mask);
}

}  // namespace minifloat::cuda
