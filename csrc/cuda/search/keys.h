#pragma once

// Matches of a search as keys, of which the larger is the better, and the sorting of those.

#include "cuda/device/groups.h"

namespace minifloat::cuda {

// A score and a row: the higher score is the larger key, and among equal ones the lower row. 0 is
// no match at all.
using Key = std::uint64_t;

// NaN counts as minus infinity.
MINIFLOAT_DEVICE Key key_of(float score, std::int64_t row) {
  // Adding makes -0 0.
  const float number = score == score ? score + 0.0f : -kInfinity;
  const auto bits = bits_of<std::uint32_t>(number);
  const std::uint32_t order = bits >> 31 ? ~bits : bits | 0x80000000;
  return Key{order} << 32 | ~static_cast<std::uint32_t>(row);
}

MINIFLOAT_DEVICE float score_of(Key key) {
  const auto order = static_cast<std::uint32_t>(key >> 32);
  return bits_of<float>(order >> 31 ? order & 0x7fffffff : ~order);
}

MINIFLOAT_DEVICE std::int64_t row_of(Key key) { return ~static_cast<std::uint32_t>(key); }

// Above every match, whose scores are 1 at most.
inline constexpr Key kAboveAll = Key{0xbf800001} << 32;

// A key that of some keys at least `fewest` reach and at most `most`, found by halving; that many
// reach `low`. count(key) says to all threads that take part how many reach a key. No two keys are
// equal, so in the end there is one that exactly `fewest` reach.
template <class Count>
MINIFLOAT_DEVICE Key cut_of(Key low, int fewest, int most, Count count) {
  for (Key high = kAboveAll; high - low > 1;) {
    const Key middle = low + (high - low) / 2;
    const int reaching = count(middle);
    if (reaching < fewest) {
      high = middle;
    } else {
      low = middle;
      if (reaching <= most) break;
    }
  }
  return low;
}

// Puts keys in shared memory, a power of two of them, into descending order, for all threads to
// see.
MINIFLOAT_DEVICE void sort(const Group& group, Key* keys, int count) {
  group.sync();
  for (int size = 2; size <= count; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      for (int i = group.thread; i < count / 2; i += group.threads) {
        const int first = 2 * i - (i & (stride - 1)), second = first + stride;
        const Key x = keys[first], y = keys[second];
        if ((x < y) == ((first & size) == 0)) {
          keys[first] = y;
          keys[second] = x;
        }
      }
      group.sync();
    }
  }
}

}  // namespace minifloat::cuda
