// Rows of floats on their way to packed codes at the least angle to them, and what makes products
// with these unbiased. Compiled once inside each instruction set's namespace.

// Multiples of what makes a row's largest magnitude the format's, in eighths, that are tried.
inline constexpr int kFirstTried = 5, kTried = 8;

// They are tried with rows whose magnitudes are put into so many bins.
inline constexpr int kBins = 64;

// So many products of bins add up in an int32.
inline constexpr std::int64_t kBinned = 1 << 16;

// By multiple, by bin, what the middle of a bin is rounded to, in 120ths of the largest value.
template <Format F>
alignas(64) inline constexpr auto kRoundedBins = [] {
  constexpr float kMax = decode<F>(static_cast<std::uint8_t>(F.max_code()));
  std::array<std::array<std::uint8_t, kBins>, kTried> rounded{};
  for (int tried = 0; tried < kTried; ++tried) {
    for (int bin = 1; bin < kBins; ++bin) {
      const auto eighths = static_cast<float>(kFirstTried + tried);
      const float middle = kMax * eighths * static_cast<float>(2 * bin + 1) / (8 * 2 * kBins);
      const double value = round_to_code<F, Overflow::kSaturate>(middle).magnitude;
      rounded[tried][bin] = static_cast<std::uint8_t>(120 * value / kMax + 0.5);
    }
  }
  return rounded;
}();

// Adds up, for each multiple, products of what the bins of values are rounded to with their middles
// and with themselves.
template <Format F>
void add_tried(const float* x, std::int64_t count, float to_bins, std::uint8_t* scratch,
               std::array<std::int64_t, kTried>& dots, std::array<std::int64_t, kTried>& squares) {
  const std::int64_t whole = (count + kStepCodes - 1) / kStepCodes * kStepCodes;
  std::uint8_t* __restrict const bins = scratch;
  std::uint8_t* __restrict const middles = scratch + whole;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto bin = static_cast<std::int32_t>(__builtin_fabsf(x[i]) * to_bins);
    const std::int32_t at_most = bin < kBins - 1 ? bin : kBins - 1;
    bins[i] = static_cast<std::uint8_t>(at_most);
    middles[i] = static_cast<std::uint8_t>(2 * at_most + 1);
  }
  std::fill(bins + count, bins + whole, std::uint8_t{0});
  std::fill(middles + count, middles + whole, std::uint8_t{0});

  constexpr int kTogether = kSumVectors >= 2 * kTried ? kTried : 2;
  // Bins and their middles are below 128.
  using L = Int8Lane<63>;
  using Sums = typename L::Sums;
  for (int first = 0; first < kTried; first += kTogether) {
    Sums dot[kTogether], square[kTogether];
    for (int t = 0; t < kTogether; ++t) dot[t] = square[t] = L::zero();
    for (std::int64_t i = 0; i < whole; i += kStepCodes) {
      const Vector of_bins = load(bins + i), of_middles = load(middles + i);
      for (int t = 0; t < kTogether; ++t) {
        const Vector rounded = look_up<6>(kRoundedBins<F>[first + t].data(), of_bins);
        dot[t] = add_dot<L>(dot[t], of_middles, rounded);
        square[t] = add_dot<L>(square[t], rounded, rounded);
      }
    }
    for (int t = 0; t < kTogether; t += 2) {
      std::array<std::int32_t, 4> sums;
      totals<L>(dot[t], dot[t + 1], square[t], square[t + 1], sums.data());
      dots[first + t] += sums[0];
      dots[first + t + 1] += sums[1];
      squares[first + t] += sums[2];
      squares[first + t + 1] += sums[3];
    }
  }
}

// What a row is multiplied by so that the angle to its codes is the least of those tried.
template <Format F>
float nearest_angle(const float* x, std::int64_t dim, float largest, std::uint8_t* scratch) {
  constexpr float kMax = decode<F>(static_cast<std::uint8_t>(F.max_code()));
  std::array<std::int64_t, kTried> dots{}, squares{};
  for (std::int64_t first = 0; first < dim; first += kBinned) {
    add_tried<F>(x + first, std::min(kBinned, dim - first), kBins / largest, scratch, dots,
                 squares);
  }
  std::array<double, kTried> cosines;
  for (int tried = 0; tried < kTried; ++tried) {
    const auto dot = static_cast<double>(dots[tried]);
    cosines[tried] = dot * dot / static_cast<double>(squares[tried]);
  }
  // Without branches, which nothing foretells.
  double most = 0;
  for (const double cosine : cosines) most = cosine > most ? cosine : most;
  unsigned best_ones = 0;
  for (int tried = 0; tried < kTried; ++tried) {
    best_ones |= static_cast<unsigned>(cosines[tried] == most) << tried;
  }
  const int best = std::countr_zero(best_ones);
  return kMax * static_cast<float>(kFirstTried + best) / 8 / largest;
}

