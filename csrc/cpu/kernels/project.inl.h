// Rows in a frame: their coordinates, and what is left of them, turned. Compiled once inside each
// instruction set's namespace.

// Sums and differences of values so far apart, of which a vector has both.
template <int kApart>
[[gnu::always_inline]] inline Floats butterflies(Floats x) {
  return [&]<int... kI>(std::integer_sequence<int, kI...>) __attribute__((always_inline)) {
    const Floats signs = {((kI & kApart) ? -1.0f : 1.0f)...};
    return __builtin_shufflevector(x, x, (kI ^ kApart)...) + x * signs;
  }(std::make_integer_sequence<int, kFloats>());
}

// Multiplies by the Hadamard matrix of a size: sums and differences of ever longer runs.
inline void hadamard(float* x, std::int64_t size) {
  std::int64_t run = 1;
  if (size >= kFloats) {
    for (std::int64_t i = 0; i < size; i += kFloats) {
      Floats v = butterflies<1>(load_floats(x + i));
      v = butterflies<2>(v);
      if constexpr (kFloats > 4) v = butterflies<4>(v);
      if constexpr (kFloats > 8) v = butterflies<8>(v);
      store_floats(x + i, v);
    }
    run = kFloats;
  }
  for (; run < size; run *= 2) {
    for (std::int64_t first = 0; first < size; first += 2 * run) {
      float* __restrict const low = x + first;
      float* __restrict const high = low + run;
      for (std::int64_t i = 0; i < run; ++i) {
        const float sum = low[i] + high[i], difference = low[i] - high[i];
        low[i] = sum;
        high[i] = difference;
      }
    }
  }
}

// Reflects the values at the same place of all blocks: each times their number, less two sums.
inline void mix(float* x, const Blocks& blocks) {
  const auto count = static_cast<float>(blocks.count);
  static_assert(16 % kFloats == 0);
  for (std::int64_t i = 0; i < blocks.size; i += kFloats) {
    Floats total = load_floats(x + i);
    for (std::int64_t b = 1; b < blocks.count; ++b) total += load_floats(x + b * blocks.size + i);
    for (std::int64_t b = 0; b < blocks.count; ++b) {
      float* const at = x + b * blocks.size + i;
      store_floats(at, load_floats(at) * count - total * 2.0f);
    }
  }
}

// Turns some values in place, and makes them as long as they were.
inline void turn_end(float* x, std::int64_t size) {
  hadamard(x, size);
  const auto factor = static_cast<float>(1 / __builtin_sqrt(static_cast<double>(size)));
  for (std::int64_t i = 0; i < size; ++i) x[i] *= factor;
}

inline void turn(const Frame& frame, float* x, float* scratch) {
  const Blocks blocks = blocks_of(frame.dim);
  for (std::int64_t round = 0; round < frame.rounds; ++round) {
    const float* const signs = frame.signs + round * frame.dim;
    for (std::int64_t i = 0; i < frame.dim; ++i) x[i] *= signs[i];
    if (blocks.count > 0) {
      for (std::int64_t b = 0; b < blocks.count; ++b) hadamard(x + b * blocks.size, blocks.size);
      if (blocks.count > 1) mix(x, blocks);
    } else {
      turn_end(x, blocks.size);
      if (blocks.size < frame.dim) turn_end(x + frame.dim - blocks.size, blocks.size);
    }
    if (frame.order && round + 1 < frame.rounds) {
      const std::int64_t* const order = frame.order + round * frame.dim;
      for (std::int64_t i = 0; i < frame.dim; ++i) scratch[i] = x[order[i]];
      std::copy_n(scratch, frame.dim, x);
    }
  }
}

// Projects rows. A row that is not finite has coordinates and a length that are not numbers.
template <class Value>
void project_rows(const ValueRows& rows, const Frame& frame, const Projected& out, float* scratch) {
  const std::int64_t dim = frame.dim, axes = frame.axis_count;
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const auto* const in = reinterpret_cast<const Value*>(rows.values + r * rows.stride);
    float* const rest = out.rest + r * dim;
    float* const along = out.coordinates + r * axes;
    const Wide<Value> largest = row_largest(in, dim);
    if (!(largest < std::numeric_limits<Wide<Value>>::infinity())) {
      std::fill_n(rest, dim, 0.0f);
      std::fill_n(along, axes, std::numeric_limits<float>::quiet_NaN());
      out.lengths[r] = std::numeric_limits<float>::quiet_NaN();
      continue;
    }
    near_one(in, dim, largest, rest);
    for (std::int64_t a = 0; a < axes; ++a) {
      along[a] = sum_of_products(rest, frame.axes + a * dim, dim);
    }
    for (std::int64_t a = 0; a < axes; ++a) {
      const float* const axis = frame.axes + a * dim;
      const float t = along[a];
      for (std::int64_t i = 0; i < dim; ++i) rest[i] -= t * axis[i];
    }
    const float squares = sum_of_products(rest, rest, dim);
    float whole = squares;
    for (std::int64_t a = 0; a < axes; ++a) whole += along[a] * along[a];
    const float length = __builtin_sqrtf(whole);
    const auto of_unit = [&](float part) { return length > 0 ? part / length : 0.0f; };
    for (std::int64_t a = 0; a < axes; ++a) along[a] = of_unit(along[a]);
    out.lengths[r] = of_unit(__builtin_sqrtf(squares));
    turn(frame, rest, scratch);
  }
}
