// The scoring kernels of one instruction set: compiled once inside each one's namespace.

// Calls use(codes, first, count) for each block of the row's codes.
template <Format F, class Use>
void for_each_block(const std::uint8_t* packed, std::int64_t dim, Use use) {
  std::array<std::uint8_t, kBlock> codes;
  for (std::int64_t first = 0; first < dim; first += kBlock) {
    const std::int64_t count = std::min(kBlock, dim - first);
    unpack_run<F.bits()>(packed + first / 8 * F.bits(), count, codes.data());
    use(codes.data(), first, count);
  }
}

template <Format F>
void row_to_elements(const std::uint8_t* packed, std::int64_t dim, void* elements) {
  Element<F>* __restrict out = static_cast<Element<F>*>(elements);
  for_each_block<F>(packed, dim, [&](const std::uint8_t* codes, std::int64_t first, auto count) {
    for (std::int64_t i = 0; i < count; ++i) out[first + i] = to_element<F>(codes[i]);
  });
}

// A fixed order of additions, so that every instruction set rounds alike.
inline constexpr int kSums = 16;

template <class Sum>
Sum total(const std::array<Sum, kSums>& sums) {
  std::array<Sum, kSums> rest = sums;
  for (int half = kSums / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) rest[i] += rest[i + half];
  }
  return rest[0];
}

template <Format F>
float row_reciprocal_norm(const std::uint8_t* packed, std::int64_t dim) {
  std::array<double, kSums> sums{};
  for_each_block<F>(packed, dim, [&](const std::uint8_t* codes, std::int64_t, auto count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const double value = decode<F>(codes[i]);
      sums[i % kSums] += value * value;
    }
  });
  const double squares = total(sums);
  if (!(squares < std::numeric_limits<double>::infinity())) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  return squares == 0 ? 0.0f : static_cast<float>(1 / __builtin_sqrt(squares));
}

// The dot product, exact.
inline std::int64_t dot(const std::int16_t* __restrict a, const std::int16_t* __restrict b,
                        std::int64_t dim, std::int64_t exact_dim) {
  std::int64_t sum = 0;
  for (std::int64_t first = 0; first < dim; first += exact_dim) {
    const std::int64_t last = std::min(dim, first + exact_dim);
    std::int32_t part = 0;
    for (std::int64_t i = first; i < last; ++i) part += a[i] * b[i];
    sum += part;
  }
  return sum;
}

// The dot product within dim * 2^-24 of the sum of the products' magnitudes.
inline float dot(const float* __restrict a, const float* __restrict b, std::int64_t dim,
                 std::int64_t) {
  std::array<float, kSums> sums{};
  std::int64_t first = 0;
  for (; first + kSums <= dim; first += kSums) {
    for (int i = 0; i < kSums; ++i) sums[i] += a[first + i] * b[first + i];
  }
  for (int i = 0; first + i < dim; ++i) sums[i] += a[first + i] * b[first + i];
  return total(sums);
}

template <Format F>
void score_rows(const Scoring& scoring, const LaneRows& a, const LaneRows& b, float* out,
                std::int64_t out_stride) {
  const auto* const a_elements = static_cast<const Element<F>*>(a.elements);
  const auto* const b_elements = static_cast<const Element<F>*>(b.elements);
  const std::int64_t dim = scoring.dim;
  for (std::int64_t i = 0; i < a.count; ++i) {
    for (std::int64_t j = 0; j < b.count; ++j) {
      const auto product = dot(a_elements + i * dim, b_elements + j * dim, dim, scoring.exact_dim);
      out[i * out_stride + j] = static_cast<float>(product) * scoring.unit * a.reciprocal_norms[i] *
                                b.reciprocal_norms[j];
    }
  }
}
