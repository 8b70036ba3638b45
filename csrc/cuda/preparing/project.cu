// Rows in a frame: their coordinates, and what is left of them, turned. A block takes a row, which
// stays in the memory of the answer from one step to the next.

#include "cuda/device/launches.h"
#include "cuda/operators.h"
#include "cuda/preparing/rows.h"

namespace minifloat::cuda {
namespace {

// Calls use(i) for the numbers below `count` that this thread has, and then waits for all.
template <class Use>
MINIFLOAT_DEVICE void for_each_of(std::int64_t count, Use use) {
  for (std::int64_t i = thread_index(); i < count; i += kRowThreads) use(i);
  sync_threads();
}

// Multiplies `count` values, in blocks of a size, by the Hadamard matrix of the size.
MINIFLOAT_DEVICE void hadamard(float* x, std::int64_t count, std::int64_t size) {
  for (std::int64_t run = 1; run < size; run *= 2) {
    for_each_of(count / 2, [&](std::int64_t i) {
      float* const low = x + 2 * i - (i & (run - 1));
      float* const high = low + run;
      const float sum = *low + *high, difference = *low - *high;
      *low = sum;
      *high = difference;
    });
  }
}

// Reflects the values at the same place of all blocks: each times their number, less two sums.
MINIFLOAT_DEVICE void mix(float* x, const Blocks& blocks) {
  const auto count = static_cast<float>(blocks.count);
  for_each_of(blocks.size, [&](std::int64_t i) {
    float total = x[i];
    for (std::int64_t b = 1; b < blocks.count; ++b) total += x[b * blocks.size + i];
    for (std::int64_t b = 0; b < blocks.count; ++b) {
      float* const at = x + b * blocks.size + i;
      *at = *at * count - total * 2.0f;
    }
  });
}

// Turns some values in place, and makes them as long as they were.
MINIFLOAT_DEVICE void turn_end(float* x, std::int64_t size) {
  hadamard(x, size, size);
  const auto factor = static_cast<float>(1 / sqrt(static_cast<double>(size)));
  for_each_of(size, [&](std::int64_t i) { x[i] *= factor; });
}

// Turns a row; `scratch` has room for another one where there is more than one round.
MINIFLOAT_DEVICE void turn(const Frame& frame, const Blocks& blocks, float* x, float* scratch) {
  const std::int64_t dim = frame.dim;
  for (std::int64_t round = 0; round < frame.rounds; ++round) {
    const float* const signs = frame.signs + round * dim;
    if (round == 0) {
      for_each_of(dim, [&](std::int64_t i) { x[i] *= signs[i]; });
    } else {
      const std::int64_t* const order = frame.order + (round - 1) * dim;
      for_each_of(dim, [&](std::int64_t i) { scratch[i] = x[i]; });
      for_each_of(dim, [&](std::int64_t i) { x[i] = scratch[order[i]] * signs[i]; });
    }
    if (blocks.count > 0) {
      hadamard(x, dim, blocks.size);
      if (blocks.count > 1) mix(x, blocks);
    } else {
      turn_end(x, blocks.size);
      if (blocks.size < dim) turn_end(x + dim - blocks.size, blocks.size);
    }
  }
}

// Takes a row's parts along axes out of it. They go to `along`, and with the length of the row that
// is left to `length`, all as of a row at length 1: not numbers where the row is not finite.
MINIFLOAT_DEVICE void take_out(const Frame& frame, bool is_number, float* x, float* along,
                               float* length) {
  const std::int64_t dim = frame.dim, axes = frame.axis_count;
  for (std::int64_t a = 0; a < axes; ++a) {
    const float* const axis = frame.axes + a * dim;
    const auto part = sum_of_row<float>(dim, [&](std::int64_t i) { return x[i] * axis[i]; });
    if (thread_index() == 0) along[a] = part;
  }
  sync_threads();
  for_each_of(dim, [&](std::int64_t i) {
    float rest = x[i];
    for (std::int64_t a = 0; a < axes; ++a) rest -= along[a] * frame.axes[a * dim + i];
    x[i] = rest;
  });
  const auto squares = sum_of_row<float>(dim, [&](std::int64_t i) { return x[i] * x[i]; });
  float whole = squares;
  for (std::int64_t a = 0; a < axes; ++a) whole += along[a] * along[a];
  // From here on nobody reads what the sums were made of.
  sync_threads();
  const float of_row = sqrtf(whole);
  const auto of_unit = [&](float part) {
    const float found = of_row > 0 ? part / of_row : 0.0f;
    return is_number ? found : kNan;
  };
  for_each_of(axes, [&](std::int64_t a) { along[a] = of_unit(along[a]); });
  if (thread_index() == 0) *length = of_unit(sqrtf(squares));
}

template <class Source>
MINIFLOAT_KERNEL(kRowThreads, kRowBlocks)
project_kernel(ValueRows rows, Frame frame, Blocks blocks, float* scratch, Projected out) {
  const std::int64_t dim = rows.dim;
  for (std::int64_t row = block_index(); row < rows.count; row += block_count()) {
    const auto* const values = static_cast<const Source*>(rows.values) + row * rows.stride;
    float* const rest = out.rest + row * dim;
    const Wide<Source> largest = row_largest(values, dim);
    const bool is_number = is_finite(largest);
    const auto [first, second] = factors_near_one(largest);
    for_each_of(dim, [&](std::int64_t i) {
      rest[i] = is_number ? static_cast<float>(wide(values[i]) * first * second) : 0.0f;
    });
    take_out(frame, is_number, rest, out.coordinates + row * frame.axis_count, out.lengths + row);
    turn(frame, blocks, rest, scratch + block_index() * dim);
  }
}

std::int64_t blocks_of_rows(const ValueRows& rows) { return blocks_for(rows.count, kRowBlocks); }

}  // namespace

std::int64_t project_workspace(const ValueRows& rows, const Frame& frame) {
  const std::int64_t row_bytes = rows.dim * static_cast<std::int64_t>(sizeof(float));
  return frame.rounds > 1 ? blocks_of_rows(rows) * row_bytes : 0;
}

void project(const ValueRows& rows, const Frame& frame, const Memory& workspace,
             const Projected& out, Stream stream) {
  if (workspace.bytes < project_workspace(rows, frame)) {
    throw std::length_error("the workspace is too small");
  }
  const Grid grid{blocks_of_rows(rows), kRowThreads, kRowBytes};
  choose<kSourceCount>(rows.source, [&](auto s) {
    launch(project_kernel<SourceAt<s()>>, grid, stream, rows, frame, blocks_of(rows.dim),
           reinterpret_cast<float*>(workspace.data), out);
  });
}

}  // namespace minifloat::cuda
