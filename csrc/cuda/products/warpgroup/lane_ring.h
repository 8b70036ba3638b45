#pragma once

// A warp's ring for few queries at a time, where the issue of instructions is what a scan waits
// for: every lane copies 16 bytes at a time of its own two rows, so that a piece takes a few
// instructions, where a bulk copy takes several for each row.

#include "cuda/products/warpgroup/ring.h"

namespace minifloat::cuda {

template <Format F>
class LaneRing {
 public:
  // Of all warps.
  static constexpr int bytes(int stages) { return kWarps * stages * Piece<F>::kStageBytes; }

  // As WarpRing's.
  MINIFLOAT_DEVICE LaneRing(const PackedRows& rows, std::int64_t first, std::int64_t end,
                            std::uint8_t* memory, int stages)
      : row_bytes_(static_cast<int>(row_bytes(rows.dim, F.bits()))), stages_(stages) {
    const int lane = thread_index() % kWarp, warp = thread_index() / kWarp;
    const std::int64_t row = first + warp % kWarpgroupWarps * kWarpRows + lane / 4;
    stages_begin_ = memory + warp * stages * Piece<F>::kStageBytes;
    first_byte_ = lane % 4 * kVector;
    from_ = rows.packed + row * row_bytes_ + first_byte_;
    to_ = lane / 4 * Piece<F>::kPitch + first_byte_;
    left_ = end - row;
    for (int i = 0; i + 1 < stages; ++i) ask();
  }

  // Waits for the next piece, which stays until the next call.
  MINIFLOAT_DEVICE const std::uint8_t* take() {
    // From here on no lane reads the piece before.
    sync_warp();
    ask();
    // Of the groups since, each piece has one.
    if (stages_ == 2) {
      wait_copies<1>();
    } else if (stages_ == 3) {
      wait_copies<2>();
    } else {
      wait_copies<3>();
    }
    // From here on the other lanes' copies are there, too.
    sync_warp();
    const std::uint8_t* const piece = stages_begin_ + stage_ * Piece<F>::kStageBytes;
    stage_ = after(stage_);
    return piece;
  }

 private:
  static constexpr int kVector = 16;
  static constexpr int kApart = 4 * kVector;  // of a lane's copies of a row

  MINIFLOAT_DEVICE int after(int stage) const { return stage + 1 == stages_ ? 0 : stage + 1; }

  // Rows past the end are not asked for, and nobody looks at what is multiplied in their place.
  MINIFLOAT_DEVICE void ask() {
    std::uint8_t* const to = stages_begin_ + next_stage_ * Piece<F>::kStageBytes + to_;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int left = left_ > 8 * half ? row_bytes_ - next_byte_ - first_byte_ : 0;
      const std::uint8_t* const from = from_ + half * 8 * row_bytes_;
#pragma unroll
      for (int at = 0; at < Piece<F>::kBytes; at += kApart) {
        if (at < left) copy_async(to + half * 8 * Piece<F>::kPitch + at, from + at, kVector);
      }
    }
    commit_copies();
    next_stage_ = after(next_stage_);
    next_byte_ += Piece<F>::kBytes;
    from_ += Piece<F>::kBytes;
    if (next_byte_ >= row_bytes_) {
      from_ += std::int64_t{kWarpgroups * kBlockRows} * row_bytes_ - next_byte_;
      left_ -= kWarpgroups * kBlockRows;
      next_byte_ = 0;
    }
  }

  int row_bytes_;
  int stages_;
  std::uint8_t* stages_begin_;
  int stage_ = 0;   // of the piece that is taken next
  int first_byte_;  // of a row's piece that this lane copies
  int to_;          // of a stage, where this goes
  // The piece that is asked for next: this lane's first bytes of it, the rows that are left from
  // that row on, the piece's first byte in a row, and its stage.
  const std::uint8_t* from_;
  std::int64_t left_;
  int next_byte_ = 0;
  int next_stage_ = 0;
};

}  // namespace minifloat::cuda
