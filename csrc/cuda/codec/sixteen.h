#pragma once

// Sixteen codes, one a byte or side by side.

#include <array>

#include "cuda/device/device.h"
#include "format/packing.h"

namespace minifloat::cuda {

inline constexpr int kSixteen = 16;

// Sixteen codes in a tile, packed: whole words where the bits of a code are even.
template <int kBits>
struct Sixteen {
  using Word = std::conditional_t<kBits % 2 == 0, std::uint32_t, std::uint16_t>;
  static constexpr int kWordBits = 8 * sizeof(Word);
  static constexpr int kWords = kSixteen * kBits / kWordBits;

  Word each[kWords];
};

template <int kBits>
MINIFLOAT_DEVICE Sixteen<kBits> squeeze_sixteen(const Words4& codes) {
  const auto both = bits_of<std::array<std::uint64_t, 2>>(codes);
  const unsigned __int128 packed =
      squeeze<kBits>(both[0]) | static_cast<unsigned __int128>(squeeze<kBits>(both[1]))
                                    << (8 * kBits);
  Sixteen<kBits> out;
  for (int i = 0; i < out.kWords; ++i) {
    out.each[i] = static_cast<typename Sixteen<kBits>::Word>(packed >> (i * out.kWordBits));
  }
  return out;
}

template <int kBits>
MINIFLOAT_DEVICE Words4 spread_sixteen(const Sixteen<kBits>& packed) {
  unsigned __int128 all = 0;
  for (int i = 0; i < packed.kWords; ++i) {
    all |= static_cast<unsigned __int128>(packed.each[i]) << (i * packed.kWordBits);
  }
  const std::array<std::uint64_t, 2> codes{
      spread<kBits>(static_cast<std::uint64_t>(all)),
      spread<kBits>(static_cast<std::uint64_t>(all >> (8 * kBits)))};
  return bits_of<Words4>(codes);
}

}  // namespace minifloat::cuda
