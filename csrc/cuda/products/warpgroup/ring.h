#pragma once

// Packed rows on their way into shared memory, for products by warpgroup: each warp has a ring of
// its own for its rows of a row block, so that no warp waits for another one's. Bulk copies fill
// it, one for each row of a piece.

#include "cuda/products/rows.h"

namespace minifloat::cuda {

// Of a block.
inline constexpr int kWarpgroups = 2;
inline constexpr int kWarps = kWarpgroups * kWarpgroupWarps;

// What a stage of a ring holds: some steps of a warp's rows.
template <Format F>
struct Piece {
  static constexpr int kSteps = 4;
  static constexpr int kBytes = kSteps * Operand<F>::kStepBytes;  // of a row
  // From one row to the next: eight rows' accesses meet no bank of memory twice.
  static constexpr int kPitch = kBytes + 16 + (Operand<F>::kWords % 2 == 0 ? 16 : 0);
  static constexpr int kStageBytes = kWarpRows * kPitch;
};

template <Format F>
class WarpRing {
 public:
  // Of all warps.
  static constexpr int bytes(int stages) {
    return kWarps * stages * (Piece<F>::kStageBytes + static_cast<int>(sizeof(Gate)));
  }

  // For the row block at `first` and every kWarpgroups-th from there on, to `end`; `memory` is that
  // of all warps.
  MINIFLOAT_DEVICE WarpRing(const PackedRows& rows, std::int64_t first, std::int64_t end,
                            std::uint8_t* memory, int stages)
      : packed_(rows.packed),
        row_bytes_(static_cast<std::uint32_t>(row_bytes(rows.dim, F.bits()))),
        end_(end),
        stages_(stages),
        next_row_(first) {
    const int warp = thread_index() / kWarp;
    stages_begin_ = memory + warp * stages * Piece<F>::kStageBytes;
    gates_ =
        reinterpret_cast<Gate*>(memory + kWarps * stages * Piece<F>::kStageBytes) + warp * stages;
    if (elect()) {
      for (int i = 0; i < stages; ++i) init_gate(gates_ + i, 1);
      fence_gates();
    }
    for (int i = 0; i + 1 < stages; ++i) ask();
  }

  // Waits for the next piece, which stays until the next call.
  MINIFLOAT_DEVICE const std::uint8_t* take() {
    // From here on no lane reads the piece before, nor looks at gates that are not there yet.
    sync_warp();
    ask();
    wait_gate(gates_ + stage_, parity_);
    const std::uint8_t* const piece = stages_begin_ + stage_ * Piece<F>::kStageBytes;
    stage_ = after(stage_);
    parity_ ^= static_cast<int>(stage_ == 0);
    return piece;
  }

 private:
  MINIFLOAT_DEVICE int after(int stage) const { return stage + 1 == stages_ ? 0 : stage + 1; }

  // Rows past the end are not asked for, and nobody looks at what is multiplied in their place.
  MINIFLOAT_DEVICE void ask() {
    if (next_row_ >= end_) return;
    if (elect()) {
      const std::int64_t row = next_row_ + thread_index() / kWarp % kWarpgroupWarps * kWarpRows;
      const std::int64_t left = end_ - row;
      const int count = left < 0 ? 0 : left < kWarpRows ? static_cast<int>(left) : kWarpRows;
      const std::int64_t rest = row_bytes_ - next_byte_;
      const int size = rest < Piece<F>::kBytes ? static_cast<int>(rest) : Piece<F>::kBytes;
      Gate* const gate = gates_ + next_stage_;
      std::uint8_t* const to = stages_begin_ + next_stage_ * Piece<F>::kStageBytes;
      const std::uint8_t* const from = packed_ + row * row_bytes_ + next_byte_;
      arrive_and_expect(gate, count * size);
      const auto copy = [&](int r) {
        copy_bulk(to + r * Piece<F>::kPitch, from + std::int64_t{r} * row_bytes_, size, gate);
      };
      // Without a loop a copy costs half as many instructions.
      if (count == kWarpRows) {
#pragma unroll
        for (int r = 0; r < kWarpRows; ++r) copy(r);
      } else {
#pragma unroll 1
        for (int r = 0; r < count; ++r) copy(r);
      }
    }
    next_stage_ = after(next_stage_);
    next_byte_ += Piece<F>::kBytes;
    if (next_byte_ >= row_bytes_) {
      next_byte_ = 0;
      next_row_ += kWarpgroups * kBlockRows;
    }
  }

  const std::uint8_t* packed_;
  std::uint32_t row_bytes_;
  std::int64_t end_;
  int stages_;
  std::uint8_t* stages_begin_;
  Gate* gates_;
  int stage_ = 0, parity_ = 0;  // of the piece that is taken next
  // The piece that is asked for next: its row block, its first byte in a row, and its stage.
  std::int64_t next_row_;
  std::int64_t next_byte_ = 0;
  int next_stage_ = 0;
};

}  // namespace minifloat::cuda
