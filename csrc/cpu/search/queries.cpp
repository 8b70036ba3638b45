#include "cpu/search/queries.h"

#include <algorithm>

#include "format/lanes.h"
#include "format/packing.h"

namespace minifloat::cpu {
namespace {

// How many planes hold some rows of a.
int planes_for(const Plan& plan, std::int64_t first, std::int64_t count) {
  const Layout& layout = plan.way.layout;
  const Rows& a = plan.sides.a;
  if (a.is_packed) return layout.code_planes;
  const std::int64_t begin = first * plan.sides.dim, elements = count * plan.sides.dim;
  const auto are_held = [&](const auto* all, auto is_held) {
    return std::all_of(all + begin, all + begin + elements, is_held);
  };
  if (layout.planes == 1 || layout.one_plane == 0) return layout.planes;
  if (lane(kFormats[plan.sides.format].format) == Lane::kFloat) {
    return are_held(static_cast<const std::uint32_t*>(a.data),
                    [](std::uint32_t bits) { return (bits & 0xffff) == 0; })
               ? 1
               : layout.planes;
  }
  return are_held(static_cast<const std::int16_t*>(a.data),
                  [&](std::int64_t x) { return -layout.one_plane <= x && x <= layout.one_plane; })
             ? 1
             : layout.planes;
}

}  // namespace

Queries::Queries(const Plan& plan, std::int64_t first, std::int64_t count)
    : first_(first), count_(count) {
  const Way& way = plan.way;
  for (const std::int64_t end = first + count; first < end;) {
    const int width = width_for(way, end - first);
    const int taken = static_cast<int>(std::min<std::int64_t>(end - first, width));
    add(plan, first, taken, width);
    first += taken;
  }
}

void Queries::add(const Plan& plan, std::int64_t first, int count, int width) {
  const auto& [sides, isa, kernels, way, scoring, row_bytes_of_b] = plan;
  const Layout& layout = way.layout;
  const Format format = kFormats[sides.format].format;
  const int planes = planes_for(plan, first, count);
  const std::int64_t padded = (scoring.dim + layout.step - 1) / layout.step * layout.step;
  const std::int64_t words = padded * layout.query_size / 4 * planes;
  const std::int64_t group = layout.group / 4;
  const std::int64_t chunks = (scoring.dim + scoring.chunk - 1) / scoring.chunk * planes;
  // A power of two, so it changes no rounding.
  const float unit = layout.row_unit * (sides.a.is_packed ? element_unit(format) : 1.0f);
  const std::int64_t element_size = lane(format) == Lane::kFloat ? sizeof(float) : sizeof(int16_t);
  const std::int64_t row_size =
      sides.a.is_packed ? row_bytes(scoring.dim, format.bits()) : scoring.dim * element_size;

  Part& part = parts_.emplace_back();
  part.first = first;
  part.count = count;
  part.elements = lines_for(words * width * 4);
  part.starts.resize(chunks * width);
  part.factors.resize(width);
  part.coordinates.resize(scoring.axes * width);
  part.panel = {planes,
                width,
                part.elements.data(),
                part.starts.data(),
                part.factors.data(),
                part.coordinates.data()};
  auto* const elements = reinterpret_cast<std::uint32_t*>(part.elements.data());
  std::vector<std::uint8_t> natural(sides.a.is_packed ? scoring.dim * element_size : 0);
  // One by itself is not moved.
  const bool is_alone = width == 1;
  std::vector<std::uint32_t> by_itself(is_alone ? 0 : words);
  std::vector<std::int32_t> its_starts(is_alone ? 0 : chunks);
  std::uint32_t* const query = is_alone ? elements : by_itself.data();
  std::int32_t* const starts = is_alone ? part.starts.data() : its_starts.data();
  for (int i = 0; i < count; ++i) {
    const auto* row = static_cast<const std::uint8_t*>(sides.a.data) + (first + i) * row_size;
    if (sides.a.is_packed) {
      kernels.row_to_elements(row, scoring.dim, natural.data());
      row = natural.data();
    }
    layout.query_to_lane(scoring, row, planes, query, starts);
    part.factors[i] = sides.a.norms[first + i] * unit;
    for (std::int64_t axis = 0; axis < scoring.axes; ++axis) {
      part.coordinates[axis * width + i] = sides.a.coordinates[(first + i) * scoring.axes + axis];
    }
    if (is_alone) continue;
    if (group == 1) {
      for (std::int64_t w = 0; w < words; ++w) elements[w * width + i] = query[w];
    } else {
      for (std::int64_t w = 0; w < words; w += group) {
        std::copy_n(query + w, group, elements + w * width + i * group);
      }
    }
    for (std::int64_t c = 0; c < chunks; ++c) part.starts[c * width + i] = starts[c];
  }
}

}  // namespace minifloat::cpu
