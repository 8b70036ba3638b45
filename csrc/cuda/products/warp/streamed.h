#pragma once

// Scores of a slice of aligned packed rows and a tile of few queries.

#include "cuda/products/bound.h"
#include "cuda/products/coordinates.h"
#include "cuda/products/warp/stream.h"
#include "cuda/products/warp/sums.h"

namespace minifloat::cuda {

// How a lane decodes its codes of a row in a step. Where planes cost fewer instructions that are
// not those of elements, it takes them: of 4 bits, and where both bytes come from one float16.
template <Format F>
struct StreamedDecoder {
  static constexpr bool kHasOffset = lane(F) == Lane::kInt16 && max_fixed(F) < 1 << 9;
  using Row = std::conditional_t<kHasOffset, OffsetOperand<F>, Operand<F>>;
  MINIFLOAT_DEVICE void decode(const std::uint32_t (&words)[Row::kWords],
                               typename Row::Registers& out) const {
    row_registers<F, Row>(words, out);
  }
};
template <Format F>
  requires(F.bits() == 4)
struct StreamedDecoder<F> {
  static constexpr bool kHasOffset = false;
  using Row = SignedOperand<F>;
  Magnitudes<F> magnitudes = Magnitudes<F>::in_registers();
  MINIFLOAT_DEVICE void decode(const std::uint32_t (&words)[Row::kWords],
                               typename Row::Registers& out) const {
    signed_registers<F>(magnitudes, words, out);
  }
};

template <int kFormat, bool kArePacked>
using StreamedSums =
    WarpSums<kFormat, kArePacked, 1, false, typename StreamedDecoder<kFormatOf<kFormat>>::Row>;

// Adds up the products of a row block, of which this lane has two rows.
template <class Sums, class Decoder>
MINIFLOAT_DEVICE Sums sums_of_stream(WarpStream<Sums::F>& stream, const Decoder& decoder,
                                     int chunks, const Words4* elements) {
  using Piece = Chunk<Sums::F>;
  Sums sums;
#pragma unroll 1
  for (int chunk = 0; chunk < chunks; ++chunk) {
    typename WarpStream<Sums::F>::Vectors vectors;
    stream.take(vectors);
#pragma unroll
    for (int step = 0; step < Piece::kSteps; ++step) {
      typename Sums::Row::TwoRows rows;
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        std::uint32_t words[Piece::kStepWords];
#pragma unroll
        for (int w = 0; w < Piece::kStepWords; ++w) {
          words[w] = vectors[r][step * Piece::kStepWords + w];
        }
        decoder.decode(words, rows[r]);
      }
      sums.add(rows, elements + step * Sums::kStepVectors);
    }
    elements += Piece::kSteps * Sums::kStepVectors;
  }
  return sums;
}

// What a lane has of a tile: two rows, `row` and row + 8, of those before `end`, and two queries
// that follow one another, with their factors and what their sums are more by.
template <class Sums>
struct StreamedPlace {
  using Whole = decltype(Sums{}.whole(0, 0));

  std::int64_t row;
  std::int64_t end;
  std::int64_t query;
  float factors[2];
  Whole offsets[2];
};

// Finds what sums of a lane's two queries are more by: those of a row of zeros.
template <class Sums, class Decoder>
MINIFLOAT_DEVICE void find_offsets(const Decoder& decoder, std::int64_t steps,
                                   const Words4* elements,
                                   typename StreamedPlace<Sums>::Whole (&offsets)[2]) {
  Sums sums;
  if constexpr (Decoder::kHasOffset) {
    const std::uint32_t words[Sums::Row::kWords] = {};
    typename Sums::Row::TwoRows rows;
    decoder.decode(words, rows[0]);
    decoder.decode(words, rows[1]);
#pragma unroll 1
    for (std::int64_t step = 0; step < steps; ++step) {
      sums.add(rows, elements + step * Sums::kStepVectors);
    }
  }
  offsets[0] = sums.whole(0, 0);
  offsets[1] = sums.whole(0, 1);
}

// Gives a keeper a lane's scores of a row block: those that the first look lets pass.
template <class Place, class Keeper>
MINIFLOAT_DEVICE void keep_streamed(const float (&scores)[4], const Place& at, Keeper& keeper) {
  const auto passes = [&](int i) {
    return Bound::passes(scores[i], keeper.cuts()[Bound::place(at.query % kTileQueries + i % 2)]);
  };
  bool any = false;
#pragma unroll
  for (int i = 0; i < 4; ++i) any |= passes(i);
  if (!any) return;
#pragma unroll 1
  for (int i = 0; i < 4; ++i) {
    float score = scores[0];
#pragma unroll
    for (int n = 1; n < 4; ++n) score = i == n ? scores[n] : score;
    keeper.add(at.row + i / 2 * 8, at.query + i % 2, score);
  }
}

// Writes a lane's scores of a tile: two of its first row, then two of its second.
template <bool kInFrame, class Sums>
MINIFLOAT_DEVICE void score_streamed(const Sums& sums, const float (&norms)[2],
                                     const StreamedPlace<Sums>& at, const Queries& queries,
                                     const Coordinates& coordinates, float (&scores)[4]) {
  if constexpr (kInFrame) {
    float tile[1][4];
    score_in_frame(
        {at.row, at.end, at.query}, norms, queries, coordinates,
        [&](int, int i) { return sums.whole(0, i) - at.offsets[i % 2]; }, tile);
#pragma unroll
    for (int i = 0; i < 4; ++i) scores[i] = tile[0][i];
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const auto dot = sums.whole(0, i) - at.offsets[i % 2];
      scores[i] = static_cast<float>(dot) * at.factors[i % 2] * norms[i / 2];
    }
  }
}

// As keep_scores_by_warp, for one tile of queries, rows that begin at multiples of 16 bytes, and a
// keeper of some scores.
template <int kFormat, bool kArePacked, bool kInFrame, class Keeper>
MINIFLOAT_DEVICE void keep_scores_by_stream(const PackedRows& rows, const Queries& queries,
                                            const Coordinates& coordinates, const Share& share,
                                            Keeper& keeper) {
  using Sums = StreamedSums<kFormat, kArePacked>;
  const int chunks = static_cast<int>(Chunk<Sums::F>::count(rows.dim));
  const int lane = thread_index() % kWarp, warp = thread_index() / kWarp;
  const Words4* const elements =
      queries.elements + share.query_block * queries.steps * Sums::kStepVectors + lane;
  const StreamedDecoder<Sums::F> decoder;
  const std::int64_t query = share.query_block * kTileQueries + lane % 4 * 2;
  StreamedPlace<Sums> at{share.begin + warp * kWarpRows + lane / 4,
                         share.end,
                         query,
                         {queries.factors[query], queries.factors[query + 1]},
                         {}};
  find_offsets<Sums>(decoder, queries.steps, elements, at.offsets);
  WarpStream<Sums::F> stream(rows, share, shared_memory());
  const int row_blocks = static_cast<int>((share.end - share.begin + kBlockRows - 1) / kBlockRows);
#pragma unroll 1
  for (int number = 0; number < row_blocks; ++number, at.row += kBlockRows) {
    const auto sums = sums_of_stream<Sums>(stream, decoder, chunks, elements);
    const float norms[2] = {stream.norm(0), stream.norm(1)};
    float scores[4];
    score_streamed<kInFrame>(sums, norms, at, queries, coordinates, scores);
    keep_streamed(scores, at, keeper);
    keeper.settle(number);
  }
  stream.finish();
}

}  // namespace minifloat::cuda
