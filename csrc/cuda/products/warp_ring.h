#pragma once

// Packed rows on their way into shared memory: pieces, which are some steps of 64 rows, through a
// ring of stages, each copied while those before it are multiplied.

#include "cuda/products/operands.h"

namespace minifloat::cuda {

// What a block multiplies.
struct Rows {
  const std::uint8_t* packed;
  const float* norms;
  std::int64_t dim;
  std::int64_t count;
};

struct Ring {
  static constexpr int kThreads = 128;
  static constexpr int kStages = 4;
  static constexpr int kRows = kThreads / kWarp * 16;
};

template <Format F>
struct Piece {
  using Row = Operand<F>;
  static constexpr int kSteps = F.bits() <= 4 ? 4 : 2;
  static constexpr int kBytes = kSteps * Row::kStepBytes;
  // Of a row in a stage: it starts anywhere in the first 16 bytes. Eight rows' accesses meet no
  // bank of memory twice.
  static constexpr int kPitch = kBytes + 16 + (Row::kWords % 2 == 0 ? 16 : 0);
  static constexpr int kStageBytes = Ring::kRows * kPitch;
  static constexpr int kRingBytes = Ring::kStages * kStageBytes;
  static_assert(kRingBytes <= 40 << 10,
                "or fewer than four blocks fit into a Hopper multiprocessor");
};

// Asks for one piece: bytes from `first` on of rows from `row` on, zeros where rows end.
template <Format F>
MINIFLOAT_DEVICE void copy_piece(const Rows& rows, std::int64_t row, std::int64_t end,
                                 std::int64_t first, std::uint8_t* stage) {
  constexpr int kVectors = Piece<F>::kBytes / 16 + 1;
  const std::int64_t bytes = row_bytes(rows.dim, F.bits());
  // Where the last 16 rows are, which may be as short as a byte, 16 bytes may go past them all.
  const std::uint8_t* const all_end =
      row + Ring::kRows + 16 > rows.count ? rows.packed + rows.count * bytes : nullptr;
  for (int i = thread_index(); i < Ring::kRows * kVectors; i += Ring::kThreads) {
    const int r = i / kVectors, v = i % kVectors;
    const bool is_there = row + r < end;
    const std::uint8_t* const begin = rows.packed + (is_there ? row + r : row) * bytes;
    const std::uint8_t* const from = begin + first;
    const std::uint8_t* const vector =
        from - reinterpret_cast<std::uintptr_t>(from) % 16 + std::int64_t{16} * v;
    const std::int64_t left = is_there ? begin + bytes - vector : 0;
    const int taken = left < 0 ? 0 : left > 16 ? 16 : static_cast<int>(left);
    std::uint8_t* const to = stage + r * Piece<F>::kPitch + 16 * v;
    if (all_end && taken > 0 && vector + 16 > all_end) {
      for (int j = 0; j < 16; ++j) to[j] = j < taken ? vector[j] : std::uint8_t{0};
    } else {
      copy_async(to, vector, taken);
    }
  }
}

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

}  // namespace minifloat::cuda
