// Queries are laid out once: their codes or elements in planes, in the order of the lanes.

#include "cuda/products/queries.h"

#include <algorithm>

#include "cuda/device/choices.h"
#include "cuda/device/launches.h"
#include "cuda/products/elements.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kBlocks = 6;  // of each multiprocessor: registers for more would not do

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
    const int high = (element - low) / Planes::kBase;
    return static_cast<std::uint8_t>(plane == 0 ? high : plane == 1 ? low : high + low);
  }
}

// Four registers of one plane of a lane's elements.
template <Format F, bool kArePacked>
MINIFLOAT_DEVICE Words4 registers_of(const Element<F> (&elements)[kLaneCodes], int plane,
                                     int part) {
  constexpr int kEach = kLaneCodes / Operand<F>::kRegisters, kWidth = 32 / kEach;
  Words4 words = {};
  for (int w = 0; w < 4; ++w) {
    for (int e = 0; e < kEach; ++e) {
      // Words of two float16 are of codes 0 and 2 of four, then of codes 1 and 3.
      const int number = part * 4 + w;
      const int j = kEach == 4 ? number * 4 + e : number / 2 * 4 + number % 2 + 2 * e;
      words.each[w] |= plane_of<F, kArePacked>(elements[j], plane) << (kWidth * e);
    }
  }
  return words;
}

template <Format F>
std::int64_t layout_steps(Layout layout, std::int64_t dim) {
  return layout == Layout::kChunks ? Chunk<F>::count(dim) * Chunk<F>::kSteps : steps_of(dim);
}

template <int kFormat, class Stored>
MINIFLOAT_KERNEL(kThreads, kBlocks)
lay_out_kernel(ElementRows<Stored> rows, std::int64_t dim, float unit, Queries queries) {
  constexpr Format F = kFormatOf<kFormat>;
  constexpr bool kArePacked = ElementRows<Stored>::kArePacked;
  using Row = Operand<F>;
  for (std::int64_t query = launch_index(); query < queries.padded(); query += launch_size()) {
    queries.factors[query] = query < queries.count ? rows.norms[query] * unit : 0.0f;
  }
  const std::int64_t steps = queries.steps;
  const std::int64_t count = queries.blocks * steps * queries.tiles * kWarp;
  for (std::int64_t i = launch_index(); i < count; i += launch_size()) {
    const int lane = static_cast<int>(i % kWarp);
    const std::int64_t tile = i / kWarp % queries.tiles;
    const std::int64_t step = i / kWarp / queries.tiles % steps;
    const std::int64_t block = i / kWarp / queries.tiles / steps;
    const std::int64_t query = (block * queries.tiles + tile) * kTileQueries + lane / 4;
    Element<F> elements[kLaneCodes] = {};
    for (int j = 0; j < kLaneCodes; ++j) {
      const std::int64_t at = queries.layout == Layout::kChunks
                                  ? Chunk<F>::place(step, lane, j)
                                  : step * kStepCodes + Row::place(lane, j);
      if (query < queries.count && at < dim) elements[j] = element_at<F>(rows.row(query), at);
    }
    for (int p = 0; p < queries.planes; ++p) {
      for (int part = 0; part < Row::kParts; ++part) {
        const Words4 words = registers_of<F, kArePacked>(elements, p, part);
        if (queries.layout != Layout::kWarpgroups) {
          const std::int64_t at = (i / kWarp * queries.planes + p) * Row::kParts + part;
          queries.elements[at * kWarp + lane] = words;
          continue;
        }
        auto* const all = reinterpret_cast<std::uint32_t*>(queries.elements);
        const std::int64_t first = ((block * steps + step) * queries.planes + p) * Row::kRegisters;
        for (int w = 0; w < 4; ++w) {
          all[((first + part * 4 + w) * queries.tiles + tile) * kWarp + lane] = words.each[w];
        }
      }
    }
  }
}

}  // namespace

int planes_of(const Sides& sides) {
  int planes = 0;
  choose_format(sides.format, [&](auto f) {
    choose_bool(sides.a.is_packed,
                [&](auto packed) { planes = QueryPlanes<kFormatOf<f()>, packed()>::kCount; });
  });
  return planes;
}

Queries take_queries(const Sides& sides, std::int64_t count, int tiles, int planes, Layout layout,
                     Workspace& workspace) {
  const std::int64_t block = std::int64_t{tiles} * kTileQueries;
  Queries queries{nullptr, nullptr, count, (count + block - 1) / block, 0, tiles, planes, layout};
  choose_format(sides.format, [&](auto f) {
    constexpr Format F = kFormatOf<f()>;
    constexpr int kVectors = Operand<F>::kParts * kWarp;  // of a tile's step and plane
    queries.steps = layout_steps<F>(layout, sides.dim);
    queries.elements =
        workspace.take<Words4>(queries.blocks * tiles * queries.steps * planes * kVectors);
  });
  queries.factors = workspace.take<float>(queries.padded());
  return queries;
}

void lay_out(const Sides& sides, std::int64_t first, const Queries& queries, Stream stream) {
  // Rows of no elements have norms all the same.
  const std::int64_t steps = std::max<std::int64_t>(1, queries.steps);
  const Grid grid = grid_for(queries.blocks * queries.tiles * steps * kWarp, kThreads, kBlocks);
  choose_format(sides.format, [&](auto f) {
    constexpr Format F = kFormatOf<f()>;
    choose_rows<F>(sides.a, sides.dim, first, [&]<class Stored>(const ElementRows<Stored>& rows) {
      // Powers of two, so they change no rounding.
      const float unit = Operand<F>::kUnit * dot_unit<F, Stored>();
      launch(lay_out_kernel<f(), Stored>, grid, stream, rows, sides.dim, unit, queries);
    });
  });
}

}  // namespace minifloat::cuda
