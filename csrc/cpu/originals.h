#pragma once

// Float rows beside what was made of them, in float64: how far codes are turned from the rows that
// they were made of, and cosines of the rows themselves.

#include <cstdint>

#include "cpu/kernels/kernels.h"

namespace minifloat::cpu {

// How many steps an angle between a row and its codes is told in: the last says nothing of it.
inline constexpr int kAngles = 256;

// Packed rows of a format, and an angle for each.
struct Turned {
  int format;  // an index into kFormats
  const std::uint8_t* packed;
  std::uint8_t* angles;  // the first whose chord is no shorter than that of row and codes
};

// `chords` are the squares of the chords of kAngles - 1 angles, in ascending order; a source is an
// index into kSources.
void angles(int source, const ValueRows& rows, const double* chords, const Turned& to, int threads);

// Pairs of a query and a row, in ascending order of rows, so that rows in a file are read in
// theirs; and the cosine of each.
struct Rescored {
  const std::int64_t* pairs;  // (count, 2)
  std::int64_t count;
  double* cosines;
};

// The same bits on every machine. Returns the first row of the pairs that is not finite, or -1;
// queries are float64 and finite.
std::int64_t cosines(const ValueRows& queries, int source, const ValueRows& rows,
                     const Rescored& to, int threads);

}  // namespace minifloat::cpu
