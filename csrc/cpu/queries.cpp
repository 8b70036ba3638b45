#include "queries.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../lanes.h"
#include "../packing.h"
#include "isa.h"

namespace minifloat {
namespace {

// Up to so many queries are multiplied one by one with rows as they are packed; from there on it
// is faster to bring rows into their lane first.
constexpr std::int64_t kScans = 4;

// A multiple of every instruction set's step.
constexpr std::int64_t kChunkUnit = 64;

}  // namespace

Scoring scoring_of(const Sides& sides) {
  const Format format = kFormats[sides.format].format;
  const Lane type = lane(format);
  const std::int64_t padded = (sides.dim + kChunkUnit - 1) / kChunkUnit * kChunkUnit;
  if (type == Lane::kFloat) return {sides.dim, padded, 1.0f};
  const int steps = fraction_bits(format) * (sides.a.packed ? 2 : 1);
  // Bytes are the lane's own: of rows with their offset, of queries after they are split.
  const std::int64_t row = type == Lane::kInt8 ? 127 : max_fixed(format);
  const std::int64_t query = type == Lane::kInt8 ? 128
                             : sides.a.packed    ? max_fixed(format)
                                                 : kQueryMax;
  const std::int64_t exact = std::numeric_limits<std::int32_t>::max() / (row * query);
  return {sides.dim, std::min(padded, exact / kChunkUnit * kChunkUnit), std::ldexp(1.0f, -steps)};
}

Queries::Queries(const Sides& sides, const Scoring& scoring, std::int64_t first,
                 std::int64_t count) {
  const int vector = current_isa().width;
  const bool is_scan = count <= kScans;
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
  const int planes = sides.a.packed ? 1 : kernels.planes;
  const std::int64_t padded = (scoring.dim + isa.step - 1) / isa.step * isa.step;
  const std::int64_t words = padded * kernels.query_size / 4 * planes;
  const std::int64_t chunks = (scoring.dim + scoring.chunk - 1) / scoring.chunk * planes;
  const std::int64_t element_size = lane(format) == Lane::kFloat ? sizeof(float) : sizeof(int16_t);
  const std::int64_t row_size =
      sides.a.packed ? row_bytes(scoring.dim, format.bits()) : scoring.dim * element_size;

  std::vector<std::uint32_t> elements(words * part.width);
  std::vector<std::int32_t> corrections(chunks * part.width);
  std::vector<float> norms(part.width);
  std::vector<std::uint8_t> natural(scoring.dim * element_size);
  std::vector<std::uint32_t> query(words);
  std::vector<std::int32_t> query_corrections(chunks);
  for (int i = 0; i < part.count; ++i) {
    const auto* row = static_cast<const std::uint8_t*>(sides.a.data) + (part.first + i) * row_size;
    if (sides.a.packed) {
      kernels.row_to_elements(row, scoring.dim, natural.data());
      row = natural.data();
    }
    kernels.query_to_lane(scoring, row, planes, query.data(), query_corrections.data());
    for (std::int64_t w = 0; w < words; ++w) elements[w * part.width + i] = query[w];
    for (std::int64_t c = 0; c < chunks; ++c) {
      corrections[c * part.width + i] = query_corrections[c];
    }
    norms[i] = sides.a.reciprocal_norms[part.first + i];
  }
  part.panel = {planes, elements.data(), corrections.data(), norms.data()};
  elements_.push_back(std::move(elements));
  corrections_.push_back(std::move(corrections));
  norms_.push_back(std::move(norms));
  parts_.push_back(part);
}

}  // namespace minifloat
