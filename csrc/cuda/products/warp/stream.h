#pragma once

// Aligned packed rows on their way to the lanes that multiply them, for few queries: each warp has
// a ring of stages of its own, which its lanes fill 16 bytes at a time, and waits for nobody else.

#include "cuda/products/rows.h"
#include "cuda/products/shares.h"

namespace minifloat::cuda {

template <Format F>
class WarpStream {
  using Piece = Chunk<F>;
  static constexpr int kVectorBytes = static_cast<int>(sizeof(Words4));
  // Enough bytes under way for the latency of memory, where four blocks run on a multiprocessor.
  static constexpr int kStages = Piece::kVectors == 1 ? 6 : 3;
  static constexpr int kRowsBytes = kWarpRows * Piece::kRowBytes;
  // A stage ends with the rows' norms, which come with the last chunk.
  static constexpr int kStageBytes = kRowsBytes + kWarpRows * static_cast<int>(sizeof(float));
  static constexpr int kRingBytes = kStages * kStageBytes;

 public:
  static constexpr int kBytes = kWarpgroupWarps * kRingBytes;  // of a block

  // A lane's vectors of its two rows.
  using Vectors = std::uint32_t[2][Piece::kWords];

  // For all row blocks of a share; `memory` has kBytes.
  MINIFLOAT_DEVICE WarpStream(const PackedRows& rows, const Share& share, std::uint8_t* memory)
      : row_bytes_(static_cast<int>(row_bytes(rows.dim, F.bits()))),
        chunks_(static_cast<int>(Piece::count(rows.dim))),
        copied_(memory + thread_index() / kWarp * kRingBytes + lane() / 4 * Piece::kRowBytes +
                lane() % 4 * kVectorBytes),
        mine_(copied_ + lane() % 4 * (Piece::kVectors - 1) * kVectorBytes),
        norms_there_(memory + thread_index() / kWarp * kRingBytes + kRowsBytes),
        taken_(kRingBytes - kStageBytes) {
    const std::int64_t first = share.begin + thread_index() / kWarp * kWarpRows;
    rows_left_ = share.end - first - lane() / 4;
    next_ = rows.packed + (first + lane() / 4) * row_bytes_ + lane() % 4 * kVectorBytes;
    // Two lanes ask for each norm.
    norms_left_ = share.end - first - lane() % kWarpRows;
    norms_ = rows.norms + first + lane() % kWarpRows;
    begin_rows();
    for (int i = 0; i + 1 < kStages; ++i) ask(i * kStageBytes);
  }

  // Waits for the next chunk, which stays until the next call.
  MINIFLOAT_DEVICE void take(Vectors& out) {
    wait_copies<kStages - 2>();
    // From here on the chunk is there for all lanes, and nobody reads the one before any more.
    sync_warp();
    ask(taken_);
    taken_ = taken_ + kStageBytes == kRingBytes ? 0 : taken_ + kStageBytes;
    const std::uint8_t* const mine = mine_ + taken_;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
#pragma unroll
      for (int v = 0; v < Piece::kVectors; ++v) {
        const auto vector = reinterpret_cast<const Words4*>(mine + r * 8 * Piece::kRowBytes)[v];
#pragma unroll
        for (int w = 0; w < 4; ++w) out[r][4 * v + w] = vector.each[w];
      }
    }
  }

  // To be called at the end: stages that nobody takes are still copied to.
  MINIFLOAT_DEVICE void finish() const { wait_copies<0>(); }

  // The norm of one of a lane's two rows, when the last chunk of them has been taken.
  MINIFLOAT_DEVICE float norm(int r) const {
    return reinterpret_cast<const float*>(norms_there_ + taken_)[lane() / 4 + 8 * r];
  }

 private:
  MINIFLOAT_DEVICE static int lane() { return thread_index() % kWarp; }

  MINIFLOAT_DEVICE void begin_rows() {
    next_chunk_ = 0;
    next_byte_ = lane() % 4 * kVectorBytes;
#pragma unroll
    for (int r = 0; r < 2; ++r) bytes_[r] = rows_left_ > 8 * r ? row_bytes_ : 0;
  }

  // Copies the next chunk to a stage, zeros after the ends of rows and of the share.
  MINIFLOAT_DEVICE void ask(int stage) {
    std::uint8_t* const to = copied_ + stage;
#pragma unroll
    for (int v = 0; v < Piece::kVectors; ++v) {
      const int ahead = v * 4 * kVectorBytes;
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const int size = next_byte_ + ahead < bytes_[r] ? kVectorBytes : 0;
        copy_async(to + 8 * r * Piece::kRowBytes + ahead,
                   next_ + std::int64_t{8} * r * row_bytes_ + ahead, size);
      }
    }
    next_ += Piece::kRowBytes;
    next_byte_ += Piece::kRowBytes;
    if (++next_chunk_ == chunks_) {
      float* const norms = reinterpret_cast<float*>(norms_there_ + stage);
      if (norms_left_ > 0) copy_word_async(norms + lane() % kWarpRows, norms_);
      norms_ += kBlockRows;
      norms_left_ -= kBlockRows;
      rows_left_ -= kBlockRows;
      next_ += std::int64_t{kBlockRows} * row_bytes_ - std::int64_t{chunks_} * Piece::kRowBytes;
      begin_rows();
    }
    commit_copies();
  }

  int row_bytes_;
  int chunks_;  // of a row
  // In the first stage: where a lane copies to, what it reads, and norms.
  std::uint8_t* copied_;
  const std::uint8_t* mine_;
  std::uint8_t* norms_there_;
  int taken_;  // the stage that was taken last, in bytes
  // What is asked for next: a chunk, the lane's first byte of it in a row, and where that is.
  int next_chunk_, next_byte_;
  const std::uint8_t* next_;
  const float* norms_;
  std::int64_t rows_left_, norms_left_;  // from the lane's own on
  int bytes_[2];                         // of its two rows, none of those past the end
};

}  // namespace minifloat::cuda
