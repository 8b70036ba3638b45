#pragma once

// A frame: axes along which rows keep their coordinates, and the turn of what is left of them.
// `docs/reference/formats.md` specifies the order of all sums.

#include <bit>
#include <cstdint>

namespace minifloat {

// Rows that are brought into a frame are padded with zeros to a multiple of so many values.
inline constexpr std::int64_t kFrameStep = 16;

// Rows whose codes take up each other's errors go side by side, and places of a row a few at once.
inline constexpr int kFedRows = 32, kFedPlaces = 8;

// By what share of the error at each place those after it are changed: for kFedPlaces places at a
// time, what each takes of the errors at all places up to the last of them, place by place. That of
// a place's own and of later ones is 0, as are the shares of places after the last.
struct Feedback {
  const float* panels;  // or null
  std::int64_t places;  // a multiple of kFedPlaces
};

struct Frame {
  std::int64_t dim;
  std::int64_t padded;  // of axes and signs too
  const float* axes;    // (axis_count, padded), orthonormal
  std::int64_t axis_count;
  const float* signs;  // (rounds, padded), each 1 or -1; ones where there are no rounds
  std::int64_t rounds;
  const std::int64_t* order;  // (rounds - 1, dim): where each value was, between rounds; or null
  Feedback feedback;
};

// Rows are turned in `count` blocks of so many values, a power of two. Where there would be too
// many there are none, and the size is that of the two ends that are turned.
struct Blocks {
  std::int64_t count;
  std::int64_t size;
};

constexpr Blocks blocks_of(std::int64_t dim) {
  constexpr std::int64_t kLeastSize = 16, kMost = 15;
  const std::int64_t size = dim & -dim;
  if (size >= kLeastSize && dim / size <= kMost) return {dim / size, size};
  return {0, static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(dim)))};
}

// Of rows at length 1: the coordinates and the length of what is left, which `rest` is, turned.
struct Projected {
  float* rest;         // (count, padded)
  float* coordinates;  // (count, axis_count)
  float* lengths;      // (count,)
};

}  // namespace minifloat
