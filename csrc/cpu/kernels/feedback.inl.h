// Codes that are chosen one after the other, each taking up the errors of those before it, of a few
// rows side by side: compiled once inside each instruction set's namespace.

// Rounds the values of a place, of as many rows as a vector has; returns their errors. Codes are
// written as the bits of floats.
template <Format F>
[[gnu::always_inline]] inline Floats round_place(Floats wanted, Floats values,
                                                 float* __restrict rounded,
                                                 float* __restrict codes) {
  std::array<float, kFloats> in, out, bits;
  store_floats(in.data(), wanted);
  for (int i = 0; i < kFloats; ++i) {
    const Rounded one = round_to_code<F, Overflow::kSaturate>(in[i]);
    bits[i] = bits_of<float>(std::int32_t{one.code});
    out[i] = __builtin_copysignf(one.magnitude, in[i]);
  }
  store_floats(codes, load_floats(bits.data()));
  store_floats(rounded, load_floats(out.data()));
  return values - load_floats(out.data());
}

// Vectors of rows that are rounded by turns: each waits for the place before.
inline constexpr int kFedVectors = 2;
static_assert(kFedRows % (kFedVectors * kFloats) == 0);

// Adds the shares that some places take of the errors at all places before. One vector of rows
// after the other: instructions that multiply by a share in memory bring it to all of a vector.
[[gnu::always_inline]] inline void take_up(const float* __restrict shares, std::int64_t before,
                                           const float* __restrict errors,
                                           Floats (&wanted)[kFedVectors][kFedPlaces]) {
  for (int v = 0; v < kFedVectors; ++v, errors += kFloats) {
    Floats sums[kFedPlaces];
#pragma GCC unroll 8
    for (int j = 0; j < kFedPlaces; ++j) sums[j] = wanted[v][j];
    for (std::int64_t i = 0; i < before; ++i) {
      const Floats error = load_floats(errors + i * kFedRows);
#pragma GCC unroll 8
      for (int j = 0; j < kFedPlaces; ++j) sums[j] += shares[i * kFedPlaces + j] * error;
    }
#pragma GCC unroll 8
    for (int j = 0; j < kFedPlaces; ++j) wanted[v][j] = sums[j];
  }
}

// Chooses codes for values at each place of kFedRows rows; writes what they stand for, too.
template <Format F>
void feed_back(const Feedback& feedback, const float* values, float* errors, float* rounded,
               float* codes) {
  for (std::int64_t row = 0; row < kFedRows; row += kFedVectors * kFloats) {
    const float* shares = feedback.panels;
    for (std::int64_t first = 0; first < feedback.places; first += kFedPlaces) {
      Floats wanted[kFedVectors][kFedPlaces];
#pragma GCC unroll 8
      for (int j = 0; j < kFedPlaces; ++j) {
        for (int v = 0; v < kFedVectors; ++v)
          wanted[v][j] = load_floats(values + (first + j) * kFedRows + row + v * kFloats);
      }
      take_up(shares, first, errors + row, wanted);
      shares += first * kFedPlaces;
#pragma GCC unroll 8
      for (int j = 0; j < kFedPlaces; ++j, shares += kFedPlaces) {
        for (int v = 0; v < kFedVectors; ++v) {
          const std::int64_t at = (first + j) * kFedRows + row + v * kFloats;
          const Floats error =
              round_place<F>(wanted[v][j], load_floats(values + at), rounded + at, codes + at);
          store_floats(errors + at, error);
#pragma GCC unroll 8
          for (int later = j + 1; later < kFedPlaces; ++later)
            wanted[v][later] += shares[later] * error;
        }
      }
    }
  }
}

