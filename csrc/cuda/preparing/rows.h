#pragma once

// Rows of values, each of which a block takes: its largest magnitude, what it is multiplied by, and
// sums over it in the order that `docs/reference/formats.md` gives them. Every thread of the block
// gets them.

#include <limits>
#include <type_traits>

#include "cuda/codec/convert.h"

namespace minifloat::cuda {

// Of a block.
inline constexpr int kRowThreads = 128;
inline constexpr int kRowBlocks = 8;  // of each multiprocessor

// The type that values are multiplied in.
template <class Source>
using Wide = std::conditional_t<std::is_same_v<Source, double>, double, float>;

template <class Source>
MINIFLOAT_DEVICE Wide<Source> wide(Source x) {
  if constexpr (std::is_same_v<Source, double>) {
    return x;
  } else {
    return widen(x);
  }
}

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == sizeof(double), std::uint64_t, std::uint32_t>;

// Infinite or NaN for a row that is not finite. A barrier must follow before the next call.
template <class Source>
MINIFLOAT_DEVICE Wide<Source> row_largest(const Source* row, std::int64_t dim) {
  // As integers magnitudes have the same order, infinity and NaN above all others.
  using Bits = BitsOf<Wide<Source>>;
  Bits largest = 0;
  const auto look_at = [&](Bits other) { largest = other > largest ? other : largest; };
  for (std::int64_t i = thread_index(); i < dim; i += kRowThreads) {
    look_at(bits_of<Bits>(wide(row[i])) & std::numeric_limits<Bits>::max() >> 1);
  }
  for (int mask = kWarp / 2; mask > 0; mask /= 2) look_at(exchange(largest, mask));
  auto* const of_warps = reinterpret_cast<Bits*>(shared_memory());
  if (thread_index() % kWarp == 0) of_warps[thread_index() / kWarp] = largest;
  sync_threads();
  for (int warp = 0; warp < kRowThreads / kWarp; ++warp) look_at(of_warps[warp]);
  return bits_of<Wide<Source>>(largest);
}

// Bytes that row_largest shares.
inline constexpr int kRowBytes = kRowThreads / kWarp * static_cast<int>(sizeof(std::uint64_t));

template <class T>
MINIFLOAT_DEVICE bool is_finite(T largest) {
  return largest < std::numeric_limits<T>::infinity();
}

// What a row is multiplied by, one after the other, where one factor alone might be beyond the
// largest number.
template <class T>
struct Factors {
  T first;
  T second;
};

// What brings magnitudes that are too small for their reciprocals to where these are numbers.
template <class T>
struct Step {
  static constexpr int kExponent = sizeof(T) == sizeof(double) ? 512 : 64;
  static constexpr T kFactor = sizeof(T) == sizeof(double) ? T(0x1p512) : T(0x1p64);
};

// Those that make the largest magnitude of a row the limit; a zero row stays as it is.
template <class T>
MINIFLOAT_DEVICE Factors<T> factors_of(T largest, T limit) {
  const T first = largest < 1 / Step<T>::kFactor ? Step<T>::kFactor : T{1};
  const T raised = largest * first;
  return {first, raised > 0 ? 1 / raised * limit : T{1}};
}

// Those whose product is the power of two that brings a magnitude into [1/2, 1).
template <class T>
MINIFLOAT_DEVICE Factors<T> factors_near_one(T largest) {
  using Bits = BitsOf<T>;
  constexpr int kMantissa = std::numeric_limits<T>::digits - 1;
  constexpr int kBias = 2 - std::numeric_limits<T>::min_exponent, kMost = kBias - 1;
  const auto power = [](int exponent) {
    return bits_of<T>(static_cast<Bits>(exponent + kBias) << kMantissa);
  };
  // A subnormal has no exponent in its bits.
  const bool is_small = largest < 1 / Step<T>::kFactor;
  const T raised = is_small ? largest * Step<T>::kFactor : largest;
  const int down = kBias - 1 - static_cast<int>(bits_of<Bits>(raised) >> kMantissa);
  const int wanted = largest == 0 ? 0 : down + (is_small ? Step<T>::kExponent : 0);
  const int first = wanted > kMost ? kMost : wanted < -kMost ? -kMost : wanted;
  return {power(first), power(wanted - first)};
}

// The sum of value(i) over a row: of every sixteenth from each place, and then by halves. Each half
// of each warp makes it, for that is faster than to wait for one that does.
template <class T, class Value>
MINIFLOAT_DEVICE T sum_of_row(std::int64_t dim, Value value) {
  constexpr int kPlaces = 16;
  T sum = 0;
#pragma unroll 4
  for (std::int64_t i = thread_index() % kPlaces; i < dim; i += kPlaces) sum += value(i);
  for (int mask = kPlaces / 2; mask > 0; mask /= 2) sum += exchange(sum, mask);
  return sum;
}

}  // namespace minifloat::cuda
