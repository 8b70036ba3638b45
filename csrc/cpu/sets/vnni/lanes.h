// The lanes of AVX-512 with VNNI, VBMI and BF16; a set.cpp includes this in its target region.

inline constexpr int kWidth = 16;        // sums in a vector
inline constexpr int kSumVectors = 24;   // vectors of sums that a tile keeps in registers
inline constexpr int kScanVectors = 16;  // and that a scan keeps, at least for one row
inline constexpr int kStepCodes = 64;    // codes that one step takes from a row

using Vector = __m512i;

// What integer lanes add up in. `raise` brings sums of a high plane into steps of the low one.
struct IntSums {
  using Dot = std::int32_t;
  static constexpr int kTileVectors = kSumVectors;
  using Sums = __m512i;

  [[gnu::always_inline]] static Sums zero() { return _mm512_setzero_si512(); }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { _mm512_storeu_si512(to, sums); }
  [[gnu::always_inline]] static __m512 floats(Sums sums) { return _mm512_cvtepi32_ps(sums); }
  [[gnu::always_inline]] static Sums of(Vector bits) { return bits; }
  [[gnu::always_inline]] static Sums add(Sums a, Sums b) { return _mm512_add_epi32(a, b); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return _mm512_slli_epi32(high, 8); }
};

// A lane multiplies groups of elements, four bytes each: the row's times the query's. Those of rows
// have magnitudes up to kMost.
template <int kMost>
struct Int8Lane : DirectSums<IntSums> {
  using Row = std::uint8_t;  // value + kOffset: the instruction wants one side unsigned
  using Query = std::int8_t;
  static constexpr int kOffset = kMost;

  [[gnu::always_inline]] static Sums dot(Sums sums, __m512i rows, __m512i queries) {
    return _mm512_dpbusd_epi32(sums, rows, queries);
  }
};

struct Int16Lane : DirectSums<IntSums> {
  using Row = std::int16_t;
  using Query = std::int16_t;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums dot(Sums sums, __m512i rows, __m512i queries) {
    return _mm512_dpwssd_epi32(sums, rows, queries);
  }
};

struct FloatSums {
  using Dot = float;
  using Sums = __m512;
  static constexpr int kTileVectors = kSumVectors;

  [[gnu::always_inline]] static Sums zero() { return _mm512_setzero_ps(); }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { _mm512_storeu_ps(to, sums); }
  [[gnu::always_inline]] static __m512 floats(Sums sums) { return sums; }
  [[gnu::always_inline]] static Sums of(Vector bits) { return _mm512_castsi512_ps(bits); }
  [[gnu::always_inline]] static Sums add(Sums a, Sums b) { return _mm512_add_ps(a, b); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return high; }
};

struct FloatLane : DirectSums<FloatSums> {
  using Row = Bfloat16;
  using Query = Bfloat16;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums dot(Sums sums, __m512i rows, __m512i queries) {
    return _mm512_dpbf16_ps(sums, reinterpret_cast<__m512bh>(rows),
                            reinterpret_cast<__m512bh>(queries));
  }
};

// What one step makes of a row.
template <int kCount>
struct Vectors {
  Vector each[kCount];
};

[[gnu::always_inline]] inline Vector load(const void* from) { return _mm512_loadu_si512(from); }

// Rounded once.
[[gnu::always_inline]] inline __m512 multiply_add(__m512 a, __m512 b, __m512 c) {
  return _mm512_fmadd_ps(a, b, c);
}

// From here on the compiler does not know what the vector holds.
template <class Any>
[[gnu::always_inline]] inline void make_unknown(Any& vector) {
  asm("" : "+v"(vector));
}

// One group in every place.
[[gnu::always_inline]] inline Vector broadcast(const void* group) {
  std::int32_t word;
  std::memcpy(&word, group, sizeof(word));
  return _mm512_set1_epi32(word);
}

[[gnu::always_inline]] inline Vector bits(__m512i sums) { return sums; }
[[gnu::always_inline]] inline Vector bits(__m512 sums) { return _mm512_castps_si512(sums); }

// Sums of halves of two vectors, side by side.
template <class L, class Sums = typename L::Sums>
[[gnu::always_inline]] inline Sums fold(Sums a, Sums b) {
  return L::add(L::of(_mm512_unpacklo_epi32(bits(a), bits(b))),
                L::of(_mm512_unpackhi_epi32(bits(a), bits(b))));
}

// The totals of four vectors of sums.
template <class L, class Sums = typename L::Sums>
[[gnu::always_inline]] inline void totals(Sums a, Sums b, Sums c, Sums d, typename L::Dot* to) {
  const Vector ab = bits(fold<L>(a, b)), cd = bits(fold<L>(c, d));
  // Each quarter has a sum of all four.
  const Sums quarters =
      L::add(L::of(_mm512_unpacklo_epi64(ab, cd)), L::of(_mm512_unpackhi_epi64(ab, cd)));
  const Sums halves =
      L::add(quarters, L::of(_mm512_shuffle_i64x2(bits(quarters), bits(quarters), 0x4e)));
  const Sums all = L::add(halves, L::of(_mm512_shuffle_i64x2(bits(halves), bits(halves), 0xb1)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_castsi512_si128(bits(all)));
}

// Bit i of found[r] tells whether scores[r * width + i] is above bounds[i], or NaN; count is at
// most 64 and not above width.
inline void find_above(const float* scores, std::int64_t rows, int width, const float* bounds,
                       int count, std::uint64_t* found) {
  for (std::int64_t r = 0; r < rows; ++r, scores += width) {
    std::uint64_t bits = 0;
    for (int i = 0; i < count; i += kWidth) {
      const __mmask16 taken = count - i < kWidth ? (1 << (count - i)) - 1 : 0xffff;
      const __mmask16 some =
          _mm512_mask_cmp_ps_mask(taken, _mm512_maskz_loadu_ps(taken, scores + i),
                                  _mm512_maskz_loadu_ps(taken, bounds + i), _CMP_NLE_UQ);
      bits |= std::uint64_t{some} << i;
    }
    found[r] = bits;
  }
}
