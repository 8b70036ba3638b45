#pragma once

// How scores are made: in which way, in blocks of how many rows and queries, by how many threads.

#include <cstdint>

#include "cpu/sets/set.h"
#include "query.h"

namespace minifloat::cpu {

struct Plan {
  const Sides& sides;
  const Isa& isa;
  const Kernels& kernels;
  const Way& way;
  Scoring scoring;
  std::int64_t row_bytes;  // of b
};

// How many places for queries a way's widest panel has, and the narrowest that holds so many or is
// the widest.
int widest(const Way& way);
int width_for(const Way& way, std::int64_t queries);

// Of a row of a format and so many queries, in the time of a scan of the row for one.
float least_cost(int format, std::int64_t queries);

// What all ways of a format hold of queries that are floats in one plane, as layouts tell it.
std::int64_t one_plane(int format);

// The plan for so many queries that meet each row.
Plan plan_of(const Sides& sides, std::int64_t queries);

// How threads share the work: blocks of queries, and the blocks of rows that go by each.
struct Shares {
  int query_threads;
  int row_threads;
  std::int64_t queries;     // of a block, whose layout is in memory
  std::int64_t row_blocks;  // that a thread takes at a time
};

Shares shares_of(const Plan& plan, std::int64_t row_blocks, int threads);

}  // namespace minifloat::cpu
