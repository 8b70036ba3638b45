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

// Values of one access as float32; those of bfloat16 are its upper halves.
template <class Source>
MINIFLOAT_DEVICE Run<float, kAtOnce<Source>> load_wide(const Source* from) {
  const Words4 words = load16(from);
  Run<float, kAtOnce<Source>> wide;
  if constexpr (std::is_same_v<Source, Bfloat16>) {
    for (int i = 0; i < 8; ++i) {
      const std::uint32_t word = words.each[i / 2];
      wide.each[i] = bits_of<float>(i % 2 == 0 ? word << 16 : word & 0xffff0000);
    }
  } else {
    const auto values = bits_of<Run<Source, kAtOnce<Source>>>(words);
    for (int i = 0; i < kAtOnce<Source>; ++i) wide.each[i] = widen(values.each[i]);
  }
  return wide;
}

// Encodes as many values as one access loads.
template <Format F, bool kSaturates, class Source>
MINIFLOAT_DEVICE Run<std::uint32_t, kAtOnce<Source>> encode_run(const Source* from) {
  const auto wide = load_wide(from);
  Run<std::uint32_t, kAtOnce<Source>> codes;
  // Few at a time, which take few registers.
  constexpr int kFew = kAtOnce<Source> < 4 ? kAtOnce<Source> : 4;
  for (int first = 0; first < kAtOnce<Source>; first += kFew) {
    float few[kFew];
    for (int i = 0; i < kFew; ++i) few[i] = wide.each[first + i];
    to_codes<F, kSaturates>(few, codes.each + first);
  }
  return codes;
}

// The same, to a byte each.
template <Format F, bool kSaturates, class Source>
MINIFLOAT_DEVICE void encode_bytes(const Source* from, std::uint8_t* to) {
  const auto codes = encode_run<F, kSaturates>(from);
  Run<std::uint8_t, kAtOnce<Source>> bytes;
  for (int i = 0; i < kAtOnce<Source>; ++i) {
    bytes.each[i] = static_cast<std::uint8_t>(codes.each[i]);
  }
  *reinterpret_cast<Run<std::uint8_t, kAtOnce<Source>>*>(to) = bytes;
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
