// Rows of floats on their way to packed codes at the least angle to them, and what makes products
// with these unbiased. Compiled once inside each instruction set's namespace.

// Those whose product is the power of two that brings a magnitude near 1: one alone might be beyond
// the largest number.
template <class T>
Factors<T> factors_near_one(T largest) {
  int exponent = 0;
  __builtin_frexp(largest, &exponent);
  const int half = exponent / 2;
  return {static_cast<T>(__builtin_ldexp(1.0, -half)),
          static_cast<T>(__builtin_ldexp(1.0, half - exponent))};
}

// Writes a row as floats, near 1.
template <class Value>
void near_one(const Value* in, std::int64_t dim, Wide<Value> largest, float* out) {
  const auto [first, second] = factors_near_one(largest);
  if constexpr (std::is_same_v<Value, Float16>) {
    widen_run(in, dim, out);
    for (std::int64_t i = 0; i < dim; ++i) out[i] = out[i] * first * second;
  } else if constexpr (std::is_same_v<Value, Bfloat16>) {
    for (std::int64_t i = 0; i < dim; ++i) out[i] = to_float(in[i]) * first * second;
  } else {
    for (std::int64_t i = 0; i < dim; ++i) out[i] = static_cast<float>(in[i] * first * second);
  }
}

// The sum of products, in the order of all sums of rows.
inline float sum_of_products(const float* a, const float* b, std::int64_t count) {
  std::array<float, kSums> sums{};
  std::int64_t i = 0;
  for (; i + kSums <= count; i += kSums) {
    for (int j = 0; j < kSums; ++j) sums[j] += a[i + j] * b[i + j];
  }
  for (; i < count; ++i) sums[i % kSums] += a[i] * b[i];
  return total(sums);
}

// Calls use(place, x, value) with the magnitudes of a row's values, multiplied by factors, and of
// what their codes stand for; sums by place are in the order of all sums of rows.
template <Format F, Overflow O, class Use>
[[gnu::always_inline]] inline void round_each(const float* x, std::int64_t dim,
                                              const Factors<float>& by, Use use) {
  const float first = by.first, second = by.second;
  const auto one = [&](std::int64_t i, int place) __attribute__((always_inline)) {
    const float scaled = x[i] * first * second;
    const Rounded rounded = round_to_code<F, O>(scaled);
    const float value =
        kStaysFinite<F, O> ? rounded.magnitude : __builtin_fabsf(decode<F>(rounded.code));
    use(place, i, __builtin_fabsf(scaled), value);
  };
  std::int64_t i = 0;
  for (; i + kSums <= dim; i += kSums) {
    for (int place = 0; place < kSums; ++place) one(i + place, place);
  }
  for (; i < dim; ++i) one(i, static_cast<int>(i % kSums));
}

// Of a few multiples of the root mean square of a row near 1, that whose codes have the largest
// cosine; 0 where none has one.
template <Format F, Overflow O>
float nearest_angle(const float* x, std::int64_t dim) {
  constexpr double kMax = decode<F>(static_cast<std::uint8_t>(F.max_code()));
  constexpr int kTried = 8;
  const float size = __builtin_sqrtf(sum_of_products(x, x, dim) / static_cast<float>(dim));
  if (size == 0) return 0;
  float best = 0, best_dot = 0, best_squares = 1;
  for (int tried = 0; tried < kTried; ++tried) {
    const double share = (22 + 24.0 * tried / (kTried - 1)) / 100;
    const float factor = 1 / size * static_cast<float>(share * kMax);
    std::array<float, kSums> dots{}, squares{};
    round_each<F, O>(x, dim, {factor, 1}, [&](int place, std::int64_t i, float, float value) {
      dots[place] += __builtin_fabsf(x[i]) * value;
      squares[place] += value * value;
    });
    const float dot = total(dots), square = total(squares);
    if (dot * dot * best_squares > best_dot * best_dot * square) {
      best = factor;
      best_dot = dot;
      best_squares = square;
    }
  }
  return best;
}

// The length of a row over its product with what its codes stand for.
template <Format F, Overflow O>
float unbiased(const float* x, std::int64_t dim, const Factors<float>& by) {
  const auto [first, second] = factors_near_one(row_largest(x, dim) * by.first * by.second);
  std::array<float, kSums> dots{}, squares{};
  round_each<F, O>(x, dim, by, [&](int place, std::int64_t, float scaled, float value) {
    const float near = scaled * first * second;
    dots[place] += near * value;
    squares[place] += near * near;
  });
  const float dot = total(dots);
  const float found = dot > 0 ? __builtin_sqrtf(total(squares)) / dot : 0.0f;
  return dot < std::numeric_limits<float>::infinity() ? found
                                                      : std::numeric_limits<float>::quiet_NaN();
}

template <Format F, Overflow O>
std::int64_t fit_rows(const ValueRows& rows, Scale scale, Estimator estimator, const Quantized& to,
                      float* scratch) {
  constexpr float kLimit = decode<F>(static_cast<std::uint8_t>(F.max_code()));
  const std::int64_t bytes = row_bytes(rows.dim, F.bits());
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const auto* row = reinterpret_cast<const float*>(rows.values + r * rows.stride);
    const float largest = row_largest(row, rows.dim);
    if (!(largest < std::numeric_limits<float>::infinity())) return r;
    Factors<float> by;
    if (scale == Scale::kAmax) by = factors_of(largest, kLimit);
    if (scale == Scale::kCosine) {
      near_one(row, rows.dim, largest, scratch);
      row = scratch;
      by.first = nearest_angle<F, O>(row, rows.dim);
      if (by.first == 0) {
        std::fill_n(to.codes + r * bytes, bytes, std::uint8_t{0});
        to.norms[r] = 0;
        continue;
      }
    }
    const double squares = quantize_row<F, float, O>(row, by, rows.dim, to.codes + r * bytes);
    to.norms[r] = estimator == Estimator::kNorm ? reciprocal_root(squares)
                                                : unbiased<F, O>(row, rows.dim, by);
  }
  return rows.count;
}
