// The lanes of AVX2 and FMA; a set.cpp includes this in its target region. All is inlined: GCC
// 12 clears the upper half of a vector that a function returns in a struct.

inline constexpr int kWidth = 8;        // sums in a vector
inline constexpr int kSumVectors = 12;  // vectors of sums that a tile keeps in registers
inline constexpr int kStepCodes = 32;   // codes that one step takes from a row

// Up to so many queries are faster multiplied one by one with packed rows than as a panel with rows
// in their lane (measured for all formats; search of rows of 192 and 512).
inline constexpr int kScans = 3;

using Vector = __m256i;

// What one step makes of a row.
template <int kCount>
struct Vectors {
  Vector each[kCount];
};

[[gnu::always_inline]] inline Vector load(const void* from) {
  return _mm256_loadu_si256(static_cast<const Vector*>(from));
}

// From here on the compiler does not know what the vector holds.
template <class Any>
[[gnu::always_inline]] inline void forget(Any& vector) {
  asm("" : "+x"(vector));
}

// One group in every place.
[[gnu::always_inline]] inline Vector broadcast(const void* group) {
  std::int32_t word;
  std::memcpy(&word, group, sizeof(word));
  return _mm256_set1_epi32(word);
}

// What integer lanes add up in. `raise` brings sums of a high plane into steps of the low one.
struct IntSums {
  using Dot = std::int32_t;
  using Sums = __m256i;

  [[gnu::always_inline]] static Sums zero() { return _mm256_setzero_si256(); }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) {
    _mm256_storeu_si256(reinterpret_cast<Vector*>(to), sums);
  }
  [[gnu::always_inline]] static __m256 floats(Sums sums) { return _mm256_cvtepi32_ps(sums); }
  [[gnu::always_inline]] static Sums of(Vector bits) { return bits; }
  [[gnu::always_inline]] static Sums add(Sums a, Sums b) { return _mm256_add_epi32(a, b); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return _mm256_slli_epi32(high, 8); }
  // Sums of neighbours in a, then in b, in each half.
  [[gnu::always_inline]] static Sums fold(Sums a, Sums b) { return _mm256_hadd_epi32(a, b); }
  [[gnu::always_inline]] static void store_halves(Dot* to, Sums sums) {
    const __m128i both =
        _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), both);
  }
};

// A lane multiplies groups of elements, four bytes each: the row's times the query's.
struct Int8Lane : IntSums {
  using Row = std::uint8_t;  // value + kOffset: the instruction wants one side unsigned
  using Query = std::int8_t;
  static constexpr int kOffset = 64;

  // Pairs stay within int16: a row's element is at most 127, a query's magnitude 128.
  [[gnu::always_inline]] static Sums dot(Sums sums, Vector rows, Vector queries) {
    const __m256i pairs = _mm256_maddubs_epi16(rows, queries);
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

struct Int16Lane : IntSums {
  using Row = std::int16_t;
  using Query = std::int16_t;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums dot(Sums sums, Vector rows, Vector queries) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(rows, queries));
  }
};

struct FloatLane {
  using Row = float;
  using Query = float;
  using Dot = float;
  using Sums = __m256;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums zero() { return _mm256_setzero_ps(); }
  [[gnu::always_inline]] static Sums dot(Sums sums, Vector rows, Vector queries) {
    return _mm256_fmadd_ps(_mm256_castsi256_ps(rows), _mm256_castsi256_ps(queries), sums);
  }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { _mm256_storeu_ps(to, sums); }
  [[gnu::always_inline]] static __m256 floats(Sums sums) { return sums; }
  [[gnu::always_inline]] static Sums of(Vector bits) { return _mm256_castsi256_ps(bits); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return high; }
  [[gnu::always_inline]] static Sums fold(Sums a, Sums b) { return _mm256_hadd_ps(a, b); }
  [[gnu::always_inline]] static void store_halves(Dot* to, Sums sums) {
    _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1)));
  }
};

// Sums times each query's factor, then times the row's.
template <class L>
[[gnu::always_inline]] inline void store_scores(float* to, typename L::Sums sums,
                                                const float* by_query, float by_row) {
  const __m256 scores = _mm256_mul_ps(L::floats(sums), _mm256_loadu_ps(by_query));
  _mm256_storeu_ps(to, _mm256_mul_ps(scores, _mm256_set1_ps(by_row)));
}

// The totals of four vectors of sums.
template <class L, class Sums = typename L::Sums>
[[gnu::always_inline]] inline void totals(Sums a, Sums b, Sums c, Sums d, typename L::Dot* to) {
  L::store_halves(to, L::fold(L::fold(a, b), L::fold(c, d)));
}

// Bit i of found[r] tells whether scores[r * width + i] is above bounds[i], or NaN; count is at
// most 64 and not above width.
inline void above(const float* scores, std::int64_t rows, int width, const float* bounds, int count,
                  std::uint64_t* found) {
  for (std::int64_t r = 0; r < rows; ++r, scores += width) {
    std::uint64_t bits = 0;
    int i = 0;
    for (; i + kWidth <= count; i += kWidth) {
      const __m256 some =
          _mm256_cmp_ps(_mm256_loadu_ps(scores + i), _mm256_loadu_ps(bounds + i), _CMP_NLE_UQ);
      bits |= static_cast<std::uint64_t>(_mm256_movemask_ps(some)) << i;
    }
    for (; i < count; ++i) bits |= static_cast<std::uint64_t>(!(scores[i] <= bounds[i])) << i;
    found[r] = bits;
  }
}

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

// Table entries of codes below 64.
[[gnu::always_inline]] inline Vector look_up(const std::uint8_t* table, Vector codes, int bits) {
  const auto part = [&](int i) {
    const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table) + i);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(entries),
                               _mm256_and_si256(codes, _mm256_set1_epi8(0x0f)));
  };
  if (bits == 4) return part(0);
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

// How many of the lane's own element one of a row's, as `step` makes it, counts.
template <class L, Format F>
inline constexpr float kRowUnit = std::is_same_v<L, FloatLane> ? 1 << (15 - F.bias()) : 1;

// Where the element of code i of a step goes: larger ones are those of even codes, then of odd
// ones.
template <class L>
constexpr int place(int i) {
  return sizeof(typename L::Row) > 1 ? i % 2 * 16 + i / 2 : i;
}

// The row elements of kStepCodes codes; where only some of their bytes are there, zeros follow.
template <class L, Format F>
[[gnu::always_inline]] inline auto step(const std::uint8_t* packed, std::int64_t bytes,
                                        const std::uint8_t* table) {
  constexpr int kBytes = kStepCodes * F.bits() / 8;
  std::array<std::uint8_t, kBytes> whole{};
  if (bytes < kBytes) {
    std::memcpy(whole.data(), packed, bytes);
    packed = whole.data();
  }
  const Vector codes = codes_of<F.bits()>(packed);
  if constexpr (std::is_same_v<L, Int8Lane>) {
    return Vectors<1>{{look_up(table, codes, F.bits())}};
  } else if constexpr (std::is_same_v<L, Int16Lane>) {
    return integers_of<F>(codes);
  } else {
    const auto [even, odd] = halves_of<F>(codes).each;
    return Vectors<4>{
        {floats_of(_mm256_castsi256_si128(even)), floats_of(_mm256_extracti128_si256(even, 1)),
         floats_of(_mm256_castsi256_si128(odd)), floats_of(_mm256_extracti128_si256(odd, 1))}};
  }
}
