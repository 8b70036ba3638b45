// Codes that are chosen one after the other, each taking up the errors of those before it, of a few
// rows side by side: compiled once inside each instruction set's namespace.

// Rounds the values of a place, of as many rows as a vector has; returns their errors. What their
// codes stand for takes the place of what was wanted.
template <Format F>
[[gnu::always_inline]] inline Floats round_place(Floats wanted, Floats values,
                                                 float* __restrict rounded,
                                                 std::uint8_t* __restrict codes) {
  std::array<float, kFloats> in, out;
  store_floats(in.data(), wanted);
  for (int i = 0; i < kFloats; ++i) {
    const Rounded one = round_to_code<F, Overflow::kSaturate>(in[i]);
    codes[i] = one.code;
    out[i] = __builtin_copysignf(one.magnitude, in[i]);
  }
  store_floats(rounded, load_floats(out.data()));
  return values - load_floats(out.data());
}

// Vectors of rows, so many of which are rounded by turns: each waits for the place before.
inline constexpr int kFedVectors = kFedRows / kFloats, kByTurns = 2;

// `wanted` becomes what the codes of rows stand for. Few places are rounded first, then what is
// wanted at all later places takes up their errors.
template <Format F>
void feed_back(const Feedback& feedback, const float* values, float* wanted, std::uint8_t* codes) {
  const float* panels = feedback.panels;
  for (std::int64_t first = 0; first < feedback.places; first += kFedPlaces) {
    Floats errors[kFedVectors][kFedPlaces];
    for (int v = 0; v < kFedVectors; v += kByTurns) {
#pragma GCC unroll 8
      for (int j = 0; j < kFedPlaces; ++j) {
        for (int turn = v; turn < v + kByTurns; ++turn) {
          const std::int64_t at = (first + j) * kFedRows + turn * kFloats;
          Floats taking_up = load_floats(wanted + at);
#pragma GCC unroll 8
          for (int k = 0; k < j; ++k) taking_up += panels[j * kFedPlaces + k] * errors[turn][k];
          errors[turn][j] =
              round_place<F>(taking_up, load_floats(values + at), wanted + at, codes + at);
        }
      }
    }
    panels += kFedPlaces * kFedPlaces;
    const std::int64_t after = first + kFedPlaces;
    for (int v = 0; v < kFedVectors; ++v) {
      Floats of_vector[kFedPlaces];
#pragma GCC unroll 8
      for (int k = 0; k < kFedPlaces; ++k) of_vector[k] = errors[v][k];
      const float* shares = panels;
      for (std::int64_t i = after; i < feedback.places; ++i, shares += kFedPlaces) {
        float* const at = wanted + i * kFedRows + v * kFloats;
        Floats taking_up = load_floats(at);
#pragma GCC unroll 8
        for (int k = 0; k < kFedPlaces; ++k) taking_up += shares[k] * of_vector[k];
        store_floats(at, taking_up);
      }
    }
    panels += (feedback.places - after) * kFedPlaces;
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

// At most kFedRows finite rows of floats, each scaled.
template <Format F>
std::int64_t fit_fed_back(const ValueRows& rows, const Fitting& how, const Quantized& to,
                          float* scratch) {
  const std::int64_t dim = rows.dim, bytes = row_bytes(dim, F.bits());
  const std::int64_t places = how.feedback.places, all = places * kFedRows;
  float* const values = scratch;
  float* const wanted = values + all;
  auto* const codes = reinterpret_cast<std::uint8_t*>(wanted + all);
  float* const of_row = wanted + all + all / 4;
  std::fill_n(values, all, 0.0f);
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const auto* row = reinterpret_cast<const float*>(rows.values + r * rows.stride);
    const float largest = row_largest(row, dim);
    const auto [first, second] = factors_at<F>(how.scale, row, dim, largest, of_row);
    // No zero has a sign.
    for (std::int64_t i = 0; i < dim; ++i)
      values[i * kFedRows + r] = row[i] * first * second + 0.0f;
  }
  std::copy_n(values, all, wanted);
  feed_back<F>(how.feedback, values, wanted, codes);
  std::array<float, kFedRows> dots, squares;
  for (int i = 0; i < kFedRows; i += kFloats) {
    store_floats(dots.data() + i, sums_of_products(values + i, wanted + i, places));
    store_floats(squares.data() + i, sums_of_products(values + i, values + i, places));
  }
  auto* const row_codes = reinterpret_cast<std::uint8_t*>(of_row);
  for (std::int64_t r = 0; r < rows.count; ++r) {
    std::uint8_t* const packed = to.codes + r * bytes;
    for (std::int64_t i = 0; i < dim; ++i) row_codes[i] = codes[i * kFedRows + r];
    pack_run<F.bits()>(row_codes, dim, packed);
    to.norms[r] = how.estimator == Estimator::kNorm ? row_reciprocal_norm<F>(packed, dim)
                  : dots[r] > 0                     ? __builtin_sqrtf(squares[r]) / dots[r]
                                                    : 0.0f;
  }
  return rows.count;
}
