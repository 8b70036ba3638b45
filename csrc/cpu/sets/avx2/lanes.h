// The lanes of AVX2 and FMA; a set.cpp includes this in its target region. All is inlined: GCC
// 12 clears the upper half of a vector that a function returns in a struct.

inline constexpr int kWidth = 8;        // sums in a vector
inline constexpr int kSumVectors = 12;  // vectors of sums that a tile keeps in registers
inline constexpr int kStepCodes = 32;   // codes that one step takes from a row

using Vector = __m256i;

// What one step makes of a row.
template <int kCount>
struct Vectors {
  Vector each[kCount];
};

[[gnu::always_inline]] inline Vector load(const void* from) {
  return _mm256_loadu_si256(static_cast<const Vector*>(from));
}

// Rounded once.
[[gnu::always_inline]] inline __m256 multiply_add(__m256 a, __m256 b, __m256 c) {
  return _mm256_fmadd_ps(a, b, c);
}

// From here on the compiler does not know what the vector holds.
template <class Any>
[[gnu::always_inline]] inline void make_unknown(Any& vector) {
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

// The totals of four vectors of sums.
template <class L, class Sums = typename L::Sums>
[[gnu::always_inline]] inline void totals(Sums a, Sums b, Sums c, Sums d, typename L::Dot* to) {
  L::store_halves(to, L::fold(L::fold(a, b), L::fold(c, d)));
}

// Bit i of found[r] tells whether scores[r * width + i] is above bounds[i], or NaN; count is at
// most 64 and not above width.
inline void find_above(const float* scores, std::int64_t rows, int width, const float* bounds,
                       int count, std::uint64_t* found) {
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
