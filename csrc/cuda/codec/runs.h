#pragma once

// Runs of values and of bytes, in global or in shared memory, which threads move 16 bytes at a
// time.

#include "cuda/codec/convert.h"

namespace minifloat {

MINIFLOAT_HD inline bool is_aligned(const void* at) {
  return reinterpret_cast<std::uintptr_t>(at) % sizeof(Words4) == 0;
}

// Values that 16 bytes hold.
template <class Value>
inline constexpr int kAtOnce = sizeof(Words4) / sizeof(Value);

template <class T, int kCount>
struct alignas(sizeof(T) * kCount) Run {
  T each[kCount];
};

// Encodes as many values as one access loads, to codes[0] and so on.
template <Format F, bool kSaturates, class Source>
MINIFLOAT_DEVICE void encode_run(const Source* from, std::uint8_t* codes) {
  const auto values = bits_of<Run<Source, kAtOnce<Source>>>(load16(from));
  // Few at a time, which take few registers.
  constexpr int kFew = kAtOnce<Source> < 4 ? kAtOnce<Source> : 4;
  for (int first = 0; first < kAtOnce<Source>; first += kFew) {
    float wide[kFew];
    for (int i = 0; i < kFew; ++i) wide[i] = widen(values.each[first + i]);
    to_codes<F, kSaturates>(wide, codes + first);
  }
}

// Copies by all threads of a block; others see them after the next sync_threads.
MINIFLOAT_DEVICE void copy_bytes(std::uint8_t* to, const std::uint8_t* from, std::int64_t count) {
  const std::int64_t vectors =
      is_aligned(to) && is_aligned(from) ? count / static_cast<int>(sizeof(Words4)) : 0;
  for (std::int64_t i = thread_index(); i < vectors; i += thread_count()) {
    reinterpret_cast<Words4*>(to)[i] = reinterpret_cast<const Words4*>(from)[i];
  }
  const std::int64_t moved = vectors * static_cast<int>(sizeof(Words4));
  for (std::int64_t i = moved + thread_index(); i < count; i += thread_count()) to[i] = from[i];
}

}  // namespace minifloat
