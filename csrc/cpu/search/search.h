#pragma once

// Scores and search over packed rows, on top of one instruction set's kernels.

#include <cstdint>
#include <vector>

#include "query.h"

namespace minifloat::cpu {

// out[i * b.count + j] is the score of rows a[i] and b[j].
void all_scores(const Sides& sides, float* out, int threads);

// out[t] is the score of pair t.
void pair_scores(const PairScores& asked, float* out, int threads);

// Scores and rows are (a.count, k). At least k rows take part.
void best(const Best& asked, float* scores, std::int64_t* rows, int threads);

struct Hit {
  std::int64_t row;
  float score;
};

// Of each row of a, in ascending order of rows; more than the limit, where they are too many.
struct Hits {
  std::vector<std::vector<Hit>> of;
  std::int64_t total;
};

Hits above(const Above& asked, int threads);

// Writes those of each row of a, from offsets[i] to offsets[i + 1], and drops them.
void write(Hits& hits, std::int64_t* offsets, std::int64_t* rows, float* scores);

}  // namespace minifloat::cpu
