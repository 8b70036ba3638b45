#pragma once

// What the kernels of a search share: matches that blocks have found so far, and the merge of them.

#include "cuda/products/warp.h"
#include "cuda/search/keys.h"

namespace minifloat::cuda {

// At most so many are found in one round; the next one looks below the last of the round before.
inline constexpr std::int64_t kMostKept = 1024;

// Matches by slice, by query: `counts` of `capacity` keys. More than `kept` may be there.
struct Found {
  Key* keys;
  int* counts;
  Key* thresholds;  // by query: matches below are not among the best, whichever slice found them
  Key* limits;      // by query: only matches below take part
  int capacity;
  int crowd;  // with more matches than this, those not among the best are dropped
  int kept;
};

// Bytes that a search of so many queries at once takes.
std::int64_t chunk_workspace(const Sides& sides, std::int64_t count, std::int64_t k);

// Marks rows that take part in a search.
void select(const Selection& selection, std::int64_t rows, std::uint8_t* selected, Stream stream);

// The best of all slices, in order, into row `first` on of answers that are `k` apart; they become
// the limits of the next round.
void merge(const Found& found, std::int64_t slices, std::int64_t queries, std::int64_t padded,
           std::int64_t k, float* scores, std::int64_t* rows, Stream stream);

}  // namespace minifloat::cuda
