// Rows of codes decoded with AVX2; a set.cpp includes this in its target region.

[[gnu::always_inline]] inline __m128i load_half(const std::uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

// Byte i is code i.
template <int kBits>
[[gnu::always_inline]] inline Vector codes_of(const std::uint8_t* packed) {
  static_assert(kBits == 4 || kBits == 6 || kBits == 8);
  if constexpr (kBits == 8) {
    return load(packed);
  } else if constexpr (kBits == 4) {
    const Vector pairs = _mm256_cvtepu8_epi16(load_half(packed));
    return _mm256_and_si256(_mm256_or_si256(pairs, _mm256_slli_epi16(pairs, 4)),
                            _mm256_set1_epi8(0x0f));
  } else {
    // Three bytes hold four codes. Words with the bytes of the first and the third code are
    // multiplied so that these come to the low byte of the product's high half, words with those of
    // the second and the fourth so that they come to the high byte of its low half.
    const Vector bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(load_half(packed)),
                                                 load_half(packed + 8), 1);
    const Vector even = _mm256_setr_epi8(-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11,  //
                                         -1, 4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15);
    const Vector odd = _mm256_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1,  //
                                        4, 5, 6, -1, 7, 8, 9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    const Vector low =
        _mm256_mulhi_epu16(_mm256_shuffle_epi8(bytes, even), _mm256_set1_epi32(1 << 28 | 1 << 8));
    const Vector high =
        _mm256_mullo_epi16(_mm256_shuffle_epi8(bytes, odd), _mm256_set1_epi32(64 << 16 | 4));
    return _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi16(0x003f)),
                           _mm256_and_si256(high, _mm256_set1_epi16(0x3f00)));
  }
}

// Entries for codes of a table of as many as there are codes.
template <int kBits>
[[gnu::always_inline]] inline Vector look_up(const std::uint8_t* table, Vector codes) {
  static_assert(kBits == 4 || kBits == 6);
  const auto part = [&](int i) {
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table) + i);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries),
                               _mm256_and_si256(codes, _mm256_set1_epi8(0x0f)));
  };
  if constexpr (kBits == 4) return part(0);
  // A blend takes the top bit of each byte: these put bits 4 and 5 there.
  const Vector bit4 = _mm256_slli_epi16(codes, 3), bit5 = _mm256_slli_epi16(codes, 2);
  return _mm256_blendv_epi8(_mm256_blendv_epi8(part(0), part(1), bit4),
                            _mm256_blendv_epi8(part(2), part(3), bit4), bit5);
}

// Integers of codes of up to 3 exponent bits, of the even ones and of the odd ones: the
// significand, times a power of two with the code's sign.
template <Format F>
[[gnu::always_inline]] inline Vectors<2> integers_of(Vector codes) {
  static_assert(F.exponent_bits <= 3);
  // By exponent, in both halves: the power, and the bit that a normal number hides.
  alignas(32) static constexpr auto kPowers = [] {
    std::array<std::uint8_t, 32> powers{};
    for (int i = 0; i < 32; ++i) powers[i] = 1 << std::max(0, i % 8 - 1);
    return powers;
  }();
  alignas(32) static constexpr auto kHidden = [] {
    std::array<std::uint8_t, 32> hidden{};
    for (int i = 0; i < 32; ++i) hidden[i] = i % 8 == 0 ? 0 : 1 << F.mantissa_bits;
    return hidden;
  }();
  const Vector exponents = _mm256_and_si256(_mm256_srli_epi16(codes, F.mantissa_bits),
                                            _mm256_set1_epi8((1 << F.exponent_bits) - 1));
  const Vector hidden = _mm256_shuffle_epi8(load(kHidden.data()), exponents);
  const Vector mantissas = _mm256_and_si256(codes, _mm256_set1_epi8((1 << F.mantissa_bits) - 1));
  const Vector significands = _mm256_or_si256(mantissas, hidden);
  // Where a code is zero, so is its power.
  const Vector powers = _mm256_sign_epi8(_mm256_shuffle_epi8(load(kPowers.data()), exponents),
                                         _mm256_slli_epi16(codes, 8 - F.bits()));
  // Each multiplication adds up two products, of which one is of zero.
  const Vector low_bytes = _mm256_set1_epi16(0x00ff);
  return {{_mm256_maddubs_epi16(_mm256_and_si256(significands, low_bytes), powers),
           _mm256_maddubs_epi16(_mm256_andnot_si256(low_bytes, significands), powers)}};
}

// Even codes, and odd ones, of 8 bits as the float16 that have the same fields: the exponent's bias
// may be another.
template <Format F>
[[gnu::always_inline]] inline Vectors<2> halves_of(Vector codes) {
  static_assert(F.bits() == 8 && F.exponent_bits <= 5);
  constexpr int kShift = 5 - F.exponent_bits;
  const Vector high_bytes = _mm256_set1_epi16(static_cast<std::int16_t>(0xff00));
  if constexpr (kShift == 0) {
    return {{_mm256_slli_epi16(codes, 8), _mm256_and_si256(codes, high_bytes)}};
  } else {
    // Products of bytes, whose signs go down to the exponent: there they are cleared.
    const Vector power = _mm256_set1_epi16(1 << (8 - kShift));
    const Vector fields = _mm256_set1_epi16(static_cast<std::int16_t>(0x8000 | 0x7fff >> kShift));
    const Vector even = _mm256_maddubs_epi16(power, codes);
    const Vector odd = _mm256_maddubs_epi16(_mm256_slli_epi16(power, 8), codes);
    return {{_mm256_and_si256(even, fields), _mm256_and_si256(odd, fields)}};
  }
}

[[gnu::always_inline]] inline Vector floats_of(__m128i halves) {
  return _mm256_castps_si256(_mm256_cvtph_ps(halves));
}

// The element that 1 stands for in what `step` makes of a row: float16 that have a format's fields
// may have another bias than it.
template <class L, Format F>
inline constexpr float kDecodedUnit = std::is_same_v<L, FloatLane> ? 1 << (15 - F.bias()) : 1;

// Where the element of code i of a step goes: larger ones are those of even codes, then of odd
// ones.
template <class L>
constexpr int lane_place(int i) {
  return sizeof(typename L::Row) > 1 ? i % 2 * 16 + i / 2 : i;
}

// The row elements of kStepCodes codes; where only some of their bytes are there, zeros follow.
template <class L, Format F>
[[gnu::always_inline]] inline auto step(const std::uint8_t* packed, std::int64_t bytes,
                                        const std::uint8_t* table) {
  std::array<std::uint8_t, kStepCodes * F.bits() / 8> copy;
  packed = next_bytes(packed, bytes, copy);
  const Vector codes = codes_of<F.bits()>(packed);
  if constexpr (sizeof(typename L::Row) == 1) {
    return Vectors<1>{{look_up<F.bits()>(table, codes)}};
  } else if constexpr (std::is_same_v<L, Int16Lane>) {
    return integers_of<F>(codes);
  } else {
    const auto [even, odd] = halves_of<F>(codes).each;
    return Vectors<4>{
        {floats_of(_mm256_castsi256_si128(even)), floats_of(_mm256_extracti128_si256(even, 1)),
         floats_of(_mm256_castsi256_si128(odd)), floats_of(_mm256_extracti128_si256(odd, 1))}};
  }
}
