// Rows of codes decoded with VBMI; a set.cpp includes this in its target region.

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

// The element that 1 stands for in what `step` makes of a row.
template <class L, Format F>
inline constexpr float kDecodedUnit = 1;

// Where the element of code i of a step goes: elements of two bytes are put together within
// quarters of vectors.
template <class L>
constexpr int lane_place(int i) {
  return sizeof(typename L::Row) == 2 ? i / 8 % 2 * 32 + i / 16 * 8 + i % 8 : i;
}

// The row elements of kStepCodes codes; where only some of their bytes are there, zeros follow.
template <class L, Format F>
[[gnu::always_inline]] inline auto step(const std::uint8_t* packed, std::int64_t bytes,
                                        const std::uint8_t* table) {
  Vector loaded = load_some<kStepCodes * F.bits() / 8>(packed, bytes);
  // Or the compiler loads it again for each table, and a scan waits for memory that often.
  make_unknown(loaded);
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
