// The lanes of AVX2 and FMA; a set.cpp includes this in its target region. All is inlined: GCC
// 12 clears the upper half of a vector that a function returns in a struct.

inline constexpr int kWidth = 8;        // sums in a vector
inline constexpr int kSumVectors = 12;  // vectors of sums that a tile keeps in registers
inline constexpr int kScanVectors = 8;  // and that a scan keeps, at least for one row
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
  static constexpr int kTileVectors = kSumVectors;
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

[[gnu::always_inline]] inline __m256i add_pairs(__m256i sums, Vector pairs) {
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// Partial sums of pairs in int16: one instruction in place of two, but registers for both kinds of
// sums.
struct PairSums : IntSums {
  using Partial = __m256i;
  static constexpr int kTileVectors = 8;

  [[gnu::always_inline]] static Partial open(Sums) { return _mm256_setzero_si256(); }
  [[gnu::always_inline]] static Sums close(Sums sums, Partial pairs) {
    return add_pairs(sums, pairs);
  }
  static constexpr std::int64_t exact(std::int64_t row, std::int64_t query) {
    return std::numeric_limits<std::int16_t>::max() / (2 * row * query);
  }
};

// A lane multiplies groups of elements, four bytes each: the row's times the query's. Those of rows
// have magnitudes up to kMost.
template <int kMost>
struct Int8Lane : DirectSums<IntSums> {
  using Row = std::uint8_t;  // value + kOffset: the instruction wants one side unsigned
  using Query = std::int8_t;
  static constexpr int kOffset = kMost;

  [[gnu::always_inline]] static Partial dot(Partial sums, Vector rows, Vector queries) {
    return add_pairs(sums, _mm256_maddubs_epi16(rows, queries));
  }
};

// Of 4-bit rows many pairs add up in int16; of others so few that closing takes longer than they
// save.
template <int kMost>
  requires(kMost < 16)
struct Int8Lane<kMost> : PairSums {
  using Row = std::uint8_t;
  using Query = std::int8_t;
  static constexpr int kOffset = kMost;

  static constexpr std::int64_t exact(std::int64_t query) {
    return PairSums::exact(2 * kMost, query);
  }
  [[gnu::always_inline]] static Partial dot(Partial sums, Vector rows, Vector queries) {
    return _mm256_add_epi16(sums, _mm256_maddubs_epi16(rows, queries));
  }
};

// Magnitudes of elements, and bytes that have their signs and are not zero where they are not.
struct Signed {
  Vector magnitudes, signs;
};

// Rows' signs go to queries, which have no -128.
template <int kMost>
struct SignedLane : PairSums {
  using Query = std::int8_t;
  static constexpr int kOffset = 0;

  static constexpr std::int64_t exact(std::int64_t query) { return PairSums::exact(kMost, query); }
  [[gnu::always_inline]] static Partial dot(Partial sums, Signed rows, Vector queries) {
    const Vector with = _mm256_sign_epi8(queries, rows.signs);
    return _mm256_add_epi16(sums, _mm256_maddubs_epi16(rows.magnitudes, with));
  }
};

struct Int16Lane : DirectSums<IntSums> {
  using Row = std::int16_t;
  using Query = std::int16_t;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums dot(Sums sums, Vector rows, Vector queries) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(rows, queries));
  }
};

struct FloatSums {
  using Dot = float;
  static constexpr int kTileVectors = kSumVectors;
  using Sums = __m256;

  [[gnu::always_inline]] static Sums zero() { return _mm256_setzero_ps(); }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { _mm256_storeu_ps(to, sums); }
  [[gnu::always_inline]] static __m256 floats(Sums sums) { return sums; }
  [[gnu::always_inline]] static Sums of(Vector bits) { return _mm256_castsi256_ps(bits); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return high; }
  [[gnu::always_inline]] static Sums fold(Sums a, Sums b) { return _mm256_hadd_ps(a, b); }
  [[gnu::always_inline]] static void store_halves(Dot* to, Sums sums) {
    _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1)));
  }
};

struct FloatLane : DirectSums<FloatSums> {
  using Row = float;
  using Query = float;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums dot(Sums sums, Vector rows, Vector queries) {
    return _mm256_fmadd_ps(_mm256_castsi256_ps(rows), _mm256_castsi256_ps(queries), sums);
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
