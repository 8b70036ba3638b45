#pragma once

// Scores and search over packed rows, on top of one instruction set's kernels.

#include <cstdint>

#include "query.h"

namespace minifloat::cpu {

// out[i * b.count + j] is the score of rows a[i] and b[j].
void all_scores(const Sides& sides, float* out, int threads);

// out[t] is the score of pair t.
void pair_scores(const PairScores& asked, float* out, int threads);

// Scores and rows are (a.count, k). At least k rows take part.
void best(const Best& asked, float* scores, std::int64_t* rows, int threads);

}  // namespace minifloat::cpu
