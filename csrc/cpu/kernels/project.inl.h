// Rows in a frame: their coordinates, and what is left of them, turned. Compiled once inside each
// instruction set's namespace.

// Sums and differences of values so far apart, of which a vector has both.
template <int kApart>
[[gnu::always_inline]] inline Floats butterflies(Floats x) {
  return [&]<int... kI>(std::integer_sequence<int, kI...>) __attribute__((always_inline)) {
    const Floats signs = {((kI & kApart) ? -1.0f : 1.0f)...};
    return multiply_add(x, signs, __builtin_shufflevector(x, x, (kI ^ kApart)...));
  }(std::make_integer_sequence<int, kFloats>());
}

// Sums and differences of vectors ever farther apart.
template <int kApart, int kVectors>
[[gnu::always_inline]] inline void butterflies(Floats (&v)[kVectors]) {
  if constexpr (kApart < kVectors) {
#pragma GCC unroll 16
    for (int i = 0; i < kVectors; ++i) {
      if (i & kApart) continue;
      const Floats low = v[i], high = v[i + kApart];
      v[i] = low + high;
      v[i + kApart] = low - high;
    }
    butterflies<2 * kApart>(v);
  }
}

// Multiplies so many vectors by the Hadamard matrix of their size.
template <int kVectors>
[[gnu::always_inline]] inline void hadamard_of(float* x) {
  Floats v[kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kVectors; ++i) {
    v[i] = butterflies<2>(butterflies<1>(load_floats(x + i * kFloats)));
    if constexpr (kFloats > 4) v[i] = butterflies<4>(v[i]);
    if constexpr (kFloats > 8) v[i] = butterflies<8>(v[i]);
  }
  butterflies<1>(v);
#pragma GCC unroll 16
  for (int i = 0; i < kVectors; ++i) store_floats(x + i * kFloats, v[i]);
}

// Of vectors that registers hold, half of which others need.
inline constexpr int kTurned = kSumVectors >= 16 ? 16 : kSumVectors >= 8 ? 8 : 4;

template <int kVectors = kTurned>
[[gnu::always_inline]] inline std::int64_t hadamard_of_parts(float* x, std::int64_t size) {
  constexpr std::int64_t kPart = kVectors * kFloats;
  if (size < kPart) {
    if constexpr (kVectors > 1) return hadamard_of_parts<kVectors / 2>(x, size);
    return 1;
  }
  for (std::int64_t i = 0; i < size; i += kPart) hadamard_of<kVectors>(x + i);
  return kPart;
}

