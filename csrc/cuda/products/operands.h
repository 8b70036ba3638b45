#pragma once

// What a warp multiplies: 16 rows by a tile of 8 queries, in steps of 64 codes. In a step a lane
// has 16 codes of two rows, and those of one query in the same places. In which order it has them
// changes no product, so rows are decoded in the order in which they are packed, and queries are
// laid out in that order beforehand.

#include <type_traits>

#include "cuda/device/device.h"
#include "format/lanes.h"

namespace minifloat::cuda {

inline constexpr int kWarpRows = 16;
inline constexpr int kTileQueries = 8;
inline constexpr int kLaneCodes = 16;
inline constexpr int kStepCodes = 4 * kLaneCodes;

// Rows of a row block: those that four warps, which are a warpgroup, multiply together.
inline constexpr int kBlockRows = kWarpgroupWarps * kWarpRows;

constexpr std::int64_t steps_of(std::int64_t dim) { return (dim + kStepCodes - 1) / kStepCodes; }

// An element of an int16 lane is two bytes: high * 2^kRowShift + low.
inline constexpr int kRowShift = 5;

template <Format F>
struct Operand {
  static constexpr Lane kLane = lane(F);
  static constexpr bool kIsFloat = kLane == Lane::kFloat;
  static constexpr int kBits = F.bits();
  static_assert(kBits % 2 == 0, "a lane's codes must fill words");
  static_assert(F.exponent_bits <= 5, "float16 must hold the values");

  using Sum = std::conditional_t<kIsFloat, float, std::int32_t>;
  // An element is its planes' bytes, each times kPlaneBase and the next one added.
  static constexpr int kPlanes = kLane == Lane::kInt16 ? 2 : 1;
  static constexpr int kPlaneBase = 1 << kRowShift;
  static constexpr bool kIsUnsigned = false;
  static constexpr int kRegisters = kIsFloat ? 8 : 4;     // of each plane
  static constexpr int kParts = kRegisters / 4;           // of a plane, of 16 bytes each
  static constexpr int kWords = kLaneCodes * kBits / 32;  // of packed codes
  static constexpr int kStepBytes = kStepCodes * kBits / 8;

  // Codes of a lane that lie side by side; runs of the four lanes follow one another.
  static constexpr int kRun = kBits == 8 ? 8 : 16;
  static constexpr int kRunWords = kRun * kBits / 32;

  // Which of a step's codes is the lane's code i.
  MINIFLOAT_HD static constexpr int place(int lane, int i) {
    return i / kRun * 4 * kRun + lane % 4 * kRun + number(i) % kRun;
  }

  // Which of those that a lane has side by side is decoded as number i: of 6 bits, those that lie
  // alike in their halves of words stand together.
  MINIFLOAT_HD static constexpr int number(int i) {
    constexpr int kSixes[8] = {0, 1, 3, 4, 6, 7, 2, 5};
    return kBits == 6 ? kSixes[i / 4 * 2 + i % 2] + i / 2 % 2 * 8 : i;
  }

  using Registers = std::uint32_t[kPlanes][kRegisters];
  using TwoRows = Registers[2];

  // An element of a row is its register's value times this: a float16 is made of a code's bits as
  // they are, though its exponent has a larger bias.
  static constexpr float kUnit = kIsFloat ? static_cast<float>(1 << (15 - F.bias())) : 1.0f;
};

// The same with so many planes.
template <Format F, int kCount>
struct PlanesOperand : Operand<F> {
  static constexpr int kPlanes = kCount;
  using Registers = std::uint32_t[kPlanes][Operand<F>::kRegisters];
  using TwoRows = Registers[2];
};

// The same where an element is the second of two planes less the first: magnitudes of negative and
// of positive codes, which take fewer instructions than elements of both, and twice the products.
template <Format F>
struct SignedOperand : PlanesOperand<F, 2> {
  static constexpr int kPlaneBase = -1;
};

// The same where an element is more by a constant, which its two planes have in unsigned bytes: a
// product too many for all rows, so that a row of zeros tells it.
template <Format F>
struct OffsetOperand : Operand<F> {
  static constexpr int kPlaneBase = 256;
  static constexpr bool kIsUnsigned = true;
};

// The same with a third plane, the sum of both: where queries have it too, three products of planes
// do for four.
template <Format F>
struct ThirdOperand : PlanesOperand<F, 3> {};

// What a lane has of a row at once where rows are aligned and lanes copy them: vectors of 16 bytes
// that hold whole steps. Its codes follow one another from step to step.
template <Format F>
struct Chunk {
  static constexpr int kVectors = F.bits() == 6 ? 3 : 1;
  static constexpr int kWords = 4 * kVectors;
  static constexpr int kStepWords = Operand<F>::kWords;
  static constexpr int kSteps = kWords / kStepWords;
  static constexpr int kRowBytes = 4 * kVectors * static_cast<int>(sizeof(Words4));

  // Of a row.
  static constexpr std::int64_t count(std::int64_t dim) {
    return (dim * F.bits() / 8 + kRowBytes - 1) / kRowBytes;
  }

  // Which of a row's codes is the lane's code i of a step.
  MINIFLOAT_HD static constexpr std::int64_t place(std::int64_t step, int lane, int i) {
    const std::int64_t first = (step / kSteps * 4 + lane % 4) * kSteps + step % kSteps;
    return first * kLaneCodes + Operand<F>::number(i);
  }
};

// The planes of a query's element: those of a row's where queries are packed, and two where they
// are floats. In an integer lane two of them make high * kBase + low, in a float one their sum.
template <Format F, bool kArePacked>
struct QueryPlanes {
  static constexpr int kCount = kArePacked ? Operand<F>::kPlanes : 2;
  static constexpr int kBase = kArePacked ? 1 << kRowShift : 256;
  static constexpr int kTileVectors = kCount * Operand<F>::kParts * kWarp;  // of a step
};

}  // namespace minifloat::cuda
