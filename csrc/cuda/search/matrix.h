#pragma once

// A keeper of all scores.

#include "cuda/products/shares.h"
#include "format/lanes.h"

namespace minifloat::cuda {

struct Matrix {
  static constexpr bool kTakesAll = true;
  float* out;  // (queries, rows)
  std::int64_t rows;
  std::int64_t queries;
  std::int64_t end;  // of the slice

  MINIFLOAT_DEVICE void add(std::int64_t row, std::int64_t query, float score) const {
    if (row < end && query < queries) out[query * rows + row] = within_one(score);
  }
};

}  // namespace minifloat::cuda
