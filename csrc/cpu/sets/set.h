#pragma once

// Instruction sets, and which of them runs.

#include <cstdint>
#include <string>
#include <vector>

#include "cpu/kernels/kernels.h"

namespace minifloat {

struct Isa {
  const char* name;
  const Kernels* kernels;    // by index into kFormats
  const Multiply* multiply;  // likewise
  // Bit i of found[r] tells whether scores[r * width + i] is above bounds[i], or NaN; count is at
  // most 64 and not above width.
  void (*find_above)(const float* scores, std::int64_t rows, int width, const float* bounds,
                     int count, std::uint64_t* found);
};

// The names of the sets that this machine has, the best first.
std::vector<std::string> available_isas();

// The set in use: the best one, or the one that the environment variable MINIFLOAT_ISA names.
// Throws std::invalid_argument where that is not available.
const Isa& current_isa();

// Puts another set in use, for the whole process. Throws std::invalid_argument as above.
void set_isa(const std::string& name);

}  // namespace minifloat
