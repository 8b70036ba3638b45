// Queries are laid out once: their codes or elements in planes, in the order of the lanes.

#include "cuda/products/queries.h"

#include <algorithm>

#include "cuda/codec/runs.h"
#include "cuda/products/elements.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kBlocks = 8;  // of each multiprocessor

// One plane of an element, in the bits that registers have for it.
template <Format F, bool kArePacked>
MINIFLOAT_DEVICE std::uint32_t plane_of(Element<F> element, int plane) {
  using Planes = QueryPlanes<F, kArePacked>;
  if constexpr (lane(F) == Lane::kFloat) {
    const std::uint16_t high = to_half(element);
    return plane == 0 ? high : to_half(element - from_half(high));
  } else {
    if constexpr (Planes::kCount == 1) return static_cast<std::uint8_t>(element);
    constexpr int kHalf = Planes::kBase / 2;
    const int low = ((element + kHalf) & (Planes::kBase - 1)) - kHalf;
    return static_cast<std::uint8_t>(plane == 0 ? (element - low) / Planes::kBase : low);
  }
}

template <int kFormat, bool kArePacked, class Row>
MINIFLOAT_KERNEL(kThreads, kBlocks)
lay_out_kernel(const Row* rows, std::int64_t row_size, const float* norms, std::int64_t dim,
               float unit, Queries queries) {
  constexpr Format F = kFormatOf<kFormat>;
  using Layout = Operand<F>;
  constexpr int kPlanes = QueryPlanes<F, kArePacked>::kCount, kParts = Layout::kRegisters / 4;
  constexpr int kPerWord = kLaneCodes / Layout::kRegisters, kWidth = 32 / kPerWord;
  const std::int64_t padded = queries.blocks * queries.tiles * kTileQueries;
  for (std::int64_t query = launch_index(); query < padded; query += launch_size()) {
    queries.factors[query] = query < queries.count ? norms[query] * unit : 0.0f;
  }
  const std::int64_t steps = steps_of(dim);
  const std::int64_t count = queries.blocks * steps * queries.tiles * kWarp;
  for (std::int64_t i = launch_index(); i < count; i += launch_size()) {
    const int lane = static_cast<int>(i % kWarp);
    const std::int64_t tile = i / kWarp % queries.tiles;
    const std::int64_t step = i / kWarp / queries.tiles % steps;
    const std::int64_t block = i / kWarp / queries.tiles / steps;
    const std::int64_t query = (block * queries.tiles + tile) * kTileQueries + lane / 4;
    Element<F> elements[kLaneCodes] = {};
    for (int j = 0; j < kLaneCodes; ++j) {
      const std::int64_t at = step * kStepCodes + Layout::place(lane, j);
      if (query < queries.count && at < dim) {
        elements[j] = element_at<F>(rows + query * row_size, at);
      }
    }
    for (int p = 0; p < kPlanes; ++p) {
      for (int part = 0; part < kParts; ++part) {
        Words4 words = {};
        for (int w = 0; w < 4; ++w) {
          for (int e = 0; e < kPerWord; ++e) {
            // Words of two float16 are of codes 0 and 2 of four, then of codes 1 and 3.
            const int number = part * 4 + w;
            const int j = kPerWord == 4 ? number * 4 + e : number / 2 * 4 + number % 2 + 2 * e;
            words.each[w] |= plane_of<F, kArePacked>(elements[j], p) << (kWidth * e);
          }
        }
        if (queries.order == Order::kWarps) {
          queries.elements[((i / kWarp * kPlanes + p) * kParts + part) * kWarp + lane] = words;
          continue;
        }
        auto* const all = reinterpret_cast<std::uint32_t*>(queries.elements);
        const std::int64_t first = ((block * steps + step) * kPlanes + p) * Layout::kRegisters;
        for (int w = 0; w < 4; ++w) {
          all[((first + part * 4 + w) * queries.tiles + tile) * kWarp + lane] = words.each[w];
        }
      }
    }
  }
}

template <int kFormat, bool kArePacked>
constexpr int kVectors = QueryPlanes<kFormatOf<kFormat>, kArePacked>::kCount *
                         Operand<kFormatOf<kFormat>>::kRegisters / 4 * kWarp;

}  // namespace

Queries take_queries(const Sides& sides, std::int64_t count, int tiles, Order order,
                     Workspace& workspace) {
  const std::int64_t block = std::int64_t{tiles} * kTileQueries;
  Queries queries{nullptr, nullptr, count, (count + block - 1) / block, tiles, order};
  choose_format(sides.format, [&](auto f) {
    choose_bool(sides.a.is_packed, [&](auto packed) {
      queries.elements = workspace.take<Words4>(queries.blocks * tiles * steps_of(sides.dim) *
                                                kVectors<f(), packed()>);
    });
  });
  queries.factors = workspace.take<float>(queries.blocks * block);
  return queries;
}

void lay_out(const Sides& sides, std::int64_t first, const Queries& queries, Stream stream) {
  // Rows of no elements have norms all the same.
  const std::int64_t steps = std::max<std::int64_t>(1, steps_of(sides.dim));
  const std::int64_t pieces = queries.blocks * queries.tiles * steps * kWarp;
  const Grid grid{blocks_for((pieces + kThreads - 1) / kThreads, kBlocks), kThreads, 0};
  choose_format(sides.format, [&](auto f) {
    constexpr Format F = kFormatOf<f()>;
    const float* const norms = sides.a.norms + first;
    if (sides.a.is_packed) {
      const std::int64_t bytes = row_bytes(sides.dim, F.bits());
      const auto* const rows = static_cast<const std::uint8_t*>(sides.a.data) + first * bytes;
      // Powers of two, so they change no rounding.
      launch(lay_out_kernel<f(), true, std::uint8_t>, grid, stream, rows, bytes, norms, sides.dim,
             row_unit(F) * element_unit(F) * element_unit(F), queries);
    } else {
      const auto* const rows = static_cast<const Element<F>*>(sides.a.data) + first * sides.dim;
      launch(lay_out_kernel<f(), false, Element<F>>, grid, stream, rows, sides.dim, norms,
             sides.dim, row_unit(F) * element_unit(F), queries);
    }
  });
}

}  // namespace minifloat::cuda
