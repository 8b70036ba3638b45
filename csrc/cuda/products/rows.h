#pragma once

// Packed rows, and a lane's codes of them.

#include "cuda/products/decoding.h"

namespace minifloat::cuda {

struct PackedRows {
  const std::uint8_t* packed;  // (count, row_bytes)
  const float* norms;          // (count,), reciprocal
  std::int64_t dim;
  std::int64_t count;
};

// A lane's words of one row in a step. `row` may start at any byte.
template <Format F>
MINIFLOAT_DEVICE void row_words(const std::uint8_t* row, int lane, bool is_aligned,
                                std::uint32_t (&words)[Operand<F>::kWords]) {
  using Row = Operand<F>;
  constexpr int kRuns = Row::kWords / Row::kRunWords;
#pragma unroll
  for (int run = 0; run < kRuns; ++run) {
    const std::uint8_t* const from = row + (run * 4 + lane % 4) * Row::kRunWords * 4;
    std::uint32_t* const to = words + run * Row::kRunWords;
    if (is_aligned && Row::kRunWords == 2) {
      const auto both = *reinterpret_cast<const std::uint64_t*>(from);
      to[0] = static_cast<std::uint32_t>(both);
      to[1] = static_cast<std::uint32_t>(both >> 32);
    } else if (is_aligned) {
#pragma unroll
      for (int w = 0; w < Row::kRunWords; ++w) {
        to[w] = reinterpret_cast<const std::uint32_t*>(from)[w];
      }
    } else {
      const int off = static_cast<int>(reinterpret_cast<std::uintptr_t>(from) % 4);
      const auto* const whole = reinterpret_cast<const std::uint32_t*>(from - off);
#pragma unroll
      for (int w = 0; w < Row::kRunWords; ++w) {
        to[w] = window(whole[w], whole[w + 1], 8 * off);
      }
    }
  }
}

// A lane's registers of two rows in a step; each row may start at any byte.
template <Format F, class Row = Operand<F>>
MINIFLOAT_DEVICE void decode_rows(const std::uint8_t* const (&rows)[2], bool is_aligned,
                                  typename Row::TwoRows& out) {
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    std::uint32_t words[Operand<F>::kWords];
    row_words<F>(rows[r], thread_index() % kWarp, is_aligned, words);
    row_registers<F, Row>(words, out[r]);
  }
}

}  // namespace minifloat::cuda
