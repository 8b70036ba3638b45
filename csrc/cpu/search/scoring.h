#pragma once

// Scores and search over packed rows, on top of one instruction set's kernels.

#include <cstdint>

#include "cpu/kernels/kernels.h"

namespace minifloat {

// Rows to be scored: codes, or queries that are in their lane already.
struct Rows {
  const void* data;  // (count, row_bytes) codes or (count, dim) elements
  bool packed;
  const float* reciprocal_norms;
  std::int64_t count;
};

// Two sets of rows of one format and dim; b is packed.
struct Sides {
  int format;  // an index into kFormats
  std::int64_t dim;
  Rows a;
  Rows b;
};

// out[i * b.count + j] is the cosine of rows a[i] and b[j].
void all_scores(const Sides& sides, float* out, int threads);

// out[t] is the cosine of rows a[pairs[2 * t]] and b[pairs[2 * t + 1]].
void pair_scores(const Sides& sides, const std::int64_t* pairs, std::int64_t count, float* out,
                 int threads);

// Rows of b that take part in a search: those of some ranges, in ascending order and apart, for
// which the mask holds.
struct Selection {
  const bool* mask;            // (b.count,), or null where all hold
  const std::int64_t* ranges;  // (range_count, 2): the first row and the one after the last
  std::int64_t range_count;
};

// The k best selected rows of b for each row of a, best first, ties to the lower index, NaN last:
// scores and indices are (a.count, k). At least k rows are selected.
void search(const Sides& sides, const Selection& selection, std::int64_t k, float* scores,
            std::int64_t* indices, int threads);

}  // namespace minifloat
