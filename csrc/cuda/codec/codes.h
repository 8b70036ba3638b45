#pragma once

// Codes of packed rows one by one, where speed is not at stake.

#include "cuda/device/device.h"
#include "format/packing.h"

namespace minifloat::cuda {

// Code i of a packed row.
template <int kBits>
MINIFLOAT_DEVICE std::uint8_t code_at(const std::uint8_t* row, std::int64_t i) {
  const std::int64_t bit = i * kBits, byte = bit / 8;
  const int shift = static_cast<int>(bit % 8);
  unsigned bits = row[byte];
  // A code that ends in its first byte needs no second one, which may not be there.
  if (shift + kBits > 8) bits |= static_cast<unsigned>(row[byte + 1]) << 8;
  return static_cast<std::uint8_t>(bits >> shift & ((1u << kBits) - 1));
}

}  // namespace minifloat::cuda
