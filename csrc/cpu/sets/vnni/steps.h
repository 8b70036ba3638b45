// How scans with VBMI take codes from a row; a set.cpp includes this in its target region.

// Steps of 128 codes of 4 bits, the even ones and then the odd ones: nothing is interleaved.
template <Format F>
struct HalfSteps {
  template <int>
  using LaneFor = LaneOf<F>;
  static constexpr int kCodes = 2 * sizeof(Vector);
  static constexpr int kVectors = 2;
  static constexpr int place(int i) { return i % 2 * sizeof(Vector) + i / 2; }
  template <int>
  [[gnu::always_inline]] static Vectors<2> of(const std::uint8_t* packed, std::int64_t bytes) {
    Vector pairs = load_some<sizeof(Vector)>(packed, bytes);
    make_unknown(pairs);
    const Vector low = _mm512_set1_epi8(0x0f);
    const Vector table = load(kRowTable<F>.data());
    return {{_mm512_shuffle_epi8(table, _mm512_and_si512(pairs, low)),
             _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(pairs, 4), low))}};
  }
};
