#include "cpu/peak.h"

#include <array>
#include <atomic>

#include "cpu/sets/set.h"
#include "cpu/threads.h"

namespace minifloat::cpu {

std::int64_t multiply(int format, std::int64_t products, int threads) {
  const Multiply kernel = current_isa().multiply[format];
  std::atomic<std::int64_t> done = 0;
  parallel_for(threads, 1, threads, [&](std::int64_t, std::int64_t) {
    // Numbers near 1, read as floats.
    std::array<std::uint8_t, kMultiplied> elements;
    for (int i = 0; i < kMultiplied; ++i) {
      elements[i] = static_cast<std::uint8_t>(0x3c + i / 64 % 4);
    }
    float sink = 0;
    done += kernel(products / threads, elements.data(), &sink);
  });
  return done;
}

}  // namespace minifloat::cpu