// Multiplies by the Hadamard matrix of a size: sums and differences of ever longer runs.
inline void hadamard(float* x, std::int64_t size) {
  std::int64_t run = hadamard_of_parts(x, size);
  // Two steps at once, which read and write once.
  for (; 4 * run <= size && run >= kFloats; run *= 4) {
    for (std::int64_t first = 0; first < size; first += 4 * run) {
      for (std::int64_t i = first; i < first + run; i += kFloats) {
        const Floats a = load_floats(x + i), b = load_floats(x + i + run);
        const Floats c = load_floats(x + i + 2 * run), d = load_floats(x + i + 3 * run);
        const Floats ab = a + b, a_b = a - b, cd = c + d, c_d = c - d;
        store_floats(x + i, ab + cd);
        store_floats(x + i + run, a_b + c_d);
        store_floats(x + i + 2 * run, ab - cd);
        store_floats(x + i + 3 * run, a_b - c_d);
      }
    }
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

// Turns a row that is multiplied by the first signs already.
inline void turn(const Frame& frame, float* x, float* scratch) {
  const Blocks blocks = blocks_of(frame.dim);
  for (std::int64_t round = 0; round < frame.rounds; ++round) {
    if (round > 0) {
      const float* const signs = frame.signs + round * frame.padded;
      const std::int64_t* const order = frame.order + (round - 1) * frame.dim;
      for (std::int64_t i = 0; i < frame.dim; ++i) scratch[i] = x[order[i]];
      for (std::int64_t i = 0; i < frame.dim; ++i) x[i] = scratch[i] * signs[i];
    }
    if (blocks.count > 0) {
      for (std::int64_t b = 0; b < blocks.count; ++b) hadamard(x + b * blocks.size, blocks.size);
      if (blocks.count > 1) mix(x, blocks);
    } else {
      turn_end(x, blocks.size);
      if (blocks.size < frame.dim) turn_end(x + frame.dim - blocks.size, blocks.size);
    }
  }
}

// The sum of a row's products with an axis.
inline float along_axis(const float* x, const float* axis, std::int64_t padded) {
  PlaceSums sums;
  for (std::int64_t i = 0; i < padded; i += kSums) {
    for (int v = 0; v < kPlaceVectors; ++v) {
      const std::int64_t at = i + v * kFloats;
      sums.each[v] += load_floats(x + at) * load_floats(axis + at);
    }
  }
  return total(sums);
}

// Takes a row's parts along axes out of it; returns the sum of the squares of what is left, which
// is multiplied by the first signs of a turn. Meanwhile memory is asked for a row that comes next.
inline float take_out(const Frame& frame, const float* along, float* x, const std::uint8_t* next) {
  PlaceSums sums;
  const std::int64_t padded = frame.padded, axes = frame.axis_count;
  const float* const axis = frame.axes;
  const float* const signs = frame.signs;
  for (std::int64_t i = 0; i < padded; i += kSums) {
    for (int v = 0; v < kPlaceVectors; ++v) {
      const std::int64_t at = i + v * kFloats;
      __builtin_prefetch(next + at * 4);
      Floats rest = load_floats(x + at);
      for (std::int64_t a = 0; a < axes; ++a)
        rest -= along[a] * load_floats(axis + a * padded + at);
      sums.each[v] += rest * rest;
      store_floats(x + at, rest * load_floats(signs + at));
    }
  }
  return total(sums);
}

// Projects a few rows. One that is not finite has coordinates and a length that are not numbers.
template <class Value>
void project_some(const ValueRows& rows, const Frame& frame, const Projected& out, float* scratch) {
  const std::int64_t count = rows.count, dim = frame.dim, axes = frame.axis_count;
  std::array<float, kRowsTogether> squares, whole;
  std::array<bool, kRowsTogether> finite;
  for (std::int64_t r = 0; r < count; ++r) {
    const auto* const in = reinterpret_cast<const Value*>(rows.values + r * rows.stride);
    float* const rest = out.rest + r * frame.padded;
    const Wide<Value> largest = row_largest(in, dim);
    finite[r] = largest < std::numeric_limits<Wide<Value>>::infinity();
    if (finite[r]) {
      near_one(in, dim, largest, rest);
      std::fill(rest + dim, rest + frame.padded, 0.0f);
    } else {
      std::fill_n(rest, frame.padded, 0.0f);
    }
  }
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t a = 0; a < axes; ++a) {
      out.coordinates[r * axes + a] =
          along_axis(out.rest + r * frame.padded, frame.axes + a * frame.padded, frame.padded);
    }
  }
  for (std::int64_t r = 0; r < count; ++r) {
    squares[r] = take_out(frame, out.coordinates + r * axes, out.rest + r * frame.padded,
                          rows.values + (r + count) * rows.stride);
  }
  for (std::int64_t r = 0; r < count; ++r) turn(frame, out.rest + r * frame.padded, scratch);
  for (std::int64_t r = 0; r < count; ++r) {
    whole[r] = squares[r];
    for (std::int64_t a = 0; a < axes; ++a) {
      const float along = out.coordinates[r * axes + a];
      whole[r] += along * along;
    }
  }
  for (std::int64_t r = 0; r < count; ++r) {
    const float length = __builtin_sqrtf(whole[r]);
    const auto of_unit = [&](float part) {
      const float found = length > 0 ? part / length : 0.0f;
      return finite[r] ? found : std::numeric_limits<float>::quiet_NaN();
    };
    for (std::int64_t a = 0; a < axes; ++a) {
      out.coordinates[r * axes + a] = of_unit(out.coordinates[r * axes + a]);
    }
    out.lengths[r] = of_unit(__builtin_sqrtf(squares[r]));
  }
}

template <class Value>
void project_rows(const ValueRows& rows, const Frame& frame, const Projected& out, float* scratch) {
  for (std::int64_t first = 0; first < rows.count; first += kRowsTogether) {
    const ValueRows some{rows.values + first * rows.stride, rows.stride,
                         std::min(kRowsTogether, rows.count - first), rows.dim};
    const Projected to{out.rest + first * frame.padded, out.coordinates + first * frame.axis_count,
                       out.lengths + first};
    project_some<Value>(some, frame, to, scratch);
  }
}
