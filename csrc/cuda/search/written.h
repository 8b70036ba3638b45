#pragma once

// What becomes of the best of a query.

#include "cuda/search/best.h"

namespace minifloat::cuda {

// Puts the best of a query, which are sorted, into its first list.
MINIFLOAT_DEVICE void keep_best(const Found& found, std::int64_t query, const Key* keys) {
  int* const counts = found.counts + query;
  for (int i = thread_index(); i < found.kept; i += thread_count()) {
    found.keys[query * found.lists.capacity + i] = keys[i];
    // Matches come before what is none.
    const bool is_last = keys[i] != 0 && (i + 1 == found.kept || keys[i + 1] == 0);
    if (is_last) *counts = i + 1;
    if (i == 0 && keys[i] == 0) *counts = 0;
  }
  for (int list = 1 + thread_index(); list < found.slices; list += thread_count()) {
    counts[list * found.queries] = 0;
  }
  if (thread_index() == 0) found.thresholds[query] = keys[found.kept - 1];
}

// Writes the best of a query, which are sorted, and readies the next part or the next round.
MINIFLOAT_DEVICE void write_best(const Found& found, std::int64_t query, const Key* keys,
                                 const Answers& answers) {
  if (!answers.rows) return keep_best(found, query, keys);
  for (int i = thread_index(); i < found.kept; i += thread_count()) {
    const Key key = keys[i];
    const float score = score_of(key);
    const bool is_number = key != 0 && score != -kInfinity;
    answers.scores[query * answers.k + i] = is_number ? score : kNan;
    answers.rows[query * answers.k + i] = key == 0 ? -1 : row_of(key);
  }
  if (thread_index() == 0) {
    found.thresholds[query] = 0;
    found.limits[query] = keys[found.kept - 1];
  }
}

}  // namespace minifloat::cuda
