// Scores of pairs of rows: a warp takes a pair.

#include "cuda/device/choices.h"
#include "cuda/device/groups.h"
#include "cuda/device/launches.h"
#include "cuda/operators.h"
#include "cuda/products/elements.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kBlocks = 8;  // of each multiprocessor

// Coordinates of rows in a frame: (count, axes).
struct Frames {
  const float* a;
  const float* b;
  std::int64_t axes;
};

// `unit` is what makes dot products of elements those of values.
template <int kFormat, class Stored, bool kInFrame>
MINIFLOAT_KERNEL(kThreads, kBlocks)
pair_scores_kernel(ElementRows<Stored> a, ElementRows<std::uint8_t> b, std::int64_t dim, float unit,
                   const std::int64_t* pairs, std::int64_t count, float* out, Frames frames) {
  constexpr Format F = kFormatOf<kFormat>;
  using Sum = std::conditional_t<lane(F) == Lane::kFloat, float, std::int64_t>;
  const int lane = thread_index() % kWarp;
  for (std::int64_t p = launch_index() / kWarp; p < count; p += launch_size() / kWarp) {
    const std::int64_t i = pairs[2 * p], j = pairs[2 * p + 1];
    Sum dot = 0;
    for (std::int64_t at = lane; at < dim; at += kWarp) {
      dot += static_cast<Sum>(element_at<F>(a.row(i), at)) * element_at<F>(b.row(j), at);
    }
    dot = sum_of_warp(dot);
    if (lane != 0) continue;
    float score = static_cast<float>(dot) * (a.norms[i] * unit) * b.norms[j];
    if constexpr (kInFrame) {
#pragma unroll 1
      for (std::int64_t axis = 0; axis < frames.axes; ++axis) {
        score += frames.a[i * frames.axes + axis] * frames.b[j * frames.axes + axis];
      }
    }
    out[p] = within_one(score);
  }
}

}  // namespace

void pair_scores(const PairScores& asked, float* out, Stream stream) {
  const auto& [sides, pairs, count] = asked;
  const Grid grid = grid_for(count * kWarp, kThreads, kBlocks);
  const Frames frames{sides.a.coordinates, sides.b.coordinates, sides.b.axes};
  choose_format(sides.format, [&](auto f) {
    constexpr Format F = kFormatOf<f()>;
    const ElementRows<std::uint8_t> b{static_cast<const std::uint8_t*>(sides.b.data),
                                      row_bytes(sides.dim, F.bits()), sides.b.norms};
    choose_rows<F>(sides.a, sides.dim, 0, [&]<class Stored>(const ElementRows<Stored>& a) {
      // Powers of two, so they change no rounding.
      const float unit = dot_unit<F, Stored>();
      choose_bool(frames.axes > 0, [&](auto in_frame) {
        launch(pair_scores_kernel<f(), Stored, in_frame()>, grid, stream, a, b, sides.dim, unit,
               pairs, count, out, frames);
      });
    });
  });
}

}  // namespace minifloat::cuda
