// The lanes of AVX-512 with VNNI, VBMI and BF16; a set.cpp includes this in its target region.

inline constexpr int kWidth = 16;       // sums in a vector
inline constexpr int kSumVectors = 24;  // vectors of sums that a tile keeps in registers
inline constexpr int kStepCodes = 64;   // codes that one step takes from a row

// Up to so many queries are faster multiplied one by one with packed rows than as a panel with rows
// in their lane (measured for all formats; search of rows of 192 and 512).
inline constexpr int kScans = 8;

using Vector = __m512i;

// What integer lanes add up in. `raise` brings sums of a high plane into steps of the low one.
struct IntSums {
  using Dot = std::int32_t;
  using Sums = __m512i;

  [[gnu::always_inline]] static Sums zero() { return _mm512_setzero_si512(); }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { _mm512_storeu_si512(to, sums); }
  [[gnu::always_inline]] static __m512 floats(Sums sums) { return _mm512_cvtepi32_ps(sums); }
  [[gnu::always_inline]] static Sums of(Vector bits) { return bits; }
  [[gnu::always_inline]] static Sums add(Sums a, Sums b) { return _mm512_add_epi32(a, b); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return _mm512_slli_epi32(high, 8); }
};

// A lane multiplies groups of elements, four bytes each: the row's times the query's.
struct Int8Lane : IntSums {
  using Row = std::uint8_t;  // value + kOffset: the instruction wants one side unsigned
  using Query = std::int8_t;
  static constexpr int kOffset = 64;

  [[gnu::always_inline]] static Sums dot(Sums sums, __m512i rows, __m512i queries) {
    return _mm512_dpbusd_epi32(sums, rows, queries);
  }
};

struct Int16Lane : IntSums {
  using Row = std::int16_t;
  using Query = std::int16_t;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums dot(Sums sums, __m512i rows, __m512i queries) {
    return _mm512_dpwssd_epi32(sums, rows, queries);
  }
};

struct FloatLane {
  using Row = Bfloat16;
  using Query = Bfloat16;
  using Dot = float;
  using Sums = __m512;
  static constexpr int kOffset = 0;

  [[gnu::always_inline]] static Sums zero() { return _mm512_setzero_ps(); }
  [[gnu::always_inline]] static Sums dot(Sums sums, __m512i rows, __m512i queries) {
    return _mm512_dpbf16_ps(sums, reinterpret_cast<__m512bh>(rows),
                            reinterpret_cast<__m512bh>(queries));
  }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { _mm512_storeu_ps(to, sums); }
  [[gnu::always_inline]] static __m512 floats(Sums sums) { return sums; }
  [[gnu::always_inline]] static Sums of(Vector bits) { return _mm512_castsi512_ps(bits); }
  [[gnu::always_inline]] static Sums add(Sums a, Sums b) { return _mm512_add_ps(a, b); }
  [[gnu::always_inline]] static Sums raise(Sums high) { return high; }
};

// What one step makes of a row.
template <int kCount>
struct Vectors {
  Vector each[kCount];
};

[[gnu::always_inline]] inline Vector load(const void* from) { return _mm512_loadu_si512(from); }

// From here on the compiler does not know what the vector holds.
template <class Any>
[[gnu::always_inline]] inline void forget(Any& vector) {
  asm("" : "+v"(vector));
}

// One group in every place.
[[gnu::always_inline]] inline Vector broadcast(const void* group) {
  std::int32_t word;
  std::memcpy(&word, group, sizeof(word));
  return _mm512_set1_epi32(word);
}

