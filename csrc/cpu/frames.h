#pragma once

// Rows brought into a frame, by the kernels of the instruction set in use.

#include <cstdint>
#include <vector>

#include "cpu/codec.h"

namespace minifloat::cpu {

// Owns what a frame consists of, in the order of the kernels.
class PaddedFrame {
 public:
  // Of tensors that are not padded: axes (axis_count, dim), signs (rounds, dim), and shares of
  // errors (dim, dim) or null.
  PaddedFrame(const Frame& dense, const float* shares);
  PaddedFrame(PaddedFrame&&) = default;

  const Frame& frame() const { return frame_; }

 private:
  std::vector<float> axes_, signs_, panels_;
  std::vector<std::int64_t> order_;
  Frame frame_;
};

// Rows of a source's values in a frame. Rests are not padded.
void project(int source, const ValueRows& rows, const Frame& frame, const Projected& out,
             int threads);

// Rows of a source's values brought into a frame, and what is left of them quantized; norms are
// those times the length of it. Returns the first row that is not finite, or -1.
struct Framed {
  std::uint8_t* codes;
  float* norms;
  float* coordinates;  // (count, axis_count)
};
std::int64_t quantize_in_frame(const Rounding& how, const Frame& frame, const ValueRows& rows,
                               const Framed& to, int threads);

// Rows of a source's values brought into a frame, and what is left of them made elements of a
// format's lane, as float queries are; norms are those times the length of it. Returns the first
// row that is not finite, or -1.
struct FramedInLane {
  InLane rest;
  float* coordinates;  // (count, axis_count)
};
std::int64_t to_lane_in_frame(int format, int source, const Frame& frame, const ValueRows& rows,
                              const FramedInLane& to, int threads);

}  // namespace minifloat::cpu