// By row of a vector, the sums over places of products, in the order of all sums of rows.
inline Floats sums_of_products(const float* a, const float* b, std::int64_t places) {
  Floats sums[kSums]{};
  for (std::int64_t i = 0; i < places; ++i) {
    sums[i % kSums] += load_floats(a + i * kFedRows) * load_floats(b + i * kFedRows);
  }
  for (int half = kSums / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

// A square of values: what was in rows is in columns.
template <int kApart = 1>
[[gnu::always_inline]] inline void transpose(Floats (&x)[kFloats]) {
  if constexpr (kApart < kFloats) {
#pragma GCC unroll 16
    for (int i = 0; i < kFloats; ++i) {
      if (i & kApart) continue;
      const Floats a = x[i], b = x[i + kApart];
      [&]<int... kI>(std::integer_sequence<int, kI...>) __attribute__((always_inline)) {
        x[i] = __builtin_shufflevector(a, b, ((kI & kApart) ? kI - kApart + kFloats : kI)...);
        x[i + kApart] =
            __builtin_shufflevector(a, b, ((kI & kApart) ? kI + kFloats : kI + kApart)...);
      }(std::make_integer_sequence<int, kFloats>());
    }
    transpose<2 * kApart>(x);
  }
}

// Writes columns of so many values as rows.
inline void transpose(const float* in, std::int64_t rows, std::int64_t columns, float* out) {
  static_assert(kFrameStep % kFloats == 0 && kFedRows % kFloats == 0);
  Floats square[kFloats];
  for (std::int64_t r = 0; r < rows; r += kFloats) {
    for (std::int64_t c = 0; c < columns; c += kFloats) {
#pragma GCC unroll 16
      for (int i = 0; i < kFloats; ++i) square[i] = load_floats(in + (r + i) * columns + c);
      transpose(square);
#pragma GCC unroll 16
      for (int i = 0; i < kFloats; ++i) store_floats(out + (c + i) * rows + r, square[i]);
    }
  }
}

// At most kFedRows finite rows of floats, each scaled.
template <Format F>
std::int64_t fit_fed_back(const ValueRows& rows, const Fitting& how, const Quantized& to,
                          float* scratch) {
  const std::int64_t dim = rows.dim, bytes = row_bytes(dim, F.bits());
  const std::int64_t places = how.feedback.places, all = places * kFedRows;
  float* const values = scratch;
  float* const errors = values + all;
  float* const rounded = errors + all;
  float* const codes = rounded + all;
  float* const of_row = codes + all;
  std::fill_n(errors, all, 0.0f);
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const auto* row = reinterpret_cast<const float*>(rows.values + r * rows.stride);
    const float largest = row_largest(row, dim);
    const auto [first, second] = factors_at<F>(how.scale, row, dim, largest, of_row);
    // No zero has a sign.
    for (std::int64_t i = 0; i < dim; ++i) errors[r * places + i] = row[i] * first * second + 0.0f;
  }
  transpose(errors, kFedRows, places, values);
  feed_back<F>(how.feedback, values, errors, rounded, codes);
  std::array<float, kFedRows> dots, squares;
  for (int i = 0; i < kFedRows; i += kFloats) {
    store_floats(dots.data() + i, sums_of_products(values + i, rounded + i, places));
    store_floats(squares.data() + i, sums_of_products(values + i, values + i, places));
  }
  transpose(codes, places, kFedRows, errors);
  auto* const row_codes = reinterpret_cast<std::uint8_t*>(of_row);
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const float* const wide = errors + r * places;
    for (std::int64_t i = 0; i < dim; ++i)
      row_codes[i] = static_cast<std::uint8_t>(bits_of<std::int32_t>(wide[i]));
    std::uint8_t* const packed = to.codes + r * bytes;
    pack_run<F.bits()>(row_codes, dim, packed);
    to.norms[r] = how.estimator == Estimator::kNorm ? row_reciprocal_norm<F>(packed, dim)
                  : dots[r] > 0                     ? __builtin_sqrtf(squares[r]) / dots[r]
                                                    : 0.0f;
  }
  return rows.count;
}
