#pragma once

// The queries' side of a product, in the layout that an instruction set's kernels read.

#include <cstdint>
#include <vector>

#include "scoring.h"

namespace minifloat {

Scoring scoring_of(const Sides& sides);

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

  // Rows [first, first + count) of sides.a.
  Queries(const Sides& sides, const Scoring& scoring, std::int64_t first, std::int64_t count);

  const std::vector<Part>& parts() const { return parts_; }

 private:
  void add(const Sides& sides, const Scoring& scoring, Part part);

  std::vector<Part> parts_;
  std::vector<std::vector<std::uint32_t>> elements_;
  std::vector<std::vector<std::int32_t>> corrections_;
  std::vector<std::vector<float>> norms_;
};

}  // namespace minifloat
