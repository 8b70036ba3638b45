#pragma once

// Codes, packed rows and their norms, by the kernels of the instruction set in use.

#include <cstdint>

#include "cpu/kernels/kernels.h"

namespace minifloat::cpu {

// Flat runs of values and codes; a source is an index into kSources.
void encode(int format, int source, bool saturates, const void* values, std::int64_t count,
            std::uint8_t* codes, int threads);
void decode(int format, const std::uint8_t* codes, std::int64_t count, float* values, int threads);

// Rows of codes, or of values that are encoded first, and dense rows of them.
void pack(int format, const std::uint8_t* codes, std::int64_t rows, std::int64_t dim,
          std::uint8_t* packed, int threads);
void unpack(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
            std::uint8_t* codes, int threads);
void encode_pack(int format, int source, bool saturates, const void* values, std::int64_t rows,
                 std::int64_t dim, std::uint8_t* packed, int threads);

// Rows of values in one pass: scaled, packed, and what scores need of each. Of values that are no
// float32, kCosine and kUnbiased are not made. Returns the first row that is not finite, or -1.
struct Rounding {
  int format;  // an index into kFormats
  int source;  // likewise into kSources
  Scale scale;
  Estimator estimator;
  bool saturates;
};
// The kernel that does so for float32.
Fit fit_of(const Rounding& how);
std::int64_t quantize(const Rounding& how, const ValueRows& rows, std::uint8_t* packed,
                      float* norms, int threads);

// Rows of values in one pass as float queries of a format: elements of its lane, with all the
// precision that it has, and their reciprocal norms. Returns the first row that is not finite, or
// -1.
std::int64_t to_lane(int format, int source, const ValueRows& rows, const InLane& to, int threads);

// 1 / norm of each decoded row.
void reciprocal_norms(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
                      float* norms, int threads);

}  // namespace minifloat::cpu
