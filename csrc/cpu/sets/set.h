#pragma once

// Which instruction set's kernels run.

#include <string>
#include <vector>

#include "cpu/kernels/kernels.h"

namespace minifloat {

// The names of the sets that this machine has, the best first.
std::vector<std::string> available_isas();

// The set in use: the best one, or the one that the environment variable MINIFLOAT_ISA names.
// Throws std::invalid_argument where that is not available.
const Isa& current_isa();

// Puts another set in use, for the whole process. Throws std::invalid_argument as above.
void set_isa(const std::string& name);

}  // namespace minifloat
