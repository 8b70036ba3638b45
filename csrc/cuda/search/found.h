#pragma once

// The matches that a search has found so far.

#include "cuda/search/keys.h"

namespace minifloat::cuda {

// How long a search's lists are, and when they are cut.
struct Lists {
  int capacity;
  int crowd;        // with more keys than this a list is cut
  int left;         // at most so many are left then
  int period;       // row blocks after which lists are looked at, a power of two
  bool are_sorted;  // to be cut; else they are halved
};

// Where warpgroups multiply, each has a slice of its own. Queries are counted with those that fill
// up the last block.
struct Found {
  Key* keys;        // (slices, queries, capacity)
  int* counts;      // (slices, queries): keys that are there, also more than `kept`
  Key* thresholds;  // (queries,): what is below is not among the best of all slices
  Key* limits;      // (queries,): only what is below takes part
  std::int64_t slices;
  std::int64_t queries;
  Lists lists;
  int kept;         // that many are the best
  bool is_limited;  // whether there are limits, of the round before
  bool goes_on;     // whether lists have keys, of the part of the rows before
};

}  // namespace minifloat::cuda
