// What is computed row by row: a warp takes a row, or a pair of rows.

#include "cuda/codec/runs.h"
#include "cuda/operators.h"
#include "cuda/products/elements.h"
#include "format/packing.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / kWarp;
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
      const double value = minifloat::decode<F>(code_at<F>(packed + row * bytes, i));
      squares += value * value;
    }
    squares = sum_of_warp(squares);
    if (lane != 0) continue;
    const float reciprocal = squares == 0 ? 0.0f : static_cast<float>(1 / sqrt(squares));
    // Infinity and NaN both make it NaN.
    norms[row] = reciprocal + static_cast<float>(squares - squares);
  }
}

template <int kFormat, class Row>
MINIFLOAT_KERNEL(kThreads, kBlocks)
pair_scores_kernel(const Row* a, std::int64_t a_size, const float* a_norms, float unit,
                   const std::uint8_t* b, const float* b_norms, std::int64_t dim,
                   const std::int64_t* pairs, std::int64_t count, float* out) {
  constexpr Format F = kFormatOf<kFormat>;
  using Sum = std::conditional_t<lane(F) == Lane::kFloat, float, std::int64_t>;
  const std::int64_t bytes = row_bytes(dim, F.bits());
  const int lane = thread_index() % kWarp;
  for (std::int64_t p = launch_index() / kWarp; p < count; p += launch_size() / kWarp) {
    const std::int64_t i = pairs[2 * p], j = pairs[2 * p + 1];
    Sum dot = 0;
    for (std::int64_t at = lane; at < dim; at += kWarp) {
      dot += static_cast<Sum>(element_at<F>(a + i * a_size, at)) * element_at<F>(b + j * bytes, at);
    }
    dot = sum_of_warp(dot);
    if (lane != 0) continue;
    out[p] = within_one(static_cast<float>(dot) * (a_norms[i] * unit) * b_norms[j]);
  }
}

Grid grid_for(std::int64_t rows) {
  return {blocks_for((rows + kWarps - 1) / kWarps, kBlocks), kThreads, 0};
}

}  // namespace

void reciprocal_norms(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
                      float* norms, Stream stream) {
  choose_format(format, [&](auto f) {
    launch(reciprocal_norms_kernel<f()>, grid_for(rows), stream, packed, rows, dim, norms);
  });
}

void pair_scores(const PairScores& asked, float* out, Stream stream) {
  const Sides& sides = asked.sides;
  choose_format(sides.format, [&](auto f) {
    constexpr Format F = kFormatOf<f()>;
    // Powers of two, so they change no rounding.
    const float unit = element_unit(F) * (sides.a.is_packed ? element_unit(F) : 1.0f);
    const auto run = [&]<class Row>(const Row* a, std::int64_t size) {
      launch(pair_scores_kernel<f(), Row>, grid_for(asked.count), stream, a, size, sides.a.norms,
             unit, static_cast<const std::uint8_t*>(sides.b.data), sides.b.norms, sides.dim,
             asked.pairs, asked.count, out);
    };
    if (sides.a.is_packed) {
      run(static_cast<const std::uint8_t*>(sides.a.data), row_bytes(sides.dim, F.bits()));
    } else {
      run(static_cast<const Element<F>*>(sides.a.data), sides.dim);
    }
  });
}

}  // namespace minifloat::cuda
