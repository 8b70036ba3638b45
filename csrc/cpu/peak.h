#pragma once

#include <cstdint>

namespace minifloat::cpu {

// Multiplies elements in registers on each thread, about so many products in all; returns how many
// there were. No search can be faster.
std::int64_t multiply(int format, std::int64_t products, int threads);

}  // namespace minifloat::cpu
