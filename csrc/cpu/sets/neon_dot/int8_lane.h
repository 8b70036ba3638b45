// The lane of bytes with instructions for four products of them; a set.cpp includes this in its
// target region.

template <int>
struct Int8Lane : DirectSums<IntSums> {
  using Row = std::int8_t;
  using Query = std::int8_t;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums dot(Sums sums, Vector rows, Vector queries) {
    return vdotq_s32(sums, vreinterpretq_s8_u8(rows), vreinterpretq_s8_u8(queries));
  }
};
