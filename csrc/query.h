#pragma once

// What is asked of kernels that multiply rows, wherever they run.

#include <cstdint>

namespace minifloat {

struct Rows {
  const void* data;    // (count, row_bytes) codes, or (count, dim) elements in the format's lane
  const float* norms;  // (count,), reciprocal
  std::int64_t count;
  bool is_packed;
  // Of rows in a frame, whose rest the data are: (count, axes).
  const float* coordinates = nullptr;
  std::int64_t axes = 0;
};

// Two sets of rows of one format and dim, and of as many axes; b is packed. A score is the cosine
// of a row of a and one of b: the product of the data times both norms, and then, axis by axis,
// the product of the coordinates is added.
struct Sides {
  int format;  // an index into kFormats
  std::int64_t dim;
  Rows a;
  Rows b;
};

// Scores of some pairs of rows.
struct PairScores {
  Sides sides;
  const std::int64_t* pairs;  // (count, 2): a row of a and one of b
  std::int64_t count;
};

// Rows of b that take part in a search: those in the ranges for which the mask holds.
struct Selection {
  const std::uint8_t* mask;    // (b.count,), each 0 or 1; null where it holds for all
  const std::int64_t* ranges;  // (range_count, 2): the first row and the one after the last, in
                               // ascending order and apart; null where all rows are in them
  std::int64_t range_count;
};

// The k best selected rows of b for each row of a, best first, ties to the lower row, NaN last.
struct Best {
  Sides sides;
  Selection selection;
  std::int64_t k;
};

// All selected rows of b whose scores reach the threshold of a row of a; more than the limit in all
// are too many.
struct Above {
  Sides sides;
  Selection selection;
  const float* thresholds;  // (a.count,)
  std::int64_t limit;
};

}  // namespace minifloat
