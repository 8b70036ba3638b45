// Float queries in the lane of a format, as large as products with its rows leave room: a block
// takes a query.

#include "cuda/device/launches.h"
#include "cuda/operators.h"
#include "cuda/preparing/rows.h"
#include "format/lanes.h"

namespace minifloat::cuda {
namespace {

// The float32, or the integer, nearest to a number; of two integers the even one.
template <class Element, class T>
MINIFLOAT_DEVICE Element nearest(T x) {
  if constexpr (std::is_same_v<Element, float>) {
    return static_cast<float>(x);
  } else {
    // Sums of this size have no fraction, and the integer in their lowest bits.
    constexpr T kLarge = sizeof(T) == sizeof(double) ? T(0x1.8p52) : T(0x1.8p23);
    return static_cast<std::int16_t>(bits_of<BitsOf<T>>(x + kLarge) & 0xffff);
  }
}

template <class Source, class Element>
MINIFLOAT_KERNEL(kRowThreads, kRowBlocks)
to_lane_kernel(ValueRows rows, float limit, const float* lengths, Element* elements, float* norms) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = block_index(); row < rows.count; row += block_count()) {
    const auto* const values = static_cast<const Source*>(rows.values) + row * rows.stride;
    Element* const out = elements + row * dim;
    const Wide<Source> largest = row_largest(values, dim);
    const bool is_number = is_finite(largest);
    const auto [first, second] = factors_of<Wide<Source>>(largest, limit);
    for (std::int64_t i = thread_index(); i < dim; i += kRowThreads) {
      out[i] = is_number ? nearest<Element>(wide(values[i]) * first * second) : Element{0};
    }
    sync_threads();
    const auto squares = sum_of_row<double>(dim, [&](std::int64_t i) {
      const double x = out[i];
      return x * x;
    });
    if (thread_index() != 0) continue;
    const float reciprocal = squares == 0 ? 0.0f : static_cast<float>(1 / sqrt(squares));
    norms[row] = is_number ? lengths ? reciprocal * lengths[row] : reciprocal : kNan;
  }
}

}  // namespace

void to_lane(int format, const ValueRows& rows, const float* lengths, void* elements, float* norms,
             Stream stream) {
  const Format of_rows = kFormats[format].format;
  const Grid grid{blocks_for(rows.count, kRowBlocks), kRowThreads, kRowBytes};
  choose<kSourceCount>(rows.source, [&](auto s) {
    const auto start = [&]<class Element>(Element* to, float limit) {
      launch(to_lane_kernel<SourceAt<s()>, Element>, grid, stream, rows, limit, lengths, to, norms);
    };
    if (lane(of_rows) == Lane::kFloat) {
      start(static_cast<float*>(elements), 1.0f);
    } else {
      start(static_cast<std::int16_t*>(elements), static_cast<float>(query_max(of_rows, rows.dim)));
    }
  });
}

}  // namespace minifloat::cuda
