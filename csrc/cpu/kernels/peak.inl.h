// What an instruction set can multiply at most: compiled once inside each one's namespace.

// Products of elements in registers alone, about as many as asked for: what the processor can do.
// Elements are kMultiplied bytes, which the compiler must not know, or it multiplies equals once.
template <Format F>
std::int64_t multiply(std::int64_t products, const std::uint8_t* elements, float* sink) {
  using L = LaneOf<F>;
  // As many as fill the registers, of which partial sums may take several.
  constexpr int kCount = kSumVectors * sizeof(Vector) / sizeof(typename L::Partial);
  static_assert((kCount + 1) * sizeof(Vector) <= kMultiplied);
  constexpr std::int64_t kProducts = kCount * kWidth * kGroup<typename L::Row>;
  typename L::Partial sums[kCount];
  const Vector other = load(elements);
#pragma GCC unroll 24
  for (int i = 0; i < kCount; ++i) {
    sums[i] = L::dot(L::open(L::zero()), load(elements + i * sizeof(Vector)), other);
  }
  const std::int64_t rounds = products / kProducts + 1;
  for (std::int64_t round = 0; round < rounds; ++round) {
    Vector element = load(elements + round % kCount * sizeof(Vector));
#pragma GCC unroll 24
    for (int i = 0; i < kCount; ++i) {
      make_unknown(element);
      sums[i] = L::dot(sums[i], element, other);
    }
  }
#pragma GCC unroll 24
  for (int i = 0; i < kCount; ++i) {
    typename L::Dot dots[kWidth];
    L::store(dots, L::close(L::zero(), sums[i]));
    *sink += static_cast<float>(dots[0]);
  }
  return rounds * kProducts;
}

inline constexpr auto kMultiply = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
  return std::array<Multiply, sizeof...(kIndex)>{multiply<kFormats[kIndex].format>...};
}(std::make_index_sequence<kFormats.size()>());
