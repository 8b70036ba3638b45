#pragma once

// What a search does beside its products.

#include "cuda/operators.h"
#include "cuda/search/found.h"

namespace minifloat::cuda {

// At most so many are found in one round; the next one looks below the last of the round before.
inline constexpr std::int64_t kMostKept = 1024;

// Bytes that a search of so many queries at once takes.
std::int64_t chunk_workspace(const Sides& sides, std::int64_t count, std::int64_t k);

// Writes 1 for each of `rows` rows that takes part in a search, else 0; there are ranges.
void write_mask(const Selection& selection, std::int64_t rows, std::uint8_t* mask, Stream stream);

// Answers to queries, which are k apart.
struct Answers {
  float* scores;
  std::int64_t* rows;
  std::int64_t k;
};

// Writes the best of all slices, in order, for the first `queries` of those that were looked for;
// the last of them become the limits of the next round.
void merge(const Found& found, std::int64_t queries, const Answers& answers, Stream stream);

}  // namespace minifloat::cuda
