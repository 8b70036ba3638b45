#pragma once

// Packed rows on their way into shared memory, for products by warp: pieces, which are some steps
// of a row block, go through a ring of stages, each copied while those before it are multiplied.

#include "cuda/products/rows.h"
#include "cuda/products/shares.h"

namespace minifloat::cuda {

template <Format F>
class BlockRing {
 public:
  static constexpr int kSteps = F.bits() <= 4 ? 4 : 2;  // of a piece

 private:
  static constexpr int kStages = 4;
  static constexpr int kPieceBytes = kSteps * Operand<F>::kStepBytes;
  // Of a row in a stage: it starts anywhere in the first 16 bytes. Eight rows' accesses meet no
  // bank of memory twice.
  static constexpr int kPitch = kPieceBytes + 16 + (Operand<F>::kWords % 2 == 0 ? 16 : 0);
  static constexpr int kStageBytes = kBlockRows * kPitch;

 public:
  static constexpr int kBytes = kStages * kStageBytes;
  static_assert(kBytes <= 40 << 10, "or fewer than four blocks fit into a Hopper multiprocessor");

  // For all row blocks of a share; `memory` has kBytes.
  MINIFLOAT_DEVICE BlockRing(const PackedRows& rows, const Share& share, std::uint8_t* memory)
      : rows_(rows),
        pieces_(static_cast<int>((steps_of(rows.dim) + kSteps - 1) / kSteps)),
        end_(share.end),
        memory_(memory),
        next_row_(share.begin) {
    for (int i = 0; i + 1 < kStages; ++i) ask();
  }

  // Where rows begin at multiples of 16 bytes.
  MINIFLOAT_DEVICE bool is_aligned() const {
    return (reinterpret_cast<std::uintptr_t>(rows_.packed) | bytes()) % 16 == 0;
  }

  // Waits for the next piece, which stays until the next call.
  MINIFLOAT_DEVICE const std::uint8_t* take() {
    wait_copies<kStages - 2>();
    // From here on the piece is there for all, and nobody reads the one before any more.
    sync_threads();
    ask();
    const std::uint8_t* const piece = memory_ + stage_ * kStageBytes;
    stage_ = after(stage_);
    return piece;
  }

  // Where `row` begins in a piece of its row block, in which it is number `i`.
  MINIFLOAT_DEVICE int place(std::int64_t row, int i) const {
    const auto at = reinterpret_cast<std::uintptr_t>(rows_.packed) + row * bytes();
    return i * kPitch + static_cast<int>(at % 16);
  }

 private:
  MINIFLOAT_DEVICE std::int64_t bytes() const { return row_bytes(rows_.dim, F.bits()); }
  MINIFLOAT_DEVICE static int after(int stage) { return stage + 1 == kStages ? 0 : stage + 1; }

  MINIFLOAT_DEVICE void ask() {
    if (next_row_ < end_) {
      copy_piece(rows_, next_row_, end_, std::int64_t{next_piece_} * kPieceBytes,
                 memory_ + next_stage_ * kStageBytes);
    }
    commit_copies();
    next_stage_ = after(next_stage_);
    if (++next_piece_ == pieces_) {
      next_piece_ = 0;
      next_row_ += kBlockRows;
    }
  }

  // Copies bytes from `first` on of rows from `row` on, zeros where rows end. (Of members' values
  // nvcc makes worse code here.)
  MINIFLOAT_DEVICE static void copy_piece(const PackedRows& rows, std::int64_t row,
                                          std::int64_t end, std::int64_t first,
                                          std::uint8_t* stage) {
    constexpr int kVectors = kPieceBytes / 16 + 1;
    const std::int64_t bytes = row_bytes(rows.dim, F.bits());
    // Where the last 16 rows are, which may be as short as a byte, 16 bytes may go past them all.
    const std::uint8_t* const all_end =
        row + kBlockRows + 16 > rows.count ? rows.packed + rows.count * bytes : nullptr;
    for (int i = thread_index(); i < kBlockRows * kVectors; i += kWarpgroup) {
      const int r = i / kVectors, v = i % kVectors;
      const bool is_there = row + r < end;
      const std::uint8_t* const begin = rows.packed + (is_there ? row + r : row) * bytes;
      const std::uint8_t* const from = begin + first;
      const std::uint8_t* const vector =
          from - reinterpret_cast<std::uintptr_t>(from) % 16 + std::int64_t{16} * v;
      const std::int64_t left = is_there ? begin + bytes - vector : 0;
      const int taken = left < 0 ? 0 : left > 16 ? 16 : static_cast<int>(left);
      std::uint8_t* const to = stage + r * kPitch + 16 * v;
      if (all_end && taken > 0 && vector + 16 > all_end) {
        for (int j = 0; j < 16; ++j) to[j] = j < taken ? vector[j] : std::uint8_t{0};
      } else {
        copy_async(to, vector, taken);
      }
    }
  }

  const PackedRows& rows_;
  int pieces_;  // of a row
  std::int64_t end_;
  std::uint8_t* memory_;
  int stage_ = 0;  // of the piece that is taken next
  // The piece that is asked for next: its row block, its number there, and its stage.
  std::int64_t next_row_;
  int next_piece_ = 0, next_stage_ = 0;
};

}  // namespace minifloat::cuda
