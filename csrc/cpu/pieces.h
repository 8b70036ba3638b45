#pragma once

// Work on rows and codes in pieces that threads share, and which kernels do it.

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "cpu/sets/set.h"
#include "cpu/threads.h"
#include "format/format.h"
#include "format/lanes.h"

namespace minifloat::cpu {

// Codes that one piece of parallel work takes: whole groups of eight, which are whole bytes.
inline constexpr std::int64_t kGrain = 1 << 16;

// Calls run(begin, count) for stretches of [begin, end) of so many.
template <class Run>
void in_stretches(std::int64_t begin, std::int64_t end, std::int64_t stretch, Run run) {
  for (; begin < end && keep_going(); begin += stretch) run(begin, std::min(stretch, end - begin));
}

inline const Kernels& kernels_of(int format) { return current_isa().kernels[format]; }
inline int bits_of_format(int format) { return kFormats[format].format.bits(); }

// Makes rows of values elements of a format's lane, as large as products with its rows leave room.
class Preparing {
 public:
  Preparing(int format, int source, std::int64_t dim) {
    const Format of_rows = kFormats[format].format;
    const bool is_float = lane(of_rows) == Lane::kFloat;
    kernel_ = current_isa().to_lane[source][is_float];
    limit_ = is_float ? 1.0f : static_cast<float>(query_max(of_rows, dim));
    row_size_ = dim * (is_float ? sizeof(float) : sizeof(std::int16_t));
  }

  // Of some rows, whose place in the answer is from row `first` on.
  std::int64_t operator()(const ValueRows& some, std::int64_t first, const InLane& to) const {
    auto* const elements = static_cast<std::uint8_t*>(to.elements) + first * row_size_;
    return kernel_(some, limit_, {elements, to.norms + first});
  }

 private:
  ToLane kernel_;
  float limit_;
  std::int64_t row_size_;
};

inline void lower_to(std::atomic<std::int64_t>& least, std::int64_t value) {
  std::int64_t before = least;
  while (value < before && !least.compare_exchange_weak(before, value)) {
  }
}

}  // namespace minifloat::cpu
