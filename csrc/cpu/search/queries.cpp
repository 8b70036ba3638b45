#include "cpu/search/queries.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/sets/set.h"
#include "format/lanes.h"
#include "format/packing.h"

namespace minifloat::cpu {
namespace {

// The largest magnitude of the queries' elements; two int8 halves may exceed it by 128.
std::int64_t largest_element(const Rows& queries, std::int64_t dim, const Format& format) {
  if (queries.is_packed) return max_fixed(format);
  const auto* elements = static_cast<const std::int16_t*>(queries.data);
  std::int64_t largest = 0;
  for (std::int64_t i = 0; i < queries.count * dim; ++i) {
    largest = std::max<std::int64_t>(largest, std::abs(int{elements[i]}));
  }
  return largest + 128;
}

}  // namespace

Scoring scoring_of(const Sides& sides) {
  const Format format = kFormats[sides.format].format;
  const std::int64_t padded = (sides.dim + kChunkUnit - 1) / kChunkUnit * kChunkUnit;
  if (lane(format) == Lane::kFloat) return {sides.dim, padded};
  // Bytes are added up by themselves too: a row's with their offset, each half of a query's.
  const std::int64_t bytes = lane(format) == Lane::kInt8 ? 127 * 128 : 0;
  const std::int64_t product =
      std::max(bytes, max_fixed(format) * largest_element(sides.a, sides.dim, format));
  const std::int64_t exact = std::numeric_limits<std::int32_t>::max() / product;
  return {sides.dim, std::min(padded, exact / kChunkUnit * kChunkUnit)};
}

bool scans(const Sides& sides) { return sides.a.count <= current_isa().scans; }

Queries::Queries(const Sides& sides, const Scoring& scoring, bool is_scan, std::int64_t first,
                 std::int64_t count) {
  const int vector = current_isa().width;
  for (std::int64_t last = first + count; first < last;) {
    const std::int64_t left = last - first;
    const int width = is_scan              ? 1
                      : left <= vector     ? vector
                      : left <= 2 * vector ? 2 * vector
                                           : 4 * vector;
    const int taken = static_cast<int>(std::min<std::int64_t>(left, width));
    add(sides, scoring, {{}, first, taken, width, is_scan});
    first += taken;
  }
}

void Queries::add(const Sides& sides, const Scoring& scoring, Part part) {
  const Isa& isa = current_isa();
  const Kernels& kernels = isa.kernels[sides.format];
  const Format format = kFormats[sides.format].format;
  const int planes = sides.a.is_packed ? 1 : kernels.planes;
  const std::int64_t padded = (scoring.dim + isa.step - 1) / isa.step * isa.step;
  const std::int64_t words = padded * kernels.query_size / 4 * planes;
  const std::int64_t chunks = (scoring.dim + scoring.chunk - 1) / scoring.chunk * planes;
  // A power of two, so it changes no rounding.
  const float unit = kernels.row_unit * (sides.a.is_packed ? element_unit(format) : 1.0f);
  const std::int64_t element_size = lane(format) == Lane::kFloat ? sizeof(float) : sizeof(int16_t);
  const std::int64_t row_size =
      sides.a.is_packed ? row_bytes(scoring.dim, format.bits()) : scoring.dim * element_size;

  std::vector<Line> lines = lines_for<std::uint32_t>(words * part.width);
  auto* const elements = reinterpret_cast<std::uint32_t*>(lines.data());
  std::vector<std::int32_t> starts(chunks * part.width);
  std::vector<float> factors(part.width);
  std::vector<std::uint8_t> natural(scoring.dim * element_size);
  std::vector<std::uint32_t> query(words);
  std::vector<std::int32_t> query_starts(chunks);
  for (int i = 0; i < part.count; ++i) {
    const auto* row = static_cast<const std::uint8_t*>(sides.a.data) + (part.first + i) * row_size;
    if (sides.a.is_packed) {
      kernels.row_to_elements(row, scoring.dim, natural.data());
      row = natural.data();
    }
    kernels.query_to_lane(scoring, row, planes, query.data(), query_starts.data());
    for (std::int64_t w = 0; w < words; ++w) elements[w * part.width + i] = query[w];
    for (std::int64_t c = 0; c < chunks; ++c) {
      starts[c * part.width + i] = query_starts[c];
    }
    factors[i] = sides.a.norms[part.first + i] * unit;
  }
  part.panel = {planes, elements, starts.data(), factors.data()};
  elements_.push_back(std::move(lines));
  starts_.push_back(std::move(starts));
  factors_.push_back(std::move(factors));
  parts_.push_back(part);
}

}  // namespace minifloat::cpu
