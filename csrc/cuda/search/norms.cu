// Norms of rows: a warp takes a row.

#include "cuda/device/choices.h"
#include "cuda/device/groups.h"
#include "cuda/device/launches.h"
#include "cuda/operators.h"
#include "cuda/products/elements.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kBlocks = 8;  // of each multiprocessor

template <int kFormat>
MINIFLOAT_KERNEL(kThreads, kBlocks)
reciprocal_norms_kernel(const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
                        float* norms) {
  constexpr Format F = kFormatOf<kFormat>;
  const std::int64_t bytes = row_bytes(dim, F.bits());
  const int lane = thread_index() % kWarp;
  for (std::int64_t row = launch_index() / kWarp; row < rows; row += launch_size() / kWarp) {
    double squares = 0;
    for (std::int64_t i = lane; i < dim; i += kWarp) {
      const double value = minifloat::decode<F>(code_at<F.bits()>(packed + row * bytes, i));
      squares += value * value;
    }
    squares = sum_of_warp(squares);
    if (lane != 0) continue;
    const float reciprocal = squares == 0 ? 0.0f : static_cast<float>(1 / sqrt(squares));
    // Infinity and NaN both make it NaN.
    norms[row] = reciprocal + static_cast<float>(squares - squares);
  }
}

}  // namespace

void reciprocal_norms(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
                      float* norms, Stream stream) {
  const Grid grid = grid_for(rows * kWarp, kThreads, kBlocks);
  choose_format(format, [&](auto f) {
    launch(reciprocal_norms_kernel<f()>, grid, stream, packed, rows, dim, norms);
  });
}

}  // namespace minifloat::cuda
