#include "cpu/search/plan.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "format/lanes.h"
#include "format/packing.h"

namespace minifloat::cpu {
namespace {

constexpr std::int64_t kMostInt32 = std::numeric_limits<std::int32_t>::max();

// What no product of two elements exceeds, where queries' elements are of magnitudes up to one.
std::int64_t largest_product(Format format, std::int64_t query) {
  // Bytes are added up by themselves too: a row's with their offset, each half of a query's.
  const std::int64_t bytes = lane(format) == Lane::kInt8 ? 127 * 128 : 0;
  return std::max(bytes, max_fixed(format) * query);
}

// The largest magnitude of elements of queries that are floats.
std::int64_t largest_element(const Rows& queries, std::int64_t dim) {
  const auto* const elements = static_cast<const std::int16_t*>(queries.data);
  std::int16_t low = 0, high = 0;
  for (std::int64_t i = 0; i < queries.count * dim; ++i) {
    low = std::min(low, elements[i]);
    high = std::max(high, elements[i]);
  }
  return std::max(-std::int64_t{low}, std::int64_t{high});
}

Scoring scoring_of(const Sides& sides, Format format) {
  const std::int64_t unit = chunk_unit(format);
  const std::int64_t padded = (sides.dim + unit - 1) / unit * unit;
  if (lane(format) == Lane::kFloat) return {sides.dim, padded, sides.b.axes};
  // Two int8 halves may exceed an element by so much.
  constexpr std::int64_t kHalves = 128;
  std::int64_t query = max_fixed(format);
  if (!sides.a.is_packed) {
    query = -std::int64_t{std::numeric_limits<std::int16_t>::min()} + kHalves;
    // Rows that are so long that it matters are looked through.
    if (largest_product(format, query) * padded > kMostInt32) {
      query = largest_element(sides.a, sides.dim) + kHalves;
    }
  }
  const std::int64_t exact = kMostInt32 / largest_product(format, query);
  return {sides.dim, std::min(padded, exact / unit * unit), sides.b.axes};
}

// Of a row and so many queries.
float cost_of(const Way& way, std::int64_t queries) {
  const std::int64_t whole = queries / widest(way);
  const std::int64_t rest = queries % widest(way);
  const float cost = static_cast<float>(whole) * way.costs.back();
  if (rest == 0) return cost;
  const auto doublings = static_cast<unsigned>(width_for(way, rest) / way.width);
  return cost + way.costs[std::countr_zero(doublings)];
}

const Way& cheapest(const Kernels& kernels, std::int64_t queries) {
  return *std::min_element(
      kernels.ways.begin(), kernels.ways.end(),
      [&](const Way& x, const Way& y) { return cost_of(x, queries) < cost_of(y, queries); });
}

}  // namespace

float least_cost(int format, std::int64_t queries) {
  return cost_of(cheapest(current_isa().kernels[format], queries), queries);
}

std::int64_t one_plane(int format) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (const Way& way : current_isa().kernels[format].ways) {
    least = std::min(least, way.layout.one_plane);
  }
  return least;
}

int widest(const Way& way) { return way.width << (way.costs.size() - 1); }

int width_for(const Way& way, std::int64_t queries) {
  int width = widest(way);
  while (width > way.width && queries <= width / 2) width /= 2;
  return width;
}

Plan plan_of(const Sides& sides, std::int64_t queries) {
  const Format format = kFormats[sides.format].format;
  const Isa& isa = current_isa();
  const Kernels& kernels = isa.kernels[sides.format];
  return {sides,
          isa,
          kernels,
          cheapest(kernels, queries),
          scoring_of(sides, format),
          row_bytes(sides.dim, format.bits())};
}

Shares shares_of(const Plan& plan, std::int64_t row_blocks, int threads) {
  constexpr std::int64_t kMostQueries = 4096, kMostRowBlocks = 16;
  const bool share_rows = row_blocks >= threads;
  const int query_threads = share_rows ? 1 : threads, row_threads = share_rows ? threads : 1;
  const std::int64_t even = (plan.sides.a.count + query_threads - 1) / query_threads;
  return {query_threads, row_threads,
          std::clamp<std::int64_t>((even + 63) / 64 * 64, 1, kMostQueries),
          std::clamp<std::int64_t>(row_blocks / (8 * row_threads), 1, kMostRowBlocks)};
}

}  // namespace minifloat::cpu
