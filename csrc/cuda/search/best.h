#pragma once

// What a search does beside its products.

#include "cuda/operators.h"
#include "cuda/search/parts.h"

namespace minifloat::cuda {

// At most so many are found in one round; the next one looks below the last of the round before.
inline constexpr std::int64_t kMostKept = 1024;

// Bytes that a search of so many queries at once takes.
std::int64_t chunk_workspace(const Sides& sides, std::int64_t count, std::int64_t k);

// How the first round of such a search goes.
struct Course {
  Lists lists;
  Sought sought;
  std::int64_t block_rows;  // that a block takes at a time
  std::vector<Slices> parts;
};
Course course_of(const Sides& sides, std::int64_t count, std::int64_t k);

// Writes for each of `rows` rows whether it takes part in a search that has ranges.
void write_mask(const Selection& selection, std::int64_t rows, std::uint8_t* mask, Stream stream);

// Answers to queries, which are k apart.
struct Answers {
  float* scores;
  std::int64_t* rows;
  std::int64_t k;
};

// After a part of the rows: puts the best of all slices into the first one's lists, for each of so
// many queries, and empties the others. The last of them are the thresholds of the next part.
void raise_thresholds(const Found& found, std::int64_t queries, Stream stream);

// Writes the best of all slices, in order, for each of so many queries. The last of them are the
// limits of the next round, which has no thresholds yet.
void merge(const Found& found, std::int64_t queries, const Answers& answers, Stream stream);

}  // namespace minifloat::cuda
