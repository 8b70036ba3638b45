#pragma once

// The operators over memory of one device. Each puts its work into a stream and does not wait.

#include <cstdint>

#include "stream.h"

namespace minifloat::cuda {

// What values come as, in the order of the Python side's SOURCES.
inline constexpr int kSources = 4;

void encode(int format, int source, bool saturates, const void* values, std::int64_t count,
            std::uint8_t* codes, Stream stream);
void decode(int format, const std::uint8_t* codes, std::int64_t count, float* values,
            Stream stream);

// Rows of codes, or of values that are encoded first, and dense rows of them.
void pack(int format, const std::uint8_t* codes, std::int64_t rows, std::int64_t dim,
          std::uint8_t* packed, Stream stream);
void unpack(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
            std::uint8_t* codes, Stream stream);
void encode_pack(int format, int source, bool saturates, const void* values, std::int64_t rows,
                 std::int64_t dim, std::uint8_t* packed, Stream stream);

}  // namespace minifloat::cuda
