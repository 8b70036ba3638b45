// The vocabulary of the AVX-512 kernels; a set.cpp includes it in their target region.

// Values that one widen takes.
inline constexpr std::int64_t kWidened = 16;

// Exact, NaN and subnormals too, in every flush-to-zero mode.
inline void widen(const Float16* in, float* out) {
  const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
  _mm512_storeu_ps(out, _mm512_cvtph_ps(halves));
}

// Bytes that one stream moves, past the cache, between addresses that are multiples of it.
inline constexpr int kStreamed = 64;

inline void stream(const std::uint8_t* from, std::uint8_t* to) {
  const __m512i bytes = _mm512_load_si512(from);
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), bytes);
}

// Words that one narrow takes, of which it keeps the low bytes: compilers do as well with many.
inline constexpr std::int64_t kNarrowed = 1;

inline void narrow(const std::int32_t* in, std::uint8_t* out) {
  *out = static_cast<std::uint8_t>(*in);
}
