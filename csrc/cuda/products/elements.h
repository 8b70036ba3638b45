#pragma once

// Single elements of a row, where speed is not at stake.

#include "cuda/device/choices.h"
#include "cuda/device/device.h"
#include "format/lanes.h"

namespace minifloat::cuda {

// Code i of a packed row.
template <Format F>
MINIFLOAT_DEVICE std::uint8_t code_at(const std::uint8_t* row, std::int64_t i) {
  const std::int64_t bit = i * F.bits(), byte = bit / 8;
  const int shift = static_cast<int>(bit % 8);
  unsigned bits = row[byte];
  // A code that ends in its first byte needs no second one, which may not be there.
  if (shift + F.bits() > 8) bits |= static_cast<unsigned>(row[byte + 1]) << 8;
  return static_cast<std::uint8_t>(bits >> shift & (2 * F.sign_bit() - 1));
}

// Element i of a row that is packed, or in its lane.
template <Format F>
MINIFLOAT_DEVICE Element<F> element_at(const std::uint8_t* row, std::int64_t i) {
  return to_element<F>(code_at<F>(row, i));
}
template <Format F>
MINIFLOAT_DEVICE Element<F> element_at(const Element<F>* row, std::int64_t i) {
  return row[i];
}

// The sum of a value of all lanes of a warp, in all of them.
template <class T>
MINIFLOAT_DEVICE T sum_of_warp(T x) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) x += exchange(x, mask);
  return x;
}

}  // namespace minifloat::cuda
