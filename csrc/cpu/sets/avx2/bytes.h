// The vocabulary of the AVX2 kernels; a set.cpp includes it in their target region.

// Values that one widen takes.
inline constexpr std::int64_t kWidened = 8;

// Exact, NaN and subnormals too, in every flush-to-zero mode.
inline void widen(const Float16* in, float* out) {
  const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
  _mm256_storeu_ps(out, _mm256_cvtph_ps(halves));
}

// Bytes that one stream moves, past the cache, between addresses that are multiples of it.
inline constexpr int kStreamed = 32;

inline void stream(const std::uint8_t* from, std::uint8_t* to) {
  const __m256i bytes = _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to), bytes);
}

// Words that one narrow takes, of which it keeps the low bytes: the others are zero.
inline constexpr std::int64_t kNarrowed = 32;

inline void narrow(const std::int32_t* in, std::uint8_t* out) {
  const auto* const from = reinterpret_cast<const __m256i*>(in);
  const auto load = [&](int i) { return _mm256_loadu_si256(from + i); };
  const __m256i low = _mm256_packs_epi32(load(0), load(1));
  const __m256i high = _mm256_packs_epi32(load(2), load(3));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
}
