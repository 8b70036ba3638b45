#pragma once

// The queries' side of scores, in the layout that the kernels of a plan read.

#include <array>
#include <cstdint>
#include <vector>

#include "cpu/search/plan.h"

namespace minifloat::cpu {

// Vectors of these lie so that no load of a vector crosses a cache line.
struct alignas(64) Line {
  std::array<std::uint8_t, 64> bytes;
};

inline std::vector<Line> lines_for(std::int64_t bytes) {
  return std::vector<Line>((bytes + sizeof(Line) - 1) / sizeof(Line));
}

class Queries {
 public:
  // Queries that are multiplied at once with a row.
  struct Part {
    QueryPanel panel;    // of the memory below
    std::int64_t first;  // row of a that the first of them is
    int count;
    std::vector<Line> elements;
    std::vector<std::int32_t> starts;
    std::vector<float> factors;
    std::vector<float> coordinates;
  };

  // Rows [first, first + count) of a.
  Queries(const Plan& plan, std::int64_t first, std::int64_t count);
  Queries(const Queries&) = delete;

  std::int64_t first() const { return first_; }
  std::int64_t count() const { return count_; }
  const std::vector<Part>& parts() const { return parts_; }

 private:
  void add(const Plan& plan, std::int64_t first, int count, int width);

  std::int64_t first_, count_;
  std::vector<Part> parts_;
};

}  // namespace minifloat::cpu