// A row's products with what its codes stand for, and with itself, block by block.
template <Format F, Overflow O>
class Products {
 public:
  // Sums stay finite of rows that are multiplied by this too.
  explicit Products(float near_one) : near_one_(near_one) {}

  void encode_block(const float* in, std::int64_t count, const Factors<float>& by,
                    std::uint8_t* codes) {
    std::array<float, kBlock + kSums> values;
    encode_each<F, O>(in, count, by, codes, [&](std::int64_t i, const Rounded& rounded) {
      values[i] = kStaysFinite<F, O> ? rounded.magnitude : __builtin_fabsf(decode<F>(rounded.code));
    });
    const std::int64_t whole = count / kSums * kSums;
    PlaceSums dots = dots_, squares = squares_;
    const auto add = [&](const float* x, const float* of_codes) __attribute__((always_inline)) {
      for (int v = 0; v < kPlaceVectors; ++v) {
        const Floats scaled = load_floats(x + v * kFloats) * by.first * by.second;
        const Floats near = magnitudes(scaled) * near_one_;
        dots.each[v] += near * load_floats(of_codes + v * kFloats);
        squares.each[v] += near * near;
      }
    };
    for (std::int64_t i = 0; i < whole; i += kSums) add(in + i, values.data() + i);
    if (whole < count) {
      std::array<float, kSums> last{};
      std::copy(in + whole, in + count, last.data());
      std::fill_n(values.data() + count, kSums, 0.0f);
      add(last.data(), values.data() + whole);
    }
    dots_ = dots;
    squares_ = squares;
  }

  // The length of the row over its product with the values.
  float value() const {
    const float dot = total(dots_);
    const float found = dot > 0 ? __builtin_sqrtf(total(squares_)) / dot : 0.0f;
    return dot < std::numeric_limits<float>::infinity() ? found
                                                        : std::numeric_limits<float>::quiet_NaN();
  }

 private:
  float near_one_;
  PlaceSums dots_, squares_;
};

// What a row is multiplied by; near 1 it goes to scratch, where multiples of it might otherwise be
// beyond the largest number.
template <Format F>
Factors<float> factors_at(Scale scale, const float*& row, std::int64_t dim, float largest,
                          float* scratch) {
  constexpr float kLimit = decode<F>(static_cast<std::uint8_t>(F.max_code()));
  constexpr float kLeast = 0x1p-60f, kMost = 0x1p60f;
  if (scale == Scale::kNone || largest == 0) return {};
  if (scale == Scale::kAmax) return factors_of(largest, kLimit);
  if (largest < kLeast || largest > kMost) {
    near_one(row, dim, largest, scratch);
    row = scratch;
    largest = row_largest(row, dim);
  }
  auto* const bytes = reinterpret_cast<std::uint8_t*>(scratch + dim);
  return {nearest_angle<F>(row, dim, largest, bytes)};
}

template <Format F, Overflow O>
std::int64_t fit_rows(const ValueRows& rows, const Fitting& how, const Quantized& to,
                      float* scratch) {
  const std::int64_t bytes = row_bytes(rows.dim, F.bits());
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const auto* row = reinterpret_cast<const float*>(rows.values + r * rows.stride);
    const float largest = row_largest(row, rows.dim);
    if (!(largest < std::numeric_limits<float>::infinity())) return r;
    const Factors<float> by = factors_at<F>(how.scale, row, rows.dim, largest, scratch);
    std::uint8_t* const codes = to.codes + r * bytes;
    if (how.estimator == Estimator::kNorm) {
      Squares<F, O> squares;
      quantize_row<F>(row, by, rows.dim, codes, squares);
      to.norms[r] = reciprocal_root(squares.value());
    } else {
      Products<F, O> products(how.scale == Scale::kNone ? factors_near_one(largest).first : 1);
      quantize_row<F>(row, by, rows.dim, codes, products);
      to.norms[r] = products.value();
    }
    // Zeros have no sign where directions are looked for.
    if (how.scale == Scale::kCosine && largest == 0) std::fill_n(codes, bytes, std::uint8_t{0});
  }
  return rows.count;
}