// Sums times each query's factor, then times the row's.
template <class L>
[[gnu::always_inline]] inline void store_scores(float* to, typename L::Sums sums,
                                                const float* by_query, float by_row) {
  const __m512 scores = _mm512_mul_ps(L::floats(sums), _mm512_loadu_ps(by_query));
  _mm512_storeu_ps(to, _mm512_mul_ps(scores, _mm512_set1_ps(by_row)));
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
inline void above(const float* scores, std::int64_t rows, int width, const float* bounds, int count,
                  std::uint64_t* found) {
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

// A vector of which kBytes count, out of `bytes` that are there; zeros stand for those that are
// not. One load is the fastest, and masked loads of a constant part take several times as long.
template <int kBytes>
[[gnu::always_inline]] inline Vector load_some(const std::uint8_t* from, std::int64_t bytes) {
  static_assert(kBytes == 32 || kBytes == 48 || kBytes == 64);
  if (bytes < kBytes) return _mm512_maskz_loadu_epi8((1ull << bytes) - 1, from);
  if (kBytes == 64 || (kBytes == 48 && bytes >= 64)) return load(from);
  const auto half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  if (kBytes == 32) return _mm512_castsi256_si512(half);
  const auto rest = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 32));
  return _mm512_inserti32x4(_mm512_castsi256_si512(half), rest, 2);
}

// The low bits of byte i are code i; what is above them is anything.
template <int kBits>
[[gnu::always_inline]] inline Vector codes_of(Vector packed) {
  if constexpr (kBits == 8) return packed;
  // Every eight codes get a quadword of their own, out of which each is picked.
  alignas(64) static constexpr auto kSpread = [] {
    std::array<std::uint8_t, 64> from{};
    for (int i = 0; i < 64; ++i) from[i] = i / 8 * kBits + (i % 8 < kBits ? i % 8 : 0);
    return from;
  }();
  constexpr std::uint64_t kShifts = [] {
    std::uint64_t shifts = 0;
    for (int i = 0; i < 8; ++i) shifts |= static_cast<std::uint64_t>(kBits * i) << (8 * i);
    return shifts;
  }();
  const Vector quads = _mm512_permutexvar_epi8(load(kSpread.data()), packed);
  return _mm512_multishift_epi64_epi8(_mm512_set1_epi64(kShifts), quads);
}

// Entries for codes of a table of 128, whatever their top bit is.
[[gnu::always_inline]] inline Vector look_up_128(const std::uint8_t* table, Vector codes) {
  return _mm512_permutex2var_epi8(load(table), codes, load(table + 64));
}

// Entries for codes of a table of as many as there are codes.
template <int kBits>
[[gnu::always_inline]] inline Vector look_up(const std::uint8_t* table, Vector codes) {
  if constexpr (kBits <= 6) return _mm512_permutexvar_epi8(codes, load(table));
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(codes), look_up_128(table, codes),
                                look_up_128(table + 128, codes));
}

// How many of the lane's own element one of a row's, as `step` makes it, counts.
template <class L, Format F>
inline constexpr float kRowUnit = 1;

// Where the element of code i of a step goes: elements of two bytes are put together within
// quarters of vectors.
template <class L>
constexpr int place(int i) {
  return sizeof(typename L::Row) == 2 ? i / 8 % 2 * 32 + i / 16 * 8 + i % 8 : i;
}

// The row elements of kStepCodes codes; where only some of their bytes are there, zeros follow.
template <class L, Format F>
[[gnu::always_inline]] inline auto step(const std::uint8_t* packed, std::int64_t bytes,
                                        const std::uint8_t* table) {
  Vector loaded = load_some<kStepCodes * F.bits() / 8>(packed, bytes);
  // Or the compiler loads it again for each table, and a scan waits for memory that often.
  forget(loaded);
  const Vector codes = codes_of<F.bits()>(loaded);
  Vectors<sizeof(typename L::Row)> rows;
  if constexpr (sizeof(typename L::Row) == 1) {
    static_assert(F.bits() <= 6, "the table has 64 entries");
    rows.each[0] = _mm512_permutexvar_epi8(codes, load(table));
  } else {
    constexpr int kHigh = std::max(64, 1 << F.bits());
    Vector low, high;
    if constexpr (std::is_same_v<L, FloatLane>) {
      // The sign is a bit of its own.
      low = look_up_128(table, codes);
      const Vector sign = _mm512_and_si512(codes, _mm512_set1_epi8(-128));
      high = _mm512_or_si512(look_up_128(table + kHigh, codes), sign);
    } else {
      low = look_up<F.bits()>(table, codes);
      high = look_up<F.bits()>(table + kHigh, codes);
    }
    rows.each[0] = _mm512_unpacklo_epi8(low, high);
    rows.each[1] = _mm512_unpackhi_epi8(low, high);
  }
  return rows;
}
