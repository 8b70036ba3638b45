#pragma once

// The queries' side of a product, in the layout that an instruction set's kernels read.

#include <array>
#include <cstdint>
#include <vector>

#include "cpu/kernels/kernels.h"
#include "query.h"

namespace minifloat::cpu {

Scoring scoring_of(const Sides& sides);

// Whether a's rows are so few that they are multiplied one by one with packed rows.
bool scans(const Sides& sides);

// Vectors of these lie so that no load of a vector crosses a cache line.
struct alignas(64) Line {
  std::array<std::uint8_t, 64> bytes;
};

template <class T>
std::vector<Line> lines_for(std::int64_t count) {
  return std::vector<Line>((count * sizeof(T) + sizeof(Line) - 1) / sizeof(Line));
}

class Queries {
 public:
  // Queries that are multiplied at once with a row.
  struct Part {
    QueryPanel panel;
    std::int64_t first;  // the number of the first of them
    int count;
    int width;  // count and padding
    bool is_scan;
  };

  // Rows [first, first + count) of sides.a, for scans or for panels.
  Queries(const Sides& sides, const Scoring& scoring, bool is_scan, std::int64_t first,
          std::int64_t count);

  const std::vector<Part>& parts() const { return parts_; }

 private:
  void add(const Sides& sides, const Scoring& scoring, Part part);

  std::vector<Part> parts_;
  std::vector<std::vector<Line>> elements_;
  std::vector<std::vector<std::int32_t>> starts_;
  std::vector<std::vector<float>> factors_;
};

}  // namespace minifloat::cpu
