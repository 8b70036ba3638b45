// Sums over rows of floats, in the order that `docs/reference/formats.md` gives them: compiled once
// inside each instruction set's namespace.

// A sum by place: of every sixteenth value from each.
inline constexpr int kPlaceVectors = kSums / kFloats;
static_assert(kSums % kFloats == 0 && kSums == kFrameStep);
struct PlaceSums {
  Floats each[kPlaceVectors]{};
};

// The sums of halves of a vector, as far as they are there.
template <int kApart>
[[gnu::always_inline]] inline float total_within(Floats x) {
  if constexpr (kApart == 0) {
    return x[0];
  } else {
    return [&]<int... kI>(std::integer_sequence<int, kI...>) __attribute__((always_inline)) {
      return total_within<kApart / 2>(x + __builtin_shufflevector(x, x, (kI ^ kApart)...));
    }(std::make_integer_sequence<int, kFloats>());
  }
}

[[gnu::always_inline]] inline float total(PlaceSums sums) {
  for (int half = kPlaceVectors / 2; half > 0; half /= 2) {
    for (int v = 0; v < half; ++v) sums.each[v] += sums.each[v + half];
  }
  return total_within<kFloats / 2>(sums.each[0]);
}

// Rows that go through each step together: what one waits for, others do meanwhile.
inline constexpr std::int64_t kRowsTogether = 16;

[[gnu::always_inline]] inline Floats magnitudes(Floats x) {
  using Bits [[gnu::vector_size(sizeof(Floats))]] = std::int32_t;
  return __builtin_bit_cast(Floats, __builtin_bit_cast(Bits, x) & 0x7fffffff);
}
