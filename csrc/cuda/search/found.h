#pragma once

// The matches that a search has found so far.

#include "cuda/search/keys.h"

namespace minifloat::cuda {

// Where warpgroups multiply, each has a slice of its own. Queries are counted with those that fill
// up the last block.
struct Found {
  Key* keys;        // (slices, queries, capacity)
  int* counts;      // (slices, queries): keys that are there, also more than `kept`
  Key* thresholds;  // (queries,): what is below is not among the best of all slices
  Key* limits;      // (queries,): only what is below takes part
  std::int64_t slices;
  std::int64_t queries;
  int capacity;
  int crowd;  // with more keys than this, those not among the best of their slice are dropped
  int kept;   // that many are the best
};

}  // namespace minifloat::cuda
