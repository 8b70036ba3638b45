// The lane of bytes without instructions for four products of them; a set.cpp includes this.

// Sums in int16 of so many products as fit. Elements of rows have magnitudes up to kMost.
template <int kMost>
struct Int8Lane : HalfSums<int16x8_t> {
  using Row = std::int8_t;
  using Query = std::int8_t;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Partial dot(Partial sums, Vector rows, Vector queries) {
    const int8x16_t a = vreinterpretq_s8_u8(rows), b = vreinterpretq_s8_u8(queries);
    return {vmlal_s8(sums.low, vget_low_s8(a), vget_low_s8(b)), vmlal_high_s8(sums.high, a, b)};
  }
  [[gnu::always_inline]] static Sums close(Sums sums, Partial halves) {
    return vaddq_s32(sums, fold(vpaddlq_s16(halves.low), vpaddlq_s16(halves.high)));
  }
  static constexpr std::int64_t exact(std::int64_t query) {
    return std::numeric_limits<std::int16_t>::max() / (kMost * query);
  }
};
