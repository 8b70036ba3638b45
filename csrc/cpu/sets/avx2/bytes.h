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
