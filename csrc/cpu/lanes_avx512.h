// The lanes of AVX-512 with VNNI, VBMI and BF16; an isa_*.cpp includes this in its target region.

inline constexpr int kWidth = 16;       // sums in a vector
inline constexpr int kSumVectors = 24;  // vectors of sums that a tile keeps in registers
inline constexpr int kStepCodes = 64;   // codes that one step takes from a row

using Vector = __m512i;

// What integer lanes add up in.
struct IntSums {
  using Dot = std::int32_t;
  using Sums = __m512i;

  [[gnu::always_inline]] static Sums zero() { return _mm512_setzero_si512(); }
  [[gnu::always_inline]] static void store(Dot* to, Sums sums) { _mm512_storeu_si512(to, sums); }
  [[gnu::always_inline]] static Sums of(Vector bits) { return bits; }
  [[gnu::always_inline]] static Sums add(Sums a, Sums b) { return _mm512_add_epi32(a, b); }
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
  [[gnu::always_inline]] static Sums of(Vector bits) { return _mm512_castsi512_ps(bits); }
  [[gnu::always_inline]] static Sums add(Sums a, Sums b) { return _mm512_add_ps(a, b); }
};

// What one step makes of a row.
template <int kCount>
struct Vectors {
  Vector each[kCount];
};

[[gnu::always_inline]] inline Vector load(const void* from) { return _mm512_loadu_si512(from); }

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

// Bit i tells whether scores[i] is above bounds[i], or NaN; count is at most 64.
[[gnu::always_inline]] inline std::uint64_t above(const float* scores, const float* bounds,
                                                  int count) {
  std::uint64_t bits = 0;
  for (int i = 0; i < count; i += kWidth) {
    const __mmask16 taken = count - i < kWidth ? (1 << (count - i)) - 1 : 0xffff;
    const __mmask16 found =
        _mm512_mask_cmp_ps_mask(taken, _mm512_maskz_loadu_ps(taken, scores + i),
                                _mm512_maskz_loadu_ps(taken, bounds + i), _CMP_NLE_UQ);
    bits |= std::uint64_t{found} << i;
  }
  return bits;
}

// Some first bytes of a vector; masked loads of a constant part take several times as long.
template <int kBytes>
[[gnu::always_inline]] inline Vector load_bytes(const std::uint8_t* from) {
  if constexpr (kBytes == 64) return load(from);
  const auto half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  if constexpr (kBytes == 32) return _mm512_castsi256_si512(half);
  static_assert(kBytes == 32 || kBytes == 48 || kBytes == 64);
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

// Bytes that a table of 256 has for codes.
[[gnu::always_inline]] inline Vector look_up(const std::uint8_t* table, Vector codes) {
  return _mm512_mask_blend_epi8(
      _mm512_movepi8_mask(codes), _mm512_permutex2var_epi8(load(table), codes, load(table + 64)),
      _mm512_permutex2var_epi8(load(table + 128), codes, load(table + 192)));
}

// Elements of two bytes that a table has for codes in as many bytes, whose sign is their own.
[[gnu::always_inline]] inline Vector look_up_wide(const std::uint8_t* table, Vector codes) {
  const Vector low = _mm512_permutex2var_epi16(load(table), codes, load(table + 64));
  const Vector high = _mm512_permutex2var_epi16(load(table + 128), codes, load(table + 192));
  const __mmask32 upper = _mm512_test_epi16_mask(codes, _mm512_set1_epi16(0x40));
  const Vector sign = _mm512_and_si512(_mm512_slli_epi16(codes, 8), _mm512_set1_epi16(-32768));
  return _mm512_or_si512(_mm512_mask_blend_epi16(upper, low, high), sign);
}

// Where the element of code i of a step goes: the int16 lane puts its bytes together within
// quarters of vectors.
template <class L>
constexpr int place(int i) {
  return std::is_same_v<L, Int16Lane> ? i / 8 % 2 * 32 + i / 16 * 8 + i % 8 : i;
}

// The row elements of kStepCodes codes; where only some of their bytes are there, zeros follow.
template <class L, Format F>
[[gnu::always_inline]] inline auto step(const std::uint8_t* packed, std::int64_t bytes,
                                        const std::uint8_t* table) {
  constexpr int kBytes = kStepCodes * F.bits() / 8;
  const Vector codes =
      codes_of<F.bits()>(bytes >= kBytes ? load_bytes<kBytes>(packed)
                                         : _mm512_maskz_loadu_epi8((1ull << bytes) - 1, packed));
  Vectors<sizeof(typename L::Row)> rows;
  if constexpr (std::is_same_v<L, Int8Lane>) {
    static_assert(F.bits() <= 6, "the table has 64 entries");
    rows.each[0] = _mm512_permutexvar_epi8(codes, load(table));
  } else if constexpr (std::is_same_v<L, FloatLane>) {
    static_assert(F.bits() == 8, "a code's sign is a byte's");
    const __m256i low = _mm512_castsi512_si256(codes), high = _mm512_extracti64x4_epi64(codes, 1);
    rows.each[0] = look_up_wide(table, _mm512_cvtepu8_epi16(low));
    rows.each[1] = look_up_wide(table, _mm512_cvtepu8_epi16(high));
  } else {
    constexpr bool kWide = F.bits() > 6;
    const Vector low = kWide ? look_up(table, codes) : _mm512_permutexvar_epi8(codes, load(table));
    const Vector high =
        kWide ? look_up(table + 256, codes) : _mm512_permutexvar_epi8(codes, load(table + 64));
    rows.each[0] = _mm512_unpacklo_epi8(low, high);
    rows.each[1] = _mm512_unpackhi_epi8(low, high);
  }
  return rows;
}
